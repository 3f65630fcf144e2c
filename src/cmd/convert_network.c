/* convert_network.c - the network that a run or a job is about, and its weights. */
#include "cmd/convert_network.h"
#include "cmd/runjob.h"
#include "report/terminal.h"
#include "train/others.h"
#include "train/weights.h"

#include <string.h>

/* --- the job and its data --- */

static void describe_by_meta(struct convert_network *o) {
    o->n_known = meta_fields(&o->meta, &o->c->pool, &o->known);
    o->n_fields = o->n_known;
    for (int i = 0; i < o->n_known; i++)
        o->field[i] = (struct field){.name = o->known[i].name,
                                     .sample = o->known[i].sample,
                                     .kind = o->known[i].classes ? TENSOR_INDICES : TENSOR_ACTS,
                                     .n_classes = o->known[i].n_classes};
}

static int open_run(struct convert_network *o, struct err *err) {
    const char *file;

    if (tensor_file_is_safetensors(o->in))
        return err_set(err, ERR_DATA,
                       "%s: is safetensors: weights alone, and no network; give its job: dltrain "
                       "convert JOB.ini %s --weights %s",
                       o->in, o->c->out, o->in);
    if (o->c->weights)
        return err_set(err, ERR_USAGE,
                       "convert: --weights is for JOB.ini; %s has weights of its own", o->in);
    if (runjob_file(&o->c->pool, o->in, &file, err) || tensor_file_check(file, err))
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

static int open_job(struct convert_network *o, struct err *err) {
    struct loader_field fields[LOADER_MAX_FIELDS];

    if (job_read(&o->job, o->in, NULL, 0, err) || feed_fields(&o->job, fields, &o->n_fields, err))
        return -1;
    feed_graph_fields(fields, o->n_fields, o->field);
    o->weights = o->c->weights;
    return 0;
}

/* --- which net --- */

static int build(struct convert_network *o, const struct section *section, const char *const *plain,
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
static int build_alone(struct convert_network *o, struct err *err) {
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
static int build_all(struct convert_network *o, struct err *err) {
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

static const char *nets_text(const struct convert_network *o) {
    const char *text = "";

    for (int i = 0; i < o->replica.model.n_nets; i++)
        text =
            pool_print(&o->c->pool, "%s%s%s", text, i ? ", " : "", o->replica.model.nets[i]->name);
    return text;
}

/* `model` is what [job] calls so. */
static int name_net(struct convert_network *o, struct err *err) {
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

static int find_net(struct convert_network *o, struct err *err) {
    if (build_all(o, err) || name_net(o, err))
        return -1;
    if (o->use && (o->c->net || o->replica.model.n_nets == 1))
        return 0;
    return err_set(err, ERR_USAGE,
                   "convert: found %s%s, expected --net NAME of one that %s uses: %s",
                   o->c->net ? "--net " : "several nets and no --net", o->c->net ? o->c->net : "",
                   o->in, nets_text(o));
}

/* --- weights --- */

/* Of all networks of the job only those that the net is made of: a file need hold no others. */
static void keep_used_nets(struct convert_network *o) {
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

int convert_network_load(struct convert_network *o, struct err *err) {
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
               o->in);
    return 0;
}

int convert_network_open(struct convert_network *o, struct conversion *c, const char *in,
                         struct err *err) {
    o->c = c;
    o->in = in;
    return (runjob_is(in) ? open_run(o, err) : open_job(o, err)) || find_net(o, err) ? -1 : 0;
}

void convert_network_release(struct convert_network *o) {
    model_release(&o->replica.model);
    job_release(&o->job);
    meta_release(&o->meta);
}
