#include "train/weights.h"
#include "core/base/nearest.h"
#include "io/weights/tensor_file.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct weight_names {
    const char **name;
    int n;
};

/* One [weights] on its way into its net. */
struct transfer {
    const struct job_weights *w;
    struct net *net;
    struct tensor_file file;
    bool *used; /* [file.n] */
    int n_loaded;
    bool averaged; /* some of them are averages */
    int64_t n_numbers;
    struct weight_names skipped, absent, differ, left;
    int n_other; /* tensors of the file that are no floats */
    struct pool pool;
};

enum { LIST_LEN = 60 }; /* of names that are all listed */

static void add(struct transfer *t, struct weight_names *list, const char *name) {
    list->name = pool_grow(&t->pool, list->name, list->n, sizeof *list->name);
    list->name[list->n++] = name;
}

/* "fc.weight, fc.bias"; of a long list its beginning and how many there are beside. */
static const char *join(struct transfer *t, const struct weight_names *list) {
    size_t len = 0;
    int shown = 0;
    const char *text = "";

    for (int i = 0; i < list->n; i++)
        len += strlen(list->name[i]) + 2;
    for (; shown < list->n && (len <= LIST_LEN || shown < 3); shown++)
        text = pool_print(&t->pool, "%s%s%s", text, shown ? ", " : "", list->name[shown]);
    return shown == list->n ? text : pool_print(&t->pool, "%s and %d more", text, list->n - shown);
}

/* "FILE:LINE:COLUMN: " of the key that names the file; "" where the command line does. */
static const char *place(struct transfer *t) {
    if (!t->w->section)
        return "";
    const struct pos pos = section_find(t->w->section, "file")->pos;
    return pool_print(&t->pool, "%s:%d:%d: ", pos.file, pos.line, pos.column);
}

/* --- which net, which tensors --- */

static int find_net(struct job *job, struct replica *r, const struct job_weights *w,
                    struct net **out, struct err *err) {
    const struct graph_config config = {.model = &r->model,
                                        .source = &job->source,
                                        .model_entry = job->model,
                                        .fields = r->fields,
                                        .n_fields = r->n_fields};
    const char *names[64];
    struct net **nets;
    int n = 0;

    if (!strcmp(w->net, "model") && job->model) {
        if (graph_nets(&config, job->model, &nets, &n, err))
            return -1;
        *out = nets[0];
        return 0;
    }
    if ((*out = model_find(&r->model, w->net)))
        return 0;
    for (; n < r->model.n_nets && n < 64; n++)
        names[n] = r->model.nets[n]->name;
    const char *near = nearest(w->net, names, n);
    return pos_error(err, w->section->pos, "[weights %s]: there is no net %s that is used%s%s%s",
                     w->net, w->net, near ? "; did you mean '" : "", near ? near : "",
                     near ? "'?" : "");
}

/* From the net that `from` says, else the one of the same name, else the only one. */
static int select_net(struct transfer *t, struct err *err) {
    struct tensor_file *f = &t->file;
    const struct entry *from = t->w->from;
    struct err inner = {0};

    if (from) {
        if (tensor_file_select(f, from->value, &inner))
            return pos_error(err, from->pos, "from: %s", inner.msg);
        return 0;
    }
    if (f->ck && !tensor_file_has_net(f, t->net->name) && f->n_nets != 1)
        return err_set(err, ERR_CONFIG,
                       "%s%s holds no net %s; its nets are: %s; from = NET takes one of them",
                       place(t), f->path, t->net->name, tensor_file_nets(f));
    return tensor_file_select(f, tensor_file_has_net(f, t->net->name) ? t->net->name : NULL, err);
}

static int rename_all(struct transfer *t, struct renames *rules, struct err *err) {
    struct err inner = {0};

    if (!rules->n)
        return 0;
    if (tensor_file_rename(&t->file, rules, &inner))
        return pos_error(err, t->w->rename->pos, "rename: %s", inner.msg);
    const struct rename_rule *idle = rename_unused(rules);
    if (idle)
        return pos_error(err, t->w->rename->pos, "rename: '%s -> %s' renames nothing in %s",
                         idle->old, idle->new, t->file.path);
    return 0;
}

/* --- into the net --- */

/* Whatever comes of such a weight is no number either. */
static int check_numbers(struct transfer *t, const struct param *p, const real *numbers,
                         struct err *err) {
    for (int64_t i = 0; i < p->len; i++)
        if (!isfinite(numbers[i]))
            return err_set(err, ERR_DATA, "%s: %s holds %g, expected finite numbers", t->file.path,
                           p->name, (double)numbers[i]);
    return 0;
}

/* What keeps a tensor of the file from becoming this parameter, or NULL. */
static const char *obstacle(struct transfer *t, const struct param *p,
                            const struct tensor_item *item) {
    const struct shape expected = tensor_file_shape(&t->file, &p->shape, p->plain);
    char a[SHAPE_TEXT], b[SHAPE_TEXT];

    if (item->why)
        return pool_print(&t->pool, "%s %s, expected floats", p->name, item->why);
    if (t->file.ck && item->plain != p->plain)
        return pool_print(&t->pool, "%s is stored as a %s, expected a %s (convert --plain)",
                          p->name, item->plain ? "table" : "matrix", p->plain ? "table" : "matrix");
    if (!shape_equal(&item->shape, &expected))
        return pool_print(&t->pool, "%s is %s, expected %s", p->name, shape_text(&item->shape, a),
                          shape_text(&expected, b));
    return NULL;
}

static int load_params(struct transfer *t, struct renames *skips, const struct params *params,
                       real *span, struct err *err) {
    for (int i = 0; i < params->n; i++) {
        const struct param *p = &params->items[i];
        const struct tensor_item *item = tensor_file_find(&t->file, p->name);
        const char *why;
        if (rename_match(skips, p->name)) {
            add(t, &t->skipped, p->name);
        } else if (!item) {
            add(t, &t->absent, p->name);
        } else if ((why = obstacle(t, p, item))) {
            add(t, &t->differ, why);
        } else {
            if (tensor_file_read(&t->file, item, p->plain, span + p->offset, err) ||
                check_numbers(t, p, span + p->offset, err))
                return -1;
            t->n_loaded++;
            t->averaged = t->averaged || item->averaged;
            t->n_numbers += p->len;
        }
        if (item)
            t->used[item - t->file.item] = true;
    }
    return 0;
}

static void find_left(struct transfer *t) {
    for (int i = 0; i < t->file.n; i++)
        if (t->file.item[i].why)
            t->n_other++;
        else if (!t->used[i])
            add(t, &t->left, t->file.item[i].name);
}

/* --- what came of it --- */

static int check(struct transfer *t, const struct renames *skips, struct err *err) {
    const struct rename_rule *idle = rename_unused(skips);
    const char *net = t->net->name, *path = t->file.path;

    if (idle)
        return pos_error(err, t->w->skip->pos, "skip: net %s has no parameter '%s'", net,
                         idle->old);
    const bool said = t->w->section; /* in a job, which can say what to do about it */
    if (t->differ.n && !t->w->partial)
        return err_set(err, ERR_CONFIG, "%snet %s: in %s %s%s", place(t), net, path,
                       join(t, &t->differ), said ? "; skip = leaves them as initialised" : "");
    if (t->absent.n && !t->w->partial)
        return err_set(err, ERR_CONFIG, "%snet %s: %s has no %s%s%s%s", place(t), net, path,
                       join(t, &t->absent), t->left.n ? "; not used of it: " : "",
                       join(t, &t->left),
                       said ? "; rename =, skip = or partial = true may help"
                            : "; `dltrain convert --rename` gives them other names");
    if (!t->n_loaded)
        return err_set(err, ERR_CONFIG, "%snet %s: nothing in %s fits; it holds %s", place(t), net,
                       path, t->left.n ? join(t, &t->left) : "no tensors of other names");
    return 0;
}

static const char *listed(struct transfer *t, const struct weight_names *list, const char *what) {
    return list->n ? pool_print(&t->pool, ", %d %s (%s)", list->n, what, join(t, list)) : "";
}

static void say(struct transfer *t, const struct sinks *sinks) {
    const int n = t->net->weights.n + t->net->states.n;
    const char *numbers = t->n_numbers < 1000000
                              ? pool_print(&t->pool, "%" PRId64, t->n_numbers)
                              : pool_print(&t->pool, "%.1f M", (double)t->n_numbers / 1e6);
    const char *other =
        t->n_other ? pool_print(&t->pool, ", %d that are no floats", t->n_other) : "";

    sinks_note(sinks, "net %s: %d of %d tensors loaded from %s (%s numbers%s)%s%s%s%s%s",
               t->net->name, t->n_loaded, n, t->file.path, numbers, t->averaged ? ", averages" : "",
               listed(t, &t->skipped, "skipped"), listed(t, &t->absent, "not in the file"),
               listed(t, &t->differ, "of another shape"), listed(t, &t->left, "left in the file"),
               other);
}

/* All that was selected of the file. */
static int load_selected(struct transfer *t, struct job_weights *w, const struct sinks *sinks,
                         struct err *err) {
    t->used = pool_take(&t->pool, (size_t)(t->file.n + 1) * sizeof *t->used);
    if (load_params(t, &w->skips, &t->net->weights, t->net->w, err) ||
        load_params(t, &w->skips, &t->net->states, t->net->state, err))
        return -1;
    find_left(t);
    if (check(t, &w->skips, err))
        return -1;
    say(t, sinks);
    return 0;
}

static int load(struct transfer *t, struct job_weights *w, const struct sinks *sinks,
                struct err *err) {
    if (tensor_file_open(&t->file, w->file, TENSORS_VALIDATED, err))
        return err_wrap(err, "[weights %s]", w->net);
    if (select_net(t, err) || rename_all(t, &w->renames, err))
        return -1;
    if (t->file.st)
        tensor_file_from_torch(&t->file);
    return load_selected(t, w, sinks, err);
}

int weights_load(struct job *job, struct replica *r, const struct sinks *sinks, struct err *err) {
    const struct net *loaded[JOB_MAX_WEIGHTS];

    for (int i = 0; i < job->n_weights; i++) {
        struct job_weights *w = &job->weights[i];
        struct transfer t = {.w = w};
        if (find_net(job, r, w, &t.net, err))
            return -1;
        for (int k = 0; k < i; k++)
            if (loaded[k] == t.net)
                return pos_error(err, w->section->pos,
                                 "[weights %s]: net %s has its weights from [weights %s] already",
                                 w->net, t.net->name, job->weights[k].net);
        loaded[i] = t.net;
        const int rc = load(&t, w, sinks, err);
        tensor_file_release(&t.file);
        pool_release(&t.pool);
        if (rc)
            return -1;
    }
    return 0;
}

/* Of several nets the names in safetensors begin with "NET.", as convert writes them; of one they
 * may. */
static int load_net(struct transfer *t, struct job_weights *w, bool alone,
                    const struct sinks *sinks, struct err *err) {
    if (tensor_file_open(&t->file, w->file, TENSORS_VALIDATED, err))
        return -1;
    const bool prefixed =
        t->file.ck ? t->file.n_nets > 1 : !alone || tensor_file_all_begin(&t->file, w->net);
    if (tensor_file_select(&t->file, prefixed ? w->net : NULL, err))
        return -1;
    tensor_file_from_torch(&t->file);
    return load_selected(t, w, sinks, err);
}

int weights_load_file(const char *file, struct replica *r, const struct sinks *sinks,
                      struct err *err) {
    int rc = 0;

    for (int i = 0; i < r->model.n_nets && !rc; i++) {
        struct job_weights w = {.net = r->model.nets[i]->name, .file = file};
        struct transfer t = {.w = &w, .net = r->model.nets[i]};
        rc = load_net(&t, &w, r->model.n_nets == 1, sinks, err);
        tensor_file_release(&t.file);
        pool_release(&t.pool);
    }
    return rc;
}
