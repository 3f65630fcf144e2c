#include "cmd/command.h"
#include "cmd/eval.h"
#include "cmd/eval_classes.h"
#include "cmd/options.h"
#include "dist/agree.h"
#include "io/file/file.h"
#include "io/weights/tensor_file.h"
#include "report/result.h"
#include "report/table.h"
#include "report/terminal.h"
#include "train/alike.h"
#include "train/evaluate.h"
#include "train/facts.h"
#include "train/guesses.h"
#include "train/host_data.h"
#include "train/not_finite.h"
#include "train/save.h"
#include "train/trained.h"
#include "train/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*   trained  filled: what the weights were trained on */
static int look(const struct jobargs *a, struct trained *trained, struct err *err) {
    const struct job *job = &a->job;

    if (a->weights && trained_read(trained, a->weights, err))
        return -1;
    if (!a->weights && !job->n_weights)
        return err_set(
            err, ERR_USAGE,
            "found no --weights FILE, expected one, [weights] in the job, or a run in its "
            "place: dltrain eval runs/NAME");
    if (!job->validate)
        return err_set(err, ERR_CONFIG, "%s: there is no [validate]", job->path);
    if (!job->validate_data)
        return err_set(err, ERR_CONFIG, "%s: [data] has no key validate", job->path);
    return 0;
}

static int init_feed(const struct jobargs *a, struct dataset *dataset,
                     const struct trained *trained, struct feed *feed, const struct sinks *sinks,
                     struct err *err) {
    const struct job *job = &a->job;
    const struct feed_config config = {.job = job,
                                       .spec = job->validate_data,
                                       .dataset = dataset,
                                       .batch = job->validate_batch,
                                       .training = false,
                                       .rank = comm_rank(a->comm),
                                       .size = comm_size(a->comm),
                                       .classes = trained->classes,
                                       .n_classes = trained->n_classes,
                                       .classes_of = a->weights,
                                       .sinks = sinks};

    if (feed_init(feed, &config, err))
        return -1;
    trained_warn_of_normalisation(trained, job, feed, sinks);
    return 0;
}

/* Collective. */
static int open_validation(const struct jobargs *a, struct host_data *data, struct trained *trained,
                           struct feed *feed, const struct sinks *sinks, struct err *err) {
    struct dataset *dataset;

    host_data_init(data, a->comm, a->job.cache_bytes, sinks);
    if (agree(a->comm, look(a, trained, err), err) ||
        host_data_open(data, a->job.validate_data, &dataset, err))
        return -1;
    host_data_opened(data);
    return agree(a->comm, init_feed(a, dataset, trained, feed, sinks, err), err);
}

static int load(struct eval_args *e, struct replica *r, const struct feed *feed,
                const struct sinks *sinks, struct err *err) {
    struct jobargs *a = &e->a;
    struct field fields[LOADER_MAX_FIELDS];
    const struct replica_config config = {
        .job = &a->job,
        .fields = fields,
        .n_fields = feed_open_fields(feed, fields),
        .batch = 1,
        .validate_batch = feed_max_shard(feed),
        .per_class = e->per_class || e->json,
        .threads = a->threads,
        .data_name = dataset_name(feed->dataset),
    };

    if (replica_init(r, &config, err) || replica_allocate(r, &config, err))
        return -1;
    if (e->per_class && r->per_class < 0)
        return pos_error(err, a->job.validate->pos,
                         "--per-class: [validate] has no loss or metric of logits and labels");
    if (!a->weights)
        return weights_load(&a->job, r, sinks, err);
    return tensor_file_is_safetensors(a->weights) ? weights_load_file(a->weights, r, sinks, err)
                                                  : save_load_nets(a->weights, r, err);
}

/* Every rank has read the file of its own host. */
static int same_weights(struct replica *r, struct comm *comm, struct err *err) {
    struct alike alike;

    alike_init(&alike, r, comm);
    return alike_check(&alike, err) ? err_wrap(err, "weights as they were read") : 0;
}

static const char *class_name(const void *context, int64_t i) {
    const struct eval_classes *c = context;

    return dataset_class_name(c->dataset, c->field, (int)i);
}

static void print_tables(const struct replica *r, const struct dataset *dataset) {
    struct tensor table;
    const char *name;

    for (int i = 0; evaluate_table(r, i, &name, &table); i++) {
        const int node = graph_find(r->validate, name);
        const struct eval_classes classes = {
            .dataset = dataset, .field = eval_classes_field(r->validate, node, dataset)};
        const bool told = classes.field >= 0;
        const struct table_labels labels = {told ? class_name : NULL, &classes,
                                            told ? dataset_field_classes(dataset, classes.field)
                                                 : 0};
        table_print(stdout, name, &table, run_tally(r->validate_plan, node), &labels);
    }
}

static void print_measures(const struct replica *r) {
    printf("result:");
    result_values(stdout, r);
    result_errors(stdout, r);
    printf("\n");
}

/* Which weights they are, where the command line names a run. */
static void say_run(const struct jobargs *a, const struct trained *t, const struct sinks *sinks) {
    if (a->run && t->meta.json)
        sinks_note(sinks, "%s: weights of %s after epoch %.4g", a->weights, meta_name(&t->meta),
                   meta_epoch(&t->meta));
}

/* What is printed and written of an evaluation, on rank 0. */
static int report(const struct eval_args *e, const struct replica *r, const struct feed *feed,
                  const struct trained *trained, const struct worst *worst, struct err *err) {
    struct eval_classes classes;
    int rc = eval_classes_init(&classes, r, feed->dataset, err);

    if (!rc) {
        print_tables(r, feed->dataset);
        if (e->per_class)
            eval_classes_print(&classes, stdout);
        print_measures(r);
    }
    if (!rc && e->json)
        rc = eval_json(e, r, feed, trained, &classes, err);
    if (!rc && e->worst)
        rc = eval_worst(e, feed, trained, worst, err);
    eval_classes_release(&classes);
    return rc;
}

/* The network is there, and the same on all ranks. Collective. */
static int compute(struct eval_args *e, struct replica *r, struct feed *feed,
                   const struct trained *trained, const struct sinks *sinks, struct err *err) {
    struct worst worst = {.leaf = -1};
    int rc = agree(e->a.comm, worst_init(&worst, r, e->worst, err), err);

    if (!rc && e->worst && worst.leaf < 0)
        rc = pos_error(err, e->a.job.validate->pos, "--worst: [validate] has no loss");
    if (!rc && e->out)
        rc = agree(e->a.comm, comm_rank(e->a.comm) ? 0 : file_make_folders(e->out, err), err);
    if (!rc) {
        team_pin(r->team, e->a.places.core, e->a.places.n_cores);
        rc = evaluate_worst(r, feed, e->a.comm, &worst, err);
    }
    if (!rc) {
        say_run(&e->a, trained, sinks);
        not_finite_warn(r, feed, e->a.comm, "", sinks);
        rc = agree(e->a.comm, comm_rank(e->a.comm) ? 0 : report(e, r, feed, trained, &worst, err),
                   err);
    }
    worst_release(&worst);
    return rc;
}

static int measure(struct eval_args *e, const struct sinks *sinks, struct err *err) {
    struct jobargs *a = &e->a;
    struct trained trained = {0};
    struct replica replica = {0};
    struct feed feed = {0};
    struct host_data data = {0};
    int rc = open_validation(a, &data, &trained, &feed, sinks, err);

    if (!rc)
        rc = facts_check_data(a->comm, &feed.dataset, 1, err);
    if (!rc)
        guesses_tell(feed.dataset, NULL, sinks);
    if (!rc)
        rc = agree(a->comm, load(e, &replica, &feed, sinks, err), err) ||
             same_weights(&replica, a->comm, err);
    if (!rc)
        rc = compute(e, &replica, &feed, &trained, sinks, err);
    replica_release(&replica);
    feed_release(&feed);
    host_data_release(&data);
    trained_release(&trained);
    return rc;
}

#define AT(member) offsetof(struct eval_args, member)

static const struct option_spec own[] = {
    {"per-class", OPTION_FLAG, .offset = AT(per_class)},
    {"json", OPTION_TEXT, .offset = AT(json)},
    {"worst", OPTION_WHOLE, .offset = AT(worst), .min = 1, .max = WORST_MOST},
    {"o", OPTION_TEXT, .offset = AT(out)},
    {0},
};

/* What a run writes before anything else. */
static bool run_is_in(const char *folder) {
    char *path = file_text("%s/job.ini", folder);
    const bool is = path && !access(path, F_OK);

    free(path);
    return is;
}

/* What can be said before anything is read. */
static int check(const struct eval_args *e, struct err *err) {
    if (!e->worst != !e->out)
        return err_set(err, ERR_USAGE,
                       "found %s, expected --worst N -o FOLDER: the samples with the largest loss "
                       "are written there",
                       e->out ? "-o without --worst" : "--worst without -o");
    if (comm_rank(e->a.comm))
        return 0;
    if (e->out && run_is_in(e->out))
        return err_set(err, ERR_USAGE,
                       "-o: %s is the folder of a run, whose worst.json it would replace; give "
                       "another name",
                       e->out);
    const char *const inputs[] = {e->a.job.path, e->a.weights};
    return e->json && (file_check_target(e->json, inputs, e->a.weights ? 2 : 1, err) ||
                       file_make_folder_of(e->json, err))
               ? -1
               : 0;
}

static int run(int argc, char **argv, struct err *err) {
    struct terminal terminal;
    struct sink *const list[] = {&terminal.sink};
    struct eval_args e = {0};
    int rc = jobargs_init_with(&e.a, argc, argv, JOBARGS_WEIGHTS | JOBARGS_EMULATE, own, err);

    terminal_init(&terminal);
    if (!rc)
        rc = agree(e.a.comm, check(&e, err), err);
    if (!rc) {
        const struct sinks sinks = {list, comm_rank(e.a.comm) == 0};
        rc = measure(&e, &sinks, err);
    }
    jobargs_release(&e.a, err);
    return rc;
}

const struct command command_eval = {
    .name = "eval",
    .summary = "measure saved weights on the validation data of a run or a job",
    .usage =
        "dltrain eval JOB.ini|RUN [--weights FILE] [OPTION]...\n"
        "\n"
        "  RUN                      a run's folder, of which best.h5 is taken, else last.h5, or "
        "one\n"
        "                           of its checkpoints: the job is in it\n"
        "  --weights FILE           a checkpoint or safetensors; without it, those of RUN, or "
        "what\n"
        "                           the [weights] sections of JOB.ini name\n"
        "  --per-class              of each class: labels, precision, recall, F1; and what is\n"
        "                           confused most often\n"
        "  --json FILE              all of it: measures, their errors, tables, classes\n"
        "  --worst N -o FOLDER      the N samples with the largest loss: FOLDER/worst.json, with\n"
        "                           pictures\n"
        "  --emulate-ranks N        as for train\n"
        "  --set NAME=VALUE         as for train: data.validate=FILE.h5:GROUP measures other data\n"
        "\n"
        "  dltrain eval runs/quickstart\n"
        "  dltrain eval runs/quickstart --per-class --worst 50 -o wrong\n"
        "  dltrain eval runs/quickstart/last.h5 --set data.validate=other.h5:test\n"
        "  mpirun -np 4 dltrain eval jobs/cifar10_resnet20.ini --weights resnet20.safetensors\n",
    .run = run,
};
