/* convert_onnx.c - a network of a run or of a job as an ONNX file. */
#include "cmd/convert.h"
#include "cmd/runjob.h"
#include "export/export.h"
#include "io/augment/augment.h"
#include "io/file/file.h"
#include "report/terminal.h"
#include "train/feed.h"
#include "train/meta.h"
#include "train/others.h"
#include "train/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Everything between the two files. */
struct onnx_conversion {
    struct conversion *c;
    struct job job;
    struct meta meta; /* json NULL: IN is a job */
    struct field field[LOADER_MAX_FIELDS];
    struct meta_field *known; /* [n_known] what a checkpoint says of them */
    int n_fields, n_known;
    struct replica replica; /* its networks alone */
    const struct graph *graph;
    const struct graph_use *use;
    const char *weights;            /* the file that they are from; NULL: as initialised */
    const struct meta_field *image; /* what the pipeline of the job is about */
    const float *mean, *std;        /* of `normalize`; NULL: there is none */
    bool normalizes;                /* the job does */
    struct export_text *texts;
    int n_texts;
};

/* --- the job and its data --- */

static void describe_by_meta(struct onnx_conversion *o) {
    o->n_known = meta_fields(&o->meta, &o->c->pool, &o->known);
    o->n_fields = o->n_known;
    for (int i = 0; i < o->n_known; i++)
        o->field[i] = (struct field){.name = o->known[i].name,
                                     .sample = o->known[i].sample,
                                     .kind = o->known[i].classes ? TENSOR_INDICES : TENSOR_ACTS,
                                     .n_classes = o->known[i].n_classes};
}

static int open_run(struct onnx_conversion *o, struct err *err) {
    const char *file;

    if (tensor_file_is_safetensors(o->c->in))
        return err_set(err, ERR_DATA,
                       "%s: is safetensors: weights alone, and no network; give its job: dltrain "
                       "convert JOB.ini %s --weights %s",
                       o->c->in, o->c->out, o->c->in);
    if (o->c->weights)
        return err_set(err, ERR_USAGE,
                       "convert: --weights is for JOB.ini; %s has weights of its own", o->c->in);
    if (runjob_file(&o->c->pool, o->c->in, &file, err) || tensor_file_check(file, err))
        return -1;
    if (meta_open(&o->meta, file, err)) {
        others_name(file, NULL, err);
        return -1;
    }
    if (job_read_text(&o->job, file, meta_job(&o->meta), NULL, 0, err))
        return -1;
    o->weights = file;
    describe_by_meta(o);
    return 0;
}

static int open_job(struct onnx_conversion *o, struct err *err) {
    struct loader_field fields[LOADER_MAX_FIELDS];

    if (job_read(&o->job, o->c->in, NULL, 0, err) ||
        feed_fields(&o->job, fields, &o->n_fields, err))
        return -1;
    feed_graph_fields(fields, o->n_fields, o->field);
    o->weights = o->c->weights;
    return 0;
}

/* --- which net --- */

static int build(struct onnx_conversion *o, const struct section *section, const char *const *plain,
                 struct err *err) {
    const struct graph_config config = {.model = &o->replica.model,
                                        .source = &o->job.source,
                                        .section = section,
                                        .plain = plain,
                                        .model_entry = o->job.model,
                                        .fields = o->field,
                                        .n_fields = o->n_fields,
                                        .batch = 1,
                                        .mode = &o->job.mode};
    const char *net = o->c->net;
    struct graph *g;

    if (graph_new(&g, &config, err))
        return -1;
    for (int i = 0; i < g->n_uses && !o->use; i++)
        if (!net || !strcmp(g->uses[i].net->name, net)) {
            o->graph = g;
            o->use = &g->uses[i];
        }
    return 0;
}

/* A network that nothing computes yet: the model, or the only [net], of the fields of its inputs'
 * names. */
static int build_alone(struct onnx_conversion *o, struct err *err) {
    const struct source *source = &o->job.source;
    struct pool *pool = &o->c->pool;
    const struct section *net = NULL;
    const char *call = "model(image)", *comma = "(";
    int n = 0;

    for (int i = 0; i < source->n_sections; i++)
        if (!strcmp(source->sections[i].kind, "net") && ++n)
            net = &source->sections[i];
    if (!o->job.model && n != 1)
        return 0;
    if (!o->job.model)
        call = net->name;
    for (int i = 0; !o->job.model && i < net->n_params; i++)
        if (!net->params[i].fallback) {
            call = pool_print(pool, "%s%s%s", call, comma, net->params[i].name);
            comma = ", ";
        }
    if (!o->job.model)
        call = pool_print(pool, "%s)", call);
    const struct pos pos = o->job.model ? o->job.model->pos : net->pos;
    struct entry *output = pool_take(pool, sizeof *output);
    struct section *section = pool_take(pool, sizeof *section);
    *output =
        (struct entry){.key = "output", .value = call, .raw = call, .key_pos = pos, .pos = pos};
    *section = (struct section){
        .kind = "network", .name = "", .entries = output, .n_entries = 1, .pos = pos};
    return build(o, section, NULL, err);
}

/* All that the job computes: a net is what its uses make of it. */
static int build_all(struct onnx_conversion *o, struct err *err) {
    const struct job *job = &o->job;

    for (int i = 0; i < job->n_steps; i++)
        if (build(o, job->step[i].section, job->step_keys, err))
            return -1;
    if (job->validate && build(o, job->validate, job->validate_keys, err))
        return -1;
    for (int i = 0; i < job->n_pictures; i++)
        if (build(o, job->picture[i].section, job->picture_keys, err))
            return -1;
    return job->n_steps || job->validate || job->n_pictures ? 0 : build_alone(o, err);
}

static const char *nets_text(const struct onnx_conversion *o) {
    const char *text = "";

    for (int i = 0; i < o->replica.model.n_nets; i++)
        text =
            pool_print(&o->c->pool, "%s%s%s", text, i ? ", " : "", o->replica.model.nets[i]->name);
    return text;
}

/* `model` is what [job] calls so. */
static int name_net(struct onnx_conversion *o, struct err *err) {
    const struct graph_config config = {.model = &o->replica.model,
                                        .source = &o->job.source,
                                        .model_entry = o->job.model,
                                        .fields = o->field,
                                        .n_fields = o->n_fields};
    struct net **nets;
    int n;

    if (!o->job.model || (o->c->net && strcmp(o->c->net, "model")))
        return 0;
    if (graph_nets(&config, o->job.model, &nets, &n, err))
        return -1;
    o->c->net = nets[0]->name;
    o->use = NULL;
    return build_all(o, err);
}

static int find_net(struct onnx_conversion *o, struct err *err) {
    if (build_all(o, err) || name_net(o, err))
        return -1;
    if (o->use && (o->c->net || o->replica.model.n_nets == 1))
        return 0;
    return err_set(err, ERR_USAGE,
                   "convert: found %s%s, expected --net NAME of one that %s uses: %s",
                   o->c->net ? "--net " : "several nets and no --net", o->c->net ? o->c->net : "",
                   o->c->in, nets_text(o));
}

/* --- what is done to the input before --- */

static const struct reals *numbers_of(const struct applied *word, const char *name) {
    const struct arg_spec *spec = word->word->args;

    while (strcmp(spec->name, name))
        spec++;
    return (const struct reals *)(const void *)((const char *)word->args + spec->offset);
}

/* Each channel's number: the job's, else those of the data; NULL where neither says any. */
static const float *channels_of(struct onnx_conversion *o, const struct reals *given,
                                const float *known, int64_t n) {
    float *v = pool_take(&o->c->pool, (size_t)(n + 1) * sizeof *v);

    if (given->n == 1 && isnan(given->v[0]))
        return known;
    for (int64_t i = 0; i < n && given->n; i++)
        v[i] = (float)given->v[given->n == 1 ? 0 : i];
    return v;
}

/* The input of the net that is the data's images, or NULL. */
static const char *image_input(const struct onnx_conversion *o) {
    const struct section *s = o->use->net->section;

    for (int i = 0; i < s->n_params; i++) {
        const struct value *v = &o->use->values[i];
        const bool tensor = v->kind == VALUE_TENSOR || v->kind == VALUE_USE;
        const char *field = tensor ? o->graph->nodes[v->index].field : NULL;
        if (field && !strcmp(field, "image"))
            return s->params[i].name;
    }
    return NULL;
}

static void find_normalisation(struct onnx_conversion *o) {
    const struct word *normalize = augment_find("normalize");
    int64_t channels = 0;

    for (int i = 0; i < o->n_fields; i++)
        if (!strcmp(o->field[i].name, "image"))
            channels = shape_channels(&o->field[i].sample);
    for (int i = 0; i < o->n_known; i++)
        if (!strcmp(o->known[i].name, "image"))
            o->image = &o->known[i];
    for (int i = 0; i < o->job.n_augment; i++) {
        const struct applied *word = &o->job.augment[i];
        if (word->word != normalize)
            continue;
        o->normalizes = true;
        o->mean =
            channels_of(o, numbers_of(word, "mean"), o->image ? o->image->mean : NULL, channels);
        o->std = channels_of(o, numbers_of(word, "std"), o->image ? o->image->std : NULL, channels);
    }
}

static int check_normalisation(const struct onnx_conversion *o, struct err *err) {
    if (!o->c->normalize || (o->mean && o->std && image_input(o)))
        return 0;
    if (!image_input(o) || !o->normalizes)
        return err_set(err, ERR_CONFIG, "convert: --with-normalize: %s",
                       !o->normalizes ? "the job has no normalize in [data] augment"
                                      : "the net reads no image of the data");
    return err_set(
        err, ERR_CONFIG,
        "convert: --with-normalize: normalize takes its numbers from the data, which a job "
        "does not hold; expected a run in its place, or normalize(mean=[...], std=[...])");
}

/* "[0.5, 0.5, 0.5]", which is JSON, too. */
static const char *list_text(struct onnx_conversion *o, const float *v, int64_t n) {
    const char *text = "[";

    for (int64_t i = 0; i < n; i++)
        text = pool_print(&o->c->pool, "%s%s%.9g", text, i ? ", " : "", (double)v[i]);
    return pool_print(&o->c->pool, "%s]", text);
}

static void add_text(struct onnx_conversion *o, const char *key, const char *text) {
    o->texts = pool_grow(&o->c->pool, o->texts, o->n_texts, sizeof *o->texts);
    o->texts[o->n_texts++] = (struct export_text){key, text};
}

/* What else the reader of the file must know: classes, the run, how images are prepared. */
static const char *describe(struct onnx_conversion *o) {
    const json_t *classes = meta_at(&o->meta, "classes");
    const char *image = image_input(o), *key;
    json_t *names;

    if (o->meta.json) {
        add_text(o, "run", meta_name(&o->meta));
        add_text(o, "epoch", pool_print(&o->c->pool, "%.6g", meta_epoch(&o->meta)));
    }
    json_object_foreach((json_t *)(uintptr_t)classes, key, names) {
        char *text = json_dumps(names, 0);
        if (text)
            add_text(o, pool_print(&o->c->pool, "classes.%s", key),
                     pool_copy(&o->c->pool, text, strlen(text)));
        free(text);
    }
    if (!image)
        return NULL;
    const char *scale = o->image && o->image->reals ? "numbers as the data has them"
                                                    : "pixels from 0 to 1 (bytes / 255)";
    if (!o->mean || !o->std)
        return pool_print(&o->c->pool, "%s: %s%s", image, scale,
                          o->normalizes ? ", normalised as the training data says" : "");
    const struct node *n = NULL;
    for (int i = 0; i < o->graph->n_nodes; i++)
        if (o->graph->nodes[i].field && !strcmp(o->graph->nodes[i].field, "image"))
            n = &o->graph->nodes[i];
    const int64_t channels = shape_channels(&n->plan.y);
    add_text(o, pool_print(&o->c->pool, "mean.%s", image), list_text(o, o->mean, channels));
    add_text(o, pool_print(&o->c->pool, "std.%s", image), list_text(o, o->std, channels));
    return pool_print(&o->c->pool, "%s: %s%s(x - mean) / std of each channel, mean %s, std %s%s",
                      image, scale, o->c->normalize ? "; the file computes " : ", then ",
                      list_text(o, o->mean, channels), list_text(o, o->std, channels),
                      o->c->normalize ? " itself" : "");
}

/* --- weights --- */

/* Of all networks of the job only those that the net is made of: a file need hold no others. */
static void keep_used_nets(struct onnx_conversion *o) {
    const struct graph *g = o->graph;
    const struct section *s = o->use->net->section;
    struct model *m = &o->replica.model;
    bool *live = pool_take(&o->c->pool, (size_t)(g->n_nodes + 1) * sizeof *live);
    bool *input = pool_take(&o->c->pool, (size_t)(g->n_nodes + 1) * sizeof *input);
    bool *used = pool_take(&o->c->pool, (size_t)(m->n_nets + 1) * sizeof *used);
    int n = 0;

    for (int i = 0; i < s->n_params; i++)
        if (o->use->values[i].kind == VALUE_TENSOR || o->use->values[i].kind == VALUE_USE)
            input[o->use->values[i].index] = true;
    live[o->use->output] = true;
    for (int i = o->use->output; i >= 0; i--) {
        for (int k = 0; live[i] && !input[i] && k < g->nodes[i].n_x; k++)
            live[g->nodes[i].x[k]] = true;
        if (live[i] && !input[i] && g->nodes[i].net)
            used[g->nodes[i].net->index] = true;
    }
    for (int i = 0; i < m->n_nets; i++)
        if (used[i])
            m->nets[n++] = m->nets[i];
    m->n_nets = n;
}

static int load(struct onnx_conversion *o, struct err *err) {
    struct terminal terminal;
    struct sink *const list[] = {&terminal.sink};
    const struct sinks sinks = {list, 1};

    terminal_init(&terminal);
    o->replica.fields = o->field;
    o->replica.n_fields = o->n_fields;
    for (int i = 0; i < o->replica.model.n_nets; i++) /* no gradients, no averages beside them */
        o->replica.model.nets[i]->trained = o->replica.model.nets[i]->averaged = false;
    if (o->weights)
        keep_used_nets(o);
    if (model_allocate(&o->replica.model, o->job.seed, err))
        return -1;
    if (o->weights)
        return weights_load_file(o->weights, &o->replica, &sinks, err);
    if (o->job.n_weights)
        return weights_load(&o->job, &o->replica, &sinks, err);
    sinks_warn(&sinks, "%s: the weights are those before training; --weights FILE brings others",
               o->c->in);
    return 0;
}

static int write(struct onnx_conversion *o, const char *doc, struct err *err) {
    const struct conversion *c = o->c;
    struct export_result result;
    const struct export_config config = {.graph = o->graph,
                                         .use = o->use,
                                         .opset = (int)c->opset,
                                         .batch = c->batch,
                                         .fold = c->fold,
                                         .normalised = c->normalize ? image_input(o) : NULL,
                                         .mean = o->mean,
                                         .std = o->std,
                                         .version = DLTRAIN_VERSION,
                                         .doc = doc,
                                         .texts = o->texts,
                                         .n_texts = o->n_texts};

    if (export_onnx(&config, &result, err))
        return -1;
    const int rc = file_replace(c->out, result.bytes, result.len, err);
    free(result.bytes);
    if (!rc)
        printf("%s: net %s, %d nodes, %d tensors, %.1f MiB, opset %" PRId64 "\n", c->out,
               o->use->net->name, result.n_nodes, result.n_weights, (double)result.len / (1 << 20),
               c->opset);
    return rc;
}

static int convert(struct onnx_conversion *o, struct err *err) {
    const bool is_run = runjob_is(o->c->in);

    if ((is_run ? open_run(o, err) : open_job(o, err)) || find_net(o, err))
        return -1;
    find_normalisation(o);
    if (check_normalisation(o, err))
        return -1;
    const char *doc = describe(o);
    return load(o, err) || write(o, doc, err) ? -1 : 0;
}

int convert_to_onnx(struct conversion *c, struct err *err) {
    struct onnx_conversion o = {.c = c};
    const int rc = convert(&o, err);

    model_release(&o.replica.model);
    job_release(&o.job);
    meta_release(&o.meta);
    return rc;
}
