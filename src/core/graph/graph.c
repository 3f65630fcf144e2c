#include "core/graph/graph.h"
#include "core/ops/parts/convert.h"

#include <string.h>

int graph_find(const struct graph *g, const char *name) {
    for (int i = 0; i < g->n_named; i++)
        if (!strcmp(g->named[i].name, name))
            return g->named[i].node;
    return -1;
}

static int append(struct graph *g, const struct node *node) {
    g->nodes = pool_grow(&g->model->pool, g->nodes, g->n_nodes, sizeof *g->nodes);
    g->nodes[g->n_nodes] = *node;
    g->model->n_nodes++;
    return g->n_nodes++;
}

int graph_input(struct graph *g, const struct field *field, const struct shape *shape,
                struct pos pos) {
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].field && !strcmp(g->nodes[i].field, field->name))
            return i;
    struct node node = {.field = field->name, .pos = pos};
    node.plan.y = *shape;
    node.plan.y_kind = field->kind;
    return append(g, &node);
}

int graph_number(struct graph *g, double number, struct pos pos) {
    struct node node = {.number = number, .pos = pos};

    node.plan.y = (struct shape){1, {1}};
    return append(g, &node);
}

static int check_size(const struct op *op, const char *what, const struct shape *s,
                      struct err *err) {
    char text[SHAPE_TEXT];

    if (shape_fits(s))
        return 0;
    return err_set(err, ERR_CONFIG, "%s: its %s would be %s", op->word.name, what,
                   shape_text(s, text));
}

int node_plan(const struct graph *g, struct node *node, int64_t batch, bool bias_auto,
              struct err *err) {
    struct shape x[OP_ANY_INPUTS];

    for (int i = 0; i < node->n_x; i++)
        x[i] = g->nodes[node->x[i]].plan.y;
    node->plan = (struct op_plan){.batch = batch, .bias_auto = bias_auto, .mode = g->mode};
    if (node->op->plan(node->args, x, node->n_x, &node->plan, err) ||
        check_size(node->op, "output", &node->plan.y, err))
        return -1;
    if (node->from_means && node->op->meaning.of_means)
        node->plan.y_kind = TENSOR_REALS;
    for (int i = 0; i < OP_MAX_WEIGHTS; i++)
        if (check_size(node->op, node->plan.w[i].name, &node->plan.w[i].shape, err))
            return -1;
    return 0;
}

static bool is_number(const struct node *node) {
    return !node->op && !node->field;
}

/* Class indices come from the dataset or from argmax: other numbers, as an image or label + 0.5,
 * would count or not by what they happen to be. */
static int refuse_numbers(const struct node *x, const struct op *op, struct pos pos,
                          struct err *err) {
    if (x->field)
        return pos_error(err, pos,
                         "%s: %s holds real numbers, expected class indices: store them as "
                         "integers, with the attribute kind = class where their shape does not "
                         "tell",
                         op->word.name, x->field);
    return pos_error(err, pos,
                     "%s: found numbers that are computed, expected class indices: labels of the "
                     "dataset, or argmax(...)",
                     op->word.name);
}

/* A class that is written as a number, or given by argmax, is one of those that the node takes. */
static int check_class(const struct graph *g, const struct node *node, struct err *err) {
    struct shape x[OP_ANY_INPUTS];
    int64_t limit;

    for (int i = 0; i < node->n_x; i++)
        x[i] = g->nodes[node->x[i]].plan.y;
    const int at = op_class_input(node->op, node->args, x, &limit);
    if (at < 0)
        return 0;
    const struct node *class = &g->nodes[node->x[at]];
    const int ignored = op_ignored(node->op, node->args);
    if (class->plan.n_classes - (ignored == limit) > limit)
        return pos_error(err, node->pos, "%s: %s gives %lld classes, but %lld are expected here",
                         node->op->word.name, class->op->word.name,
                         (long long)class->plan.n_classes, (long long)limit);
    if (is_number(class) && class->number != ignored &&
        !(class->number >= -1 && class->number < (double)limit &&
          class->number == (double)(int64_t) class->number))
        return pos_error(err, node->pos, "%s: found class %g, expected 0 to %lld",
                         node->op->word.name, class->number, (long long)limit - 1);
    return 0;
}

/* The node whose numbers are those of node x as that kind, or -1 with err. Means stay what they
 * are: where they may stand is for the plan to say. A number has one reader, and becomes what that
 * needs. */
static int input_as(struct graph *g, const struct op *op, int x, enum tensor_kind kind,
                    struct pos pos, struct err *err) {
    const enum tensor_kind has = g->nodes[x].plan.y_kind;

    if (has == kind || has == TENSOR_REALS || kind == TENSOR_REALS)
        return x;
    if (is_number(&g->nodes[x])) {
        g->nodes[x].plan.y_kind = kind;
        return x;
    }
    if (kind == TENSOR_INDICES)
        return refuse_numbers(&g->nodes[x], op, pos, err);
    for (int i = x + 1; i < g->n_nodes; i++)
        if (g->nodes[i].op == &op_acts_of_indices && g->nodes[i].x[0] == x)
            return i;
    return graph_apply(g, &op_acts_of_indices, NULL, &x, 1, pos, err);
}

/* The operator for these inputs: class indices, or shares of classes. */
static const struct op *for_inputs(const struct graph *g, const struct op *op, const int *x,
                                   int n_x) {
    const struct node *target = op->meaning.of_shares && n_x > 1 ? &g->nodes[x[1]] : NULL;

    return target && !is_number(target) && target->plan.y_kind == TENSOR_ACTS &&
                   target->plan.y.rank > 1 && target->plan.y.rank == g->nodes[x[0]].plan.y.rank
               ? op->meaning.of_shares
               : op;
}

/* What computes `word` from sums over samples, of which it says how they are made. */
static int apply_to_sums(struct graph *g, const struct op *word, const void *args, const int *x,
                         int n_x, struct pos pos, struct err *err) {
    const int sums = graph_apply(g, word->meaning.sums, args, x, n_x, pos, err);

    return sums < 0 ? -1 : graph_apply(g, word, args, &sums, 1, pos, err);
}

int graph_apply(struct graph *g, const struct op *word, const void *args, const int *x, int n_x,
                struct pos pos, struct err *err) {
    if (word->meaning.sums && n_x > 1)
        return apply_to_sums(g, word, args, x, n_x, pos, err);
    const struct op *op = for_inputs(g, word, x, n_x);
    struct node node = {.op = op, .args = args, .n_x = n_x, .pos = pos};
    struct err inner = {0};

    if (g->model->n_nodes >= GRAPH_MAX_NODES)
        return pos_error(err, pos,
                         "%s: more than %d operators and numbers in this job, expected less",
                         op->word.name, GRAPH_MAX_NODES);
    for (int i = 0; i < n_x; i++)
        if ((node.x[i] = input_as(g, op, x[i], op_x_kind(op, i), pos, err)) < 0)
            return -1;
    node.from_means = op->count != NULL;
    for (int i = 0; i < n_x; i++)
        node.from_means = node.from_means || g->nodes[x[i]].from_means;
    if (node_plan(g, &node, g->batch, true, &inner))
        return pos_error(err, pos, "%s", inner.msg);
    if (check_class(g, &node, err))
        return -1;
    for (int i = 0; i < n_x; i++)
        if (is_number(&g->nodes[x[i]]) && node.from_means && op->meaning.of_means)
            g->nodes[x[i]].plan.y_kind = TENSOR_REALS;
    return append(g, &node);
}

int graph_class_input(const struct graph *g, int node, int64_t *limit) {
    const struct node *n = &g->nodes[node];
    struct shape x[OP_ANY_INPUTS];

    *limit = 0;
    for (int i = 0; i < n->n_x; i++)
        x[i] = g->nodes[n->x[i]].plan.y;
    return n->op ? op_class_input(n->op, n->args, x, limit) : -1;
}

int graph_n_uses(const struct graph *g, int node) {
    int uses = 0;

    for (int i = node + 1; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i].n_x; k++)
            uses += g->nodes[i].x[k] == node;
    return uses;
}
