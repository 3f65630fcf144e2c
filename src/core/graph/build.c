/* build.c - from a section to a graph: names, operators and arithmetic, as the evaluator's host. */
#include "core/graph/build.h"
#include "core/base/nearest.h"

#include <string.h>

static struct builder *builder(const struct evaluator *ev) {
    return ev->context;
}

int build_node(struct builder *b, const struct value *v, const char *whose, struct err *err) {
    if (v->kind == VALUE_TENSOR || v->kind == VALUE_USE)
        return v->index;
    if (v->kind == VALUE_NUMBER)
        return graph_number(b->graph, v->number, v->pos);
    return pos_error(err, v->pos, "%s: found %s, expected a tensor", whose,
                     value_kind_name(v->kind));
}

static struct value tensor_value(int node, struct pos pos) {
    return (struct value){.kind = VALUE_TENSOR, .pos = pos, .index = node};
}

static int field_value(struct builder *b, const struct expr *e, struct value *out) {
    for (int i = 0; i < b->config->n_fields; i++) {
        const struct field *f = &b->config->fields[i];
        struct shape shape = {f->sample.rank + 1, {b->config->batch}};

        if (strcmp(f->name, e->text))
            continue;
        memcpy(shape.dim + 1, f->sample.dim, (size_t)f->sample.rank * sizeof *shape.dim);
        *out = tensor_value(graph_input(b->graph, f, &shape, e->pos), e->pos);
        return 1;
    }
    return 0;
}

static int host_name(struct evaluator *ev, const struct expr *e, struct value *out,
                     struct err *err) {
    struct builder *b = builder(ev);

    const int known = names_find(&b->frame->known, "", e->text);
    if (known >= 0) {
        *out = b->frame->names[known].value;
        out->pos = e->pos;
        return 1;
    }
    if (!b->frame->net) { /* statements of a step may stand in any order */
        const int made = build_statement(b, e->text, out, err);
        if (made || field_value(b, e, out))
            return made < 0 ? -1 : 1;
    }
    const struct graph_word *word = build_word(b, e->text, WORD_NAME);
    if (word)
        return word->value(b, e, NULL, out, err) ? -1 : 1;
    const struct section *net = source_find(b->config->source, "net", e->text);
    if (!net)
        return 0;
    *out = build_net_value(b, net, e->pos);
    return 1;
}

/* Inputs come first: the piped value, then positional arguments up to the operator's limit. */
static int operator_inputs(struct builder *b, const struct op *op, const struct expr *e,
                           const struct value *piped, int x[OP_ANY_INPUTS], int *skip,
                           struct err *err) {
    int n = 0;

    if (piped && op->max_x > 0 && (x[n++] = build_node(b, piped, op->word.name, err)) < 0)
        return -1;
    for (*skip = 0; n < op->max_x && *skip < e->n_args && !e->args[*skip].name; (*skip)++) {
        struct value v;
        if (eval(&b->eval, e->args[*skip].value, &v, err))
            return -1;
        if ((x[n++] = build_node(b, &v, op->word.name, err)) < 0)
            return -1;
    }
    if (piped && op->max_x == 0)
        return pos_error(err, e->pos, "%s takes no input, found a value before the bar",
                         op->word.name);
    if (n < op->min_x)
        return pos_error(err, e->pos, "%s takes %d input%s, found %d", op->word.name, op->min_x,
                         op->min_x == 1 ? "" : "s", n);
    return n;
}

/* A new node stands where the text around it does. */
static struct node *stand(struct builder *b, int at) {
    struct node *node = &b->graph->nodes[at];

    node->use = b->frame->use;
    node->home = b->frame->net;
    node->inside = b->frame->part;
    return node;
}

static int apply_operator(struct builder *b, const struct op *op, const struct expr *e,
                          const struct value *piped, struct value *out, struct err *err) {
    int x[OP_ANY_INPUTS], skip;
    struct applied applied;

    const int n_x = operator_inputs(b, op, e, piped, x, &skip, err);
    if (n_x < 0 || eval_apply(&b->eval, e, skip, &op->word, &applied, err))
        return -1;
    const int at = graph_apply(b->graph, op, applied.args, x, n_x, e->pos, err);
    if (at < 0)
        return -1;
    struct node *node = stand(b, at);
    if (node->plan.w[0].shape.rank || node->plan.state[0].shape.rank) {
        if (!b->frame->net)
            return pos_error(err, e->pos, "%s has parameters: it stands in [net] and [block] only",
                             op->word.name);
        node->net = b->frame->net;
        if (!(node->part = build_part(b, op->word.name, e, piped, false, err)))
            return -1;
    }
    *out = tensor_value(at, e->pos);
    return 1;
}

static int call_value(struct builder *b, const struct value *f, const struct expr *e,
                      const struct value *piped, struct value *out, struct err *err) {
    if (f->kind == VALUE_NET)
        return build_net(b, f, e, piped, out, err) ? -1 : 1;
    if (f->kind == VALUE_BLOCK)
        return build_shared_use(b, f, e, piped, out, err) ? -1 : 1;
    const bool hides = source_find(b->config->source, "net", e->text);
    return pos_error(err, e->pos, "'%s' is %s and cannot be called%s%s%s", e->text,
                     value_kind_name(f->kind), hides ? "; [net " : "", hides ? e->text : "",
                     hides ? "] of the same name is hidden by it: rename the net" : "");
}

/* A call of an operator, a block, or a name that stands for a net or a shared block. */
static int call_other(struct builder *b, const struct expr *e, const struct value *piped,
                      struct value *out, struct err *err) {
    const struct op *op = op_find(e->text);
    struct value f;

    if (op)
        return apply_operator(b, op, e, piped, out, err);
    const struct section *block = source_find(b->config->source, "block", e->text);
    if (block)
        return build_block(b, block, e, piped, out, err) ? -1 : 1;
    const struct expr name = {.kind = EXPR_NAME, .pos = e->pos, .text = e->text};
    const int found = host_name(&b->eval, &name, &f, err);
    return found > 0 ? call_value(b, &f, e, piped, out, err) : found;
}

static int host_call(struct evaluator *ev, const struct expr *e, const struct value *piped,
                     struct value *out, struct err *err) {
    struct builder *b = builder(ev);

    const struct graph_word *word = build_word(b, e->text, piped ? WORD_PIPED : WORD_CALL);
    if (word)
        return word->value(b, e, piped, out, err) ? -1 : 1;
    const int found = call_other(b, e, piped, out, err);
    if (found > 0 && piped && piped->chain) {
        out->chain = piped->chain;
        out->stage = piped->stage + 1;
    }
    return found;
}

static int host_member(struct evaluator *ev, const struct expr *e, const struct value *left,
                       struct value *out, struct err *err) {
    const struct frame *use = left->object;
    const char *names[256];
    int n = 0;

    (void)ev;
    if (left->kind != VALUE_USE)
        return 0;
    const int known = names_find(&use->known, "", e->text);
    if (known >= 0) {
        *out = use->names[known].value;
        out->pos = e->pos;
        return 1;
    }
    for (; n < use->n_names && n < 256; n++)
        names[n] = use->names[n].name;
    const char *near = nearest(e->text, names, n);
    return pos_error(err, e->pos, "net %s has no statement '%s'%s%s%s", use->section->name, e->text,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int host_arithmetic(struct evaluator *ev, const struct expr *e, const struct value *l,
                           const struct value *r, struct value *out, struct err *err) {
    static const char *const words[] = {
        [OP_ADD] = "add", [OP_SUB] = "sub", [OP_MUL] = "mul", [OP_DIV] = "div"};
    struct builder *b = builder(ev);
    struct applied applied;

    if (e->op > OP_DIV)
        return 0;
    const struct op *op = op_find(words[e->op]);
    const int x[] = {build_node(b, l, op->word.name, err), build_node(b, r, op->word.name, err)};
    const struct expr call = {.kind = EXPR_CALL, .pos = e->pos, .text = op->word.name};
    if (x[0] < 0 || x[1] < 0 || eval_apply(ev, &call, 0, &op->word, &applied, err))
        return -1;
    const int at = graph_apply(b->graph, op, applied.args, x, 2, e->pos, err);
    if (at < 0)
        return -1;
    stand(b, at);
    *out = tensor_value(at, e->pos);
    return 1;
}

static int add_known(const char **names, int n, int max, const char *name) {
    if (n < max)
        names[n++] = name;
    return n;
}

static int host_known(const struct evaluator *ev, const char **names, int n, int max) {
    const struct builder *b = builder(ev);
    int n_ops;
    const struct op *const *ops = op_table(&n_ops);

    for (int i = 0; i < b->frame->n_names; i++)
        n = add_known(names, n, max, b->frame->names[i].name);
    for (int i = 0; !b->frame->net && i < b->config->n_fields; i++)
        n = add_known(names, n, max, b->config->fields[i].name);
    for (int i = 0; i < b->config->source->n_sections; i++) {
        const struct section *s = &b->config->source->sections[i];
        if (!strcmp(s->kind, "net") || !strcmp(s->kind, "block"))
            n = add_known(names, n, max, s->name);
    }
    for (int i = 0; i < n_ops; i++)
        n = add_known(names, n, max, ops[i]->word.name);
    for (int i = 0; op_alias_at(i); i++)
        n = add_known(names, n, max, op_alias_at(i)->name);
    for (int i = 0; graph_word_at(i); i++)
        n = add_known(names, n, max, graph_word_at(i)->name);
    return n;
}

/* Names in files and names of fields are not always the same. */
static const char *host_hint(const struct evaluator *ev) {
    const struct builder *b = builder(ev);

    return b->frame->net ? "" : build_fields_text(b->config);
}

static const struct eval_host host = {
    .name = host_name,
    .call = host_call,
    .member = host_member,
    .arithmetic = host_arithmetic,
    .known = host_known,
    .hint = host_hint,
    .what = "operator, block, net or value",
};

/* A statement's tensor, or all of a list. */
static void name_node(struct graph *g, const char *name, const struct value *v) {
    for (int i = 0; v->kind == VALUE_LIST && i < v->n_items; i++)
        name_node(g, name, &v->items[i]);
    if (v->kind != VALUE_TENSOR && v->kind != VALUE_USE)
        return;
    g->named = pool_grow(&g->model->pool, g->named, g->n_named, sizeof *g->named);
    g->named[g->n_named++] = (struct named_node){name, v->index, v->pos};
}

int graph_new(struct graph **out, const struct graph_config *config, struct err *err) {
    struct pool *pool = &config->model->pool;
    struct graph *g = pool_take(pool, sizeof *g);
    struct frame top = {.section = config->section, .plain = config->plain};
    struct builder b = {.config = config, .graph = g, .frame = &top};
    struct value last;

    b.eval =
        (struct evaluator){.source = config->source, .pool = pool, .host = &host, .context = &b};
    *g = (struct graph){.model = config->model, .batch = config->batch, .mode = config->mode};
    g->name = config->section->name[0]
                  ? pool_print(pool, "%s %s", config->section->kind, config->section->name)
                  : config->section->kind;
    if (build_statements(&b, &last, err))
        return -1;
    for (int i = 0; i < config->section->n_entries; i++) { /* in the order of the text */
        const int known = names_find(&top.known, "", config->section->entries[i].key);
        if (known >= 0)
            name_node(g, top.names[known].name, &top.names[known].value);
    }
    *out = g;
    return 0;
}

int graph_nets(const struct graph_config *config, const struct entry *entry, struct net ***out,
               int *n, struct err *err) {
    struct frame top = {.section = config->section};
    struct graph none = {.model = config->model, .batch = config->batch};
    struct builder b = {.config = config, .graph = &none, .frame = &top};
    struct value list;

    b.eval = (struct evaluator){
        .source = config->source, .pool = &config->model->pool, .host = &host, .context = &b};
    if (eval_entry(&b.eval, entry, &list, err))
        return -1;
    const struct value *items = list.kind == VALUE_LIST ? list.items : &list;
    *n = list.kind == VALUE_LIST ? list.n_items : 1;
    *out = pool_take(&config->model->pool, (size_t)(*n + 1) * sizeof **out);
    for (int i = 0; i < *n; i++) {
        if (items[i].kind != VALUE_NET)
            return pos_error(err, items[i].pos, "%s: found %s, expected the name of a net",
                             entry->key, value_kind_name(items[i].kind));
        const char *name = build_net_name(&items[i]);
        if (!((*out)[i] = model_find(config->model, name)))
            return pos_error(err, items[i].pos, "%s: net %s is not used", entry->key, name);
        for (int k = 0; k < i; k++)
            if ((*out)[k] == (*out)[i])
                return pos_error(err, items[i].pos, "%s: net %s is named twice", entry->key, name);
    }
    return 0;
}
