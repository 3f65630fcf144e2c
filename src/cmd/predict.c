#include "cmd/predict.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "dist/agree.h"
#include "io/weights/tensor_file.h"
#include "train/alike.h"
#include "train/facts.h"
#include "train/save.h"
#include "train/stop.h"
#include "train/weights.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int read_overlap(void *to, const char *text, struct err *err) {
    char *end;
    const double v = strtod(text, &end);

    if (end == text || *end || !(v >= 0 && v <= 0.95))
        return err_set(
            err, ERR_USAGE,
            "--window: found '%s', expected the share by which windows overlap, from 0 to "
            "0.95, as in --window 0.5",
            text);
    ((struct predict_args *)to)->overlap = v;
    return 0;
}

static int read_turns(void *to, const char *text, struct err *err) {
    static const char *const names[] = {
        [PREDICT_FLIP] = "flip", [PREDICT_FLIPS] = "flips", [PREDICT_ROT90] = "rot90"};

    for (int i = PREDICT_FLIP; i <= PREDICT_ROT90; i++)
        if (!strcmp(text, names[i])) {
            ((struct predict_args *)to)->turns = (enum predictor_turns)i;
            return 0;
        }
    return err_set(err, ERR_USAGE, "--tta: found '%s', expected flip, flips or rot90", text);
}

static int read_fit(void *to, const char *text, struct err *err) {
    struct predict_args *a = to;

    a->stretch = !strcmp(text, "stretch");
    return a->stretch || !strcmp(text, "crop")
               ? 0
               : err_set(err, ERR_USAGE, "--fit: found '%s', expected crop or stretch", text);
}

static int read_range(void *to, const char *text, struct err *err) {
    double *range = ((struct predict_args *)to)->range;
    char *end;

    range[0] = strtod(text, &end);
    range[1] = *end == ',' ? strtod(end + 1, &end) : range[0];
    return !*end && range[0] < range[1]
               ? 0
               : err_set(err, ERR_USAGE,
                         "--range: found '%s', expected the values of black and white, as in "
                         "--range -1,1",
                         text);
}

#define AT(member) offsetof(struct predict_args, member)

static const struct option_spec options[] = {
    {"o", OPTION_TEXT, .offset = AT(out)},
    {"output", OPTION_TEXT, .offset = AT(output)},
    {"top", OPTION_WHOLE, .offset = AT(top), .min = 1, .max = 1000},
    {"batch", OPTION_WHOLE, .offset = AT(batch), .min = 1, .max = 1 << 20},
    {"count", OPTION_WHOLE, .offset = AT(count), .min = 1, .max = 1 << 30},
    {"seed", OPTION_WHOLE, .offset = AT(seed), .min = 0, .max = INT64_MAX},
    {"class", OPTION_TEXT, .offset = AT(class)},
    {"window", OPTION_READ, .read = read_overlap},
    {"whole", OPTION_FLAG, .offset = AT(whole)},
    {"tta", OPTION_READ, .read = read_turns},
    {"fit", OPTION_READ, .read = read_fit},
    {"range", OPTION_READ, .read = read_range},
    {"overlay", OPTION_FLAG, .offset = AT(overlay)},
    {"skip-broken", OPTION_FLAG, .offset = AT(skip_broken)},
    {0},
};

/* --- what the networks were trained on --- */

static int describe_by_meta(struct predict *p) {
    p->n_trained_on = meta_fields(&p->trained.meta, &p->pool, &p->trained_on);
    for (int i = 0; i < p->n_trained_on; i++)
        p->fields[i] =
            (struct field){.name = p->trained_on[i].name,
                           .sample = p->trained_on[i].sample,
                           .kind = p->trained_on[i].classes ? TENSOR_INDICES : TENSOR_ACTS,
                           .n_classes = p->trained_on[i].n_classes};
    p->n_fields = p->n_trained_on;
    return 0;
}

/* Weights alone say nothing: the job's data does, or its keys image and fields. */
static int describe_by_job(struct predict *p, struct err *err) {
    struct loader_field fields[LOADER_MAX_FIELDS];

    if (feed_fields(&p->args.job.job, fields, &p->n_fields, err))
        return -1;
    feed_graph_fields(fields, p->n_fields, p->fields);
    return 0;
}

/* Memory is planned for no more samples than there are. */
static void choose_batch(struct predict *p) {
    const struct job *job = &p->args.job.job;
    const bool windows = p->args.overlap >= 0; /* of which one sample may have many */

    if (!p->args.batch)
        p->args.batch = job->validate_batch ? job->validate_batch : job->batch;
    if (p->inputs.n && p->inputs.n < p->args.batch && !windows)
        p->args.batch = p->inputs.n;
}

static int describe(struct predict *p, struct err *err) {
    struct jobargs *a = &p->args.job;
    const char *file = a->run ? a->run : a->weights;

    if (!a->weights && !a->job.n_weights)
        return err_set(
            err, ERR_USAGE,
            "found no --weights FILE, expected one, [weights] in the job, or a run in its "
            "place: dltrain predict runs/NAME");
    if (file && trained_read(&p->trained, file, err))
        return -1;
    choose_batch(p);
    return p->trained.meta.json ? describe_by_meta(p) : describe_by_job(p, err);
}

/* --- the networks --- */

static int plan(struct predict *p, struct err *err) {
    struct predict_args *a = &p->args;
    const struct predictor_config config = {
        .job = &a->job.job,
        .fields = p->fields,
        .n_fields = p->n_fields,
        .output = a->output,
        .batch = feed_largest_share(a->batch, comm_size(a->job.comm)),
        .threads = a->job.threads,
        .data_name = a->job.job.path,
        .turns = a->turns,
    };

    return predictor_init(&p->predictor, &config, err);
}

static int load(struct predict *p, struct err *err) {
    struct jobargs *a = &p->args.job;
    struct replica *r = &p->predictor.replica;

    if (!a->weights)
        return weights_load(&a->job, r, p->sinks, err);
    return tensor_file_is_safetensors(a->weights) ? weights_load_file(a->weights, r, p->sinks, err)
                                                  : save_load_nets(a->weights, r, err);
}

/* Every rank has read the file of its own host. Collective. */
static int same_weights(struct predict *p, struct err *err) {
    struct alike alike;

    alike_init(&alike, &p->predictor.replica, p->args.job.comm);
    return alike_check(&alike, err) ? err_wrap(err, "weights as they were read") : 0;
}

/* The names of the classes that the output chooses from. */
static void name_classes(struct predict *p) {
    const struct predictor *by = &p->predictor;
    const struct field *f = by->classes ? by->classes : by->label;

    if (f)
        p->n_classes = f->n_classes;
    if ((by->kind == PREDICT_MASK || by->kind == PREDICT_CLASSES) && by->sample.rank) {
        const int channels = by->binary ? 2 : (int)shape_channels(&by->sample);
        p->n_classes = channels;
    }
    for (int i = 0; f && i < p->trained.n_classes; i++) {
        const struct feed_classes *c = &p->trained.classes[i];
        if (strcmp(c->field, f->name) != 0 || !c->names || c->n > p->n_classes)
            continue;
        p->class_name = pool_take(&p->pool, (size_t)(p->n_classes + 1) * sizeof *p->class_name);
        for (int k = 0; k < p->n_classes; k++)
            p->class_name[k] = k < c->n ? c->names[k] : pool_print(&p->pool, "%d", k);
    }
}

static const char *kind_text(const struct predict *p) {
    static const char *const texts[] = {[PREDICT_CLASSES] = "probabilities of classes",
                                        [PREDICT_MASK] = "a class for each pixel",
                                        [PREDICT_INDICES] = "numbers of classes",
                                        [PREDICT_IMAGE] = "pictures",
                                        [PREDICT_VALUES] = "values"};

    return texts[p->predictor.kind];
}

static int init_windows(struct predict *p, struct err *err) {
    const struct predict_args *a = &p->args;

    if (a->whole && a->overlap >= 0)
        return err_set(err, ERR_USAGE, "--whole and --window exclude each other");
    if ((a->whole || a->overlap >= 0) && p->predictor.label)
        return err_set(err, ERR_USAGE,
                       "%s reads %s, and is predicted for samples of the network's size only",
                       p->predictor.what, p->predictor.label->name);
    return a->overlap < 0 ? 0 : windows_init(&p->windows, &p->predictor, a->overlap, err);
}

/* --- all --- */

/* Everything before the first sample. Collective. */
static int prepare(struct predict *p, struct err *err) {
    struct comm *comm = p->args.job.comm;

    if (predict_inputs_init(&p->inputs, &p->args, err) || agree(comm, describe(p, err), err))
        return -1;
    int rc = plan(p, err) || load(p, err);
    if (agree(comm, rc, err) || same_weights(p, err))
        return -1;
    name_classes(p);
    rc = init_windows(p, err) || predict_out_find(p->out, p, err) || predict_source_open(p, err);
    if (agree(comm, rc, err))
        return -1;
    if (p->inputs.spec && facts_check_data(comm, &p->source.dataset, 1, err))
        return -1;
    sinks_note(p->sinks, "predicts %s: %s", p->predictor.what, kind_text(p));
    return predict_out_open(p->out, p, err);
}

static int predict(struct predict *p, struct err *err) {
    struct jobargs *a = &p->args.job;
    int rc = prepare(p, err);

    if (!rc) {
        team_pin(p->predictor.replica.team, a->places.core, a->places.n_cores);
        rc = predict_run(p, err);
    }
    predict_out_release(p->out);
    predict_source_close(&p->source);
    windows_release(&p->windows);
    predictor_release(&p->whole);
    predictor_release(&p->predictor);
    predict_inputs_release(&p->inputs);
    trained_release(&p->trained);
    pool_release(&p->pool);
    return rc;
}

/* Notes go beside the predictions, which may be on standard output. */
static void tell(struct sink *sink, const struct event *e) {
    (void)sink;
    if (e->kind == EVENT_NOTE || e->kind == EVENT_WARNING)
        fprintf(stderr, "%s%s\n", e->kind == EVENT_WARNING ? "warning: " : "", e->text);
}

static int run(int argc, char **argv, struct err *err) {
    static const struct sink_kind kind = {.take = tell};
    struct sink notes = {&kind};
    struct sink *const list[] = {&notes};
    struct predict_out out = {0};
    struct predict p = {.args = {.overlap = -1, .top = 5}, .out = &out};

    stop_catch_signals();
    signal(SIGPIPE, SIG_DFL); /* whoever reads predictions may have seen enough */
    int rc = jobargs_init_with(&p.args.job, argc, argv,
                               JOBARGS_WEIGHTS | JOBARGS_RESUME | JOBARGS_INPUTS, options, err);
    if (!rc) {
        const struct sinks sinks = {list, comm_rank(p.args.job.comm) == 0};
        p.sinks = &sinks;
        rc = predict(&p, err);
    }
    jobargs_release(&p.args.job, err);
    return rc;
}

const struct command command_predict = {
    .name = "predict",
    .summary = "what trained networks make of pictures, datasets or noise",
    .usage =
        "dltrain predict RUN|JOB.ini INPUT... [-o OUT] [OPTION]...\n"
        "\n"
        "  RUN                      a run's folder, of which best.h5 is taken, else last.h5, or "
        "one\n"
        "                           of its checkpoints: job, classes and preparation are in it\n"
        "  INPUT                    pictures, folders of them, `-`: a list of them on standard\n"
        "                           input; or FILE.h5:GROUP, a dataset\n"
        "  -o OUT                   FILE.jsonl, FILE.csv, FILE.h5, or a folder for masks and\n"
        "                           pictures; without it JSON, a line for each input, is printed\n"
        "  --top N                  classes to name, with their probabilities (5)\n"
        "  --output EXPRESSION      what to predict, in the language of jobs; without it what\n"
        "                           [validate] compares with labels or values, or [picture] shows\n"
        "  --tta flip|flips|rot90   the mean over mirrored (2; 4) or turned (4) copies of each\n"
        "  --window SHARE           larger pictures and volumes in windows that overlap so much\n"
        "  --whole                  pictures as they are, by networks that take any size\n"
        "  --fit crop|stretch       how pictures come to the size of the training data (crop)\n"
        "  --overlay                beside each mask the picture under it\n"
        "  --range LOW,HIGH         values of black and white of pictures\n"
        "  --count N, --seed S      N samples made of noise\n"
        "  --class NAME             of these samples; without it all classes in turn\n"
        "  --batch N                samples at a time, of all ranks together\n"
        "  --skip-broken            go on after pictures that cannot be read; their lines say why\n"
        "  --resume                 go on where an earlier call with the same OUT was ended\n"
        "  --weights FILE, --set NAME=VALUE  as for eval\n"
        "\n"
        "  dltrain predict runs/photos photo.jpg\n"
        "  mpirun -np 4 dltrain predict runs/photos new_photos/ -o predictions.csv\n"
        "  dltrain predict runs/cells scans/ --window 0.5 --tta flips -o masks --overlay\n"
        "  dltrain predict runs/dcgan_cifar10 --count 64 --seed 1 -o made\n"
        "  dltrain predict runs/photos data/photos.h5:test --output 'model(image).pool' -o "
        "features.h5\n",
    .run = run,
};
