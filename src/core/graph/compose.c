/* compose.c - nets and blocks. */
#include "core/graph/build.h"
#include "core/base/nearest.h"

#include <stdio.h>
#include <string.h>

/* What the use of a net or block costs besides its statements. */
enum { BODY_WORK = 50 };

/* A net with what is bound of its parameters. */
struct net_use {
    const struct section *section;
    struct value *bound; /* [n_params], kind 0 where not bound */
};

static void frame_set(struct builder *b, const char *name, const struct value *v) {
    struct frame *f = b->frame;

    f->names = pool_grow(&b->config->model->pool, f->names, f->n_names, sizeof *f->names);
    names_set(&f->known, &b->config->model->pool, "", name, f->n_names);
    f->names[f->n_names] = (struct named_value){name, *v};
    f->names[f->n_names++].value.chain = NULL; /* a numbered chain ends with its statement */
}

static bool in_list(const char *const *list, const char *word) {
    for (; list && *list; list++)
        if (!strcmp(*list, word))
            return true;
    return false;
}

static int run_statement(struct builder *b, int i, struct value *out, struct err *err) {
    struct frame *f = b->frame;
    const struct entry *entry = &f->section->entries[i];
    const char *outer = f->statement;

    f->progress[i] = BUILD_RUNS;
    f->statement = entry->key;
    if (eval_entry(&b->eval, entry, out, err) || build_name_parts(b, entry, err))
        return -1;
    f->statement = outer;
    f->progress[i] = BUILD_DONE;
    frame_set(b, entry->key, out);
    return 0;
}

int build_statement(struct builder *b, const char *key, struct value *out, struct err *err) {
    const struct frame *f = b->frame;

    const struct entry *entry = f->progress ? section_find(f->section, key) : NULL;

    if (!entry || in_list(f->plain, key))
        return 0;
    const int i = (int)(entry - f->section->entries);
    if (f->progress[i] != BUILD_WAITS)
        return 0;
    return run_statement(b, i, out, err) ? -1 : 1;
}

int build_statements(struct builder *b, struct value *last, struct err *err) {
    struct frame *f = b->frame;
    const int n = f->section->n_entries;

    *last = (struct value){0};
    f->progress = pool_take(&b->config->model->pool, (size_t)(n + 1) * sizeof *f->progress);
    for (int i = 0; i < n; i++)
        if (f->progress[i] == BUILD_WAITS && !in_list(f->plain, f->section->entries[i].key) &&
            run_statement(b, i, last, err))
            return -1;
    return 0;
}

static bool has_params(const struct frame *f) {
    for (int i = 0; i < f->n_parts; i++)
        if (f->parts[i]->has_params)
            return true;
    return false;
}

static int param_index(const struct section *s, const char *name) {
    for (int i = 0; i < s->n_params; i++)
        if (!strcmp(s->params[i].name, name))
            return i;
    return -1;
}

static int unknown_param(const struct section *s, const struct expr_arg *arg, struct err *err) {
    const char *names[64];
    int n = 0;

    for (; n < s->n_params && n < 64; n++)
        names[n] = s->params[n].name;
    const char *near = nearest(arg->name, names, n);
    return pos_error(err, arg->pos, "%s has no parameter '%s'%s%s%s", s->name, arg->name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* The values of a call's arguments; with `name=` left out, as kind 0. */
static struct value *argument_values(struct builder *b, const struct expr *e, int skip,
                                     struct err *err) {
    struct value *v = pool_take(&b->config->model->pool, (size_t)(e->n_args + 1) * sizeof *v);

    for (int i = skip; i < e->n_args; i++)
        if (!(e->args[i].name && !strcmp(e->args[i].name, "name")) &&
            (eval(&b->eval, e->args[i].value, &v[i], err) || build_auto(b, &v[i], err)))
            return NULL;
    return v;
}

/* Give a call's arguments to a section's parameters, over those already in values[]: the piped one
 * first, then positional ones in order, skipping what is taken, then named ones.
 *   given  [n_args] their values */
static int place_values(const struct section *s, const struct expr *e, int skip,
                        const struct value *given, const struct value *piped, struct value *values,
                        struct err *err) {
    int place = 0;

    if (piped && s->n_params) {
        while (place < s->n_params && values[place].kind)
            place++;
        if (place < s->n_params)
            values[place] = *piped;
    }
    for (int i = skip; i < e->n_args; i++) {
        const struct expr_arg *arg = &e->args[i];
        if (arg->name && !strcmp(arg->name, "name"))
            continue;
        while (!arg->name && place < s->n_params && values[place].kind)
            place++;
        const int at = arg->name ? param_index(s, arg->name) : place;
        if (at < 0)
            return unknown_param(s, arg, err);
        if (at >= s->n_params)
            return pos_error(err, arg->pos, "%s takes %d parameters, found more", s->name,
                             s->n_params);
        if (values[at].kind)
            return pos_error(err, arg->pos, "%s: %s is given twice", s->name, arg->name);
        values[at] = given[i];
    }
    return 0;
}

static int call_values(struct builder *b, const struct section *s, const struct expr *e,
                       const struct value *piped, struct value *values, struct err *err) {
    const struct value *given = argument_values(b, e, 0, err);

    return given ? place_values(s, e, 0, given, piped, values, err) : -1;
}

/* Make values[] the first names of the frame at hand; defaults may use the ones before them. */
static int frame_params(struct builder *b, const struct value *values, struct pos pos,
                        struct err *err) {
    const struct section *s = b->frame->section;

    for (int i = 0; i < s->n_params; i++) {
        struct value v = values[i];
        if (!v.kind && !s->params[i].fallback)
            return pos_error(err, pos, "%s: %s is missing", s->name, s->params[i].name);
        if (!v.kind && (eval(&b->eval, s->params[i].fallback, &v, err) || build_auto(b, &v, err)))
            return -1;
        frame_set(b, s->params[i].name, &v);
    }
    return 0;
}

static struct value *no_values(struct builder *b, const struct section *s) {
    return pool_take(&b->config->model->pool, (size_t)(s->n_params + 1) * sizeof(struct value));
}

/* The mistake may be in the call: a net of another file says what calls it. */
static void add_call(const struct section *s, struct pos call, struct err *err) {
    const size_t used = strlen(err->msg);

    if (strcmp(s->pos.file, call.file) != 0)
        snprintf(err->msg + used, sizeof err->msg - used, "; [%s %s] is used at %s:%d:%d", s->kind,
                 s->name, call.file, call.line, call.column);
}

static int too_deep(const struct frame *f, struct pos pos, struct err *err) {
    const struct frame *same = f->outer;

    while (same && same->section != f->section)
        same = same->outer;
    return pos_error(err, pos, "%s %s more than %d deep, expected less", f->section->name,
                     same ? "is used inside itself" : "stands in blocks inside each other",
                     BUILD_MAX_DEPTH);
}

/* Evaluate a section's statements in a frame of its own, which outlives the call. */
static int run_body(struct builder *b, const struct section *s, struct net *net, struct part *part,
                    const struct value *values, struct pos pos, struct value *out,
                    struct err *err) {
    struct frame *outer = b->frame, *f = pool_take(&b->config->model->pool, sizeof *f);
    struct value last;

    *f = (struct frame){.outer = outer,
                        .section = s,
                        .net = net,
                        .part = part,
                        .depth = outer->depth + 1,
                        .use = part ? outer->use : ++b->n_uses};
    if (f->depth > BUILD_MAX_DEPTH)
        return too_deep(f, pos, err);
    if (source_spend(b->config->source, BODY_WORK, pos, err))
        return -1;
    if (!s->n_entries)
        return pos_error(err, s->pos, "[%s %s] has no statements", s->kind, s->name);
    b->frame = f;
    int rc = frame_params(b, values, pos, err);
    if (!rc && (rc = build_statements(b, &last, err)))
        add_call(s, pos, err);
    if (!rc && last.kind != VALUE_TENSOR && last.kind != VALUE_USE)
        rc = pos_error(err, s->entries[s->n_entries - 1].pos,
                       "%s: its last statement is %s, expected a tensor", s->name,
                       value_kind_name(last.kind));
    if (!rc && part && has_params(f))
        part->has_params = true;
    b->frame = outer;
    if (!rc)
        *out = (struct value){.kind = VALUE_USE, .pos = pos, .index = last.index, .object = f};
    return rc;
}

static int need_net(struct builder *b, const struct section *s, struct pos pos, struct err *err) {
    if (b->frame->net)
        return 0;
    return pos_error(err, pos, "block %s stands in [net] and [block] only", s->name);
}

int build_block(struct builder *b, const struct section *section, const struct expr *e,
                const struct value *piped, struct value *out, struct err *err) {
    struct value *values = no_values(b, section);

    if (need_net(b, section, e->pos, err) || call_values(b, section, e, piped, values, err))
        return -1;
    struct part *part = build_part(b, section->name, e, piped, true, err);
    if (!part || run_body(b, section, b->frame->net, part, values, e->pos, out, err))
        return -1;
    out->kind = VALUE_TENSOR; /* only a net's statements can be reached from outside */
    return 0;
}

/* One instance of a block: its part is the same in all uses, and so are its parameters. */
struct shared_block {
    const struct section *section;
    struct part *part;
    const struct expr *e;      /* share(block, ...) */
    const struct value *given; /* its arguments' values */
};

int build_share(struct builder *b, const struct expr *e, const struct value *piped,
                struct value *out, struct err *err) {
    struct shared_block *shared = pool_take(&b->config->model->pool, sizeof *shared);

    (void)piped;
    if (!e->n_args || e->args[0].name || e->args[0].value->kind != EXPR_NAME)
        return pos_error(err, e->pos, "share takes the name of a block first");
    const struct expr *name = e->args[0].value;
    shared->section = source_find(b->config->source, "block", name->text);
    if (!shared->section)
        return pos_error(err, name->pos, "share: '%s' is no block", name->text);
    if (need_net(b, shared->section, e->pos, err))
        return -1;
    if (!(shared->part = build_part(b, shared->section->name, e, NULL, true, err)))
        return -1;
    shared->part->has_params = true; /* known only after its first use; it takes a name anyway */
    shared->e = e;
    if (!(shared->given = argument_values(b, e, 1, err)))
        return -1;
    *out = (struct value){.kind = VALUE_BLOCK, .pos = e->pos, .object = shared};
    return 0;
}

int build_shared_use(struct builder *b, const struct value *block, const struct expr *e,
                     const struct value *piped, struct value *out, struct err *err) {
    const struct shared_block *shared = block->object;
    const struct section *s = shared->section;
    struct value *values = no_values(b, s);

    /* The use gives the inputs, share(...) gave the rest. */
    if (call_values(b, s, e, piped, values, err) ||
        place_values(s, shared->e, 1, shared->given, NULL, values, err) ||
        run_body(b, s, b->frame->net, shared->part, values, e->pos, out, err))
        return -1;
    out->kind = VALUE_TENSOR;
    return 0;
}

struct value build_net_value(struct builder *b, const struct section *section, struct pos pos) {
    struct net_use *use = pool_take(&b->config->model->pool, sizeof *use);

    *use = (struct net_use){section, no_values(b, section)};
    return (struct value){.kind = VALUE_NET, .pos = pos, .object = use};
}

static bool is_tensor(const struct value *v) {
    return v->kind == VALUE_TENSOR || v->kind == VALUE_USE;
}

const char *build_net_name(const struct value *net) {
    return ((const struct net_use *)net->object)->section->name;
}

/* Without any tensor a call of a net binds its parameters, unless nothing is left to be given. */
static bool only_binds(const struct section *s, const struct value *values) {
    bool missing = false;

    for (int i = 0; i < s->n_params; i++) {
        if (is_tensor(&values[i]))
            return false;
        missing = missing || (!values[i].kind && !s->params[i].fallback);
    }
    return missing;
}

/* Do both make the same net? Tensors differ at each use. */
static bool same_value(const struct value *a, const struct value *b) {
    if (is_tensor(a) && is_tensor(b))
        return true;
    if (a->kind != b->kind || (a->kind == VALUE_NUMBER && a->number != b->number) ||
        (a->kind == VALUE_STRING && strcmp(a->text, b->text)) || a->n_items != b->n_items)
        return false;
    for (int i = 0; i < a->n_items; i++)
        if (!same_value(&a->items[i], &b->items[i]))
            return false;
    return true;
}

/* A net has one set of parameters, so what it is made with is the same in all uses. */
static int check_bound(const struct net *net, const struct section *section,
                       const struct value *values, struct pos pos, struct err *err) {
    if (net->section != section && strcmp(net->section->entries->value, section->entries->value))
        return pos_error(err, pos,
                         "found another arch(...) than before; write them as two [net] instead");
    for (int i = 0; i < section->n_params; i++)
        if (!same_value(&net->bound[i], &values[i]))
            return pos_error(err, pos,
                             "net %s is used with another %s than before; a net has one "
                             "set of parameters, a block has new ones at each use",
                             net->name, section->params[i].name);
    return 0;
}

/* Does every reader of node i, all in the same use of the net, cancel a constant, so that a bias
 * would be idle? */
static bool bias_is_idle(const struct graph *g, int node) {
    int uses = 0;

    for (int i = node + 1; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i].n_x; k++)
            if (g->nodes[i].x[k] == node) {
                if (!g->nodes[i].op->meaning.cancels_bias || k ||
                    g->nodes[i].use != g->nodes[node].use)
                    return false;
                uses++;
            }
    return uses > 0;
}

/* Find or add the parameters of the nodes of one use of the net, now that all names are known.
 *   first  node of that use */
static int settle_params(struct builder *b, struct net *net, int use, int first, struct err *err) {
    struct graph *g = b->graph;
    struct pool *pool = &b->config->model->pool;
    struct err inner = {0};

    for (int i = first; i < g->n_nodes; i++) {
        struct node *node = &g->nodes[i];
        if (node->use != use || !node->part)
            continue;
        if (bias_is_idle(g, i) && node_plan(g, node, g->batch, false, &inner))
            return pos_error(err, node->pos, "%s", inner.msg);
        for (int k = 0; k < OP_MAX_WEIGHTS && node->plan.w[k].shape.rank; k++)
            if (params_find_or_add(&net->weights, pool,
                                   part_path(pool, node->part, node->plan.w[k].name),
                                   &node->plan.w[k], &node->w[k], &inner))
                return pos_error(err, node->pos, "net %s: %s", net->name, inner.msg);
        for (int k = 0; k < OP_MAX_STATES && node->plan.state[k].shape.rank; k++)
            if (params_find_or_add(&net->states, pool,
                                   part_path(pool, node->part, node->plan.state[k].name),
                                   &node->plan.state[k], &node->state[k], &inner))
                return pos_error(err, node->pos, "net %s: %s", net->name, inner.msg);
    }
    return 0;
}

static void add_use(struct graph *g, const struct net *net, const struct value *values,
                    int output) {
    g->uses = pool_grow(&g->model->pool, g->uses, g->n_uses, sizeof *g->uses);
    g->uses[g->n_uses++] = (struct graph_use){net, values, output};
}

int build_net(struct builder *b, const struct value *value, const struct expr *e,
              const struct value *piped, struct value *out, struct err *err) {
    const struct net_use *use = value->object;
    const struct section *s = use->section;
    struct value *values = no_values(b, s);
    const int first = b->graph->n_nodes;

    memcpy(values, use->bound, (size_t)s->n_params * sizeof *values);
    if (call_values(b, s, e, piped, values, err))
        return -1;
    if (only_binds(s, values)) {
        struct net_use *bound = pool_take(&b->config->model->pool, sizeof *bound);
        *bound = (struct net_use){s, values};
        *out = (struct value){.kind = VALUE_NET, .pos = e->pos, .object = bound};
        return 0;
    }
    struct net *net = model_find(b->config->model, s->name);
    if (net && check_bound(net, s, values, e->pos, err))
        return -1;
    if (!net) {
        net = model_add(b->config->model, s->name, s);
        net->bound = values;
    }
    const int number = b->n_uses + 1; /* that run_body gives it */
    if (run_body(b, s, net, NULL, values, e->pos, out, err))
        return -1;
    add_use(b->graph, net, values, out->index);
    return settle_params(b, net, number, first, err);
}
