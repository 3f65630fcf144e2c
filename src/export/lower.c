#include "export/lower.h"

#include <string.h>

static const struct lower_op *const tables[] = {lower_ops_window, lower_ops_norm, lower_ops_math,
                                                lower_ops_shape};

const struct lower_op *lower_at(int i) {
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const struct lower_op *op = tables[t]; op->word; op++)
            if (!i--)
                return op;
    return NULL;
}

const struct lower_op *lower_find(const char *word) {
    const struct lower_op *op = NULL;

    for (int i = 0; (op = lower_at(i)) && strcmp(op->word, word); i++)
        ;
    return op;
}

const char *lower_x(const struct lowering *l, int node, int k) {
    return l->value[lower_node(l, node)->x[k]];
}

const struct shape *lower_shape(const struct lowering *l, int node, int k) {
    return &lower_node(l, lower_node(l, node)->x[k])->plan.y;
}

/* The tables name arguments that their operators have. */
static const void *argument(const struct lowering *l, int node, const char *name) {
    const struct node *n = lower_node(l, node);
    const struct arg_spec *spec = n->op->word.args;

    while (strcmp(spec->name, name))
        spec++;
    return (const char *)n->args + spec->offset;
}

int lower_int(const struct lowering *l, int node, const char *name) {
    return *(const int *)argument(l, node, name);
}

double lower_real(const struct lowering *l, int node, const char *name) {
    return *(const double *)argument(l, node, name);
}

const struct ints *lower_ints(const struct lowering *l, int node, const char *name) {
    return argument(l, node, name);
}

const float *lower_weights(const struct lowering *l, int node, int k) {
    const struct node *n = lower_node(l, node);

    return n->net->w + n->net->weights.items[n->w[k]].offset;
}

const float *lower_states(const struct lowering *l, int node, int k) {
    const struct node *n = lower_node(l, node);

    return n->net->state + n->net->states.items[n->state[k]].offset;
}

const char *lower_name(struct lowering *l, int node, const struct op_param *param) {
    const struct node *n = lower_node(l, node);
    const char *name = part_path(l->out.pool, n->part, param->name);

    return n->net == l->net ? name : pool_print(l->out.pool, "%s.%s", n->net->name, name);
}

/* [c] or [c, 1 ...] of a vector, made once. */
static const char *vector(struct lowering *l, const char *name, const struct shape *own, int rank,
                          const float *data) {
    struct shape shape = {rank > 2 ? rank - 1 : 1, {own->dim[0]}};

    for (int i = 1; i < shape.rank; i++)
        shape.dim[i] = 1;
    return onnx_has_weight(&l->out, name) ? name : onnx_weight(&l->out, name, &shape, data);
}

const char *lower_vector(struct lowering *l, int node, int k, int rank) {
    const struct op_param *p = &lower_node(l, node)->plan.w[k];

    return vector(l, lower_name(l, node, p), &p->shape, rank, lower_weights(l, node, k));
}

const char *lower_state(struct lowering *l, int node, int k) {
    const struct op_param *p = &lower_node(l, node)->plan.state[k];

    return vector(l, lower_name(l, node, p), &p->shape, 1, lower_states(l, node, k));
}

int lower_folded(const struct lowering *l, int node) {
    int reader = -1;

    for (int i = node + 1; l->fold && i < l->graph->n_nodes; i++)
        for (int k = 0; l->live[i] && k < lower_node(l, i)->n_x; k++)
            if (lower_node(l, i)->x[k] == node) {
                if (reader >= 0)
                    return -1;
                reader = i;
            }
    return reader >= 0 && lower_node(l, reader)->op->fusion.role == FUSION_NORM ? reader : -1;
}

int lower_dims(const struct shape *ours, int64_t dim[SHAPE_MAX_RANK]) {
    dim[0] = 0;
    for (int i = 1; i < ours->rank; i++)
        dim[i] = ours->dim[i == 1 ? ours->rank - 1 : i - 1];
    return ours->rank;
}

const char *lower_channels_last(struct lowering *l, const char *x, int rank) {
    int64_t perm[SHAPE_MAX_RANK] = {0};

    for (int i = 1; i < rank; i++)
        perm[i] = i < rank - 1 ? i + 1 : 1;
    return rank > 2 ? onnx_transpose(&l->out, x, perm, rank) : x;
}

const char *lower_channels_second(struct lowering *l, const char *x, int rank) {
    int64_t perm[SHAPE_MAX_RANK] = {0};

    for (int i = 1; i < rank; i++)
        perm[i] = i == 1 ? rank - 1 : i - 1;
    return rank > 2 ? onnx_transpose(&l->out, x, perm, rank) : x;
}

/* What a node's values are named after: its parameters, or its operator, where it stands. */
static const char *base_name(struct lowering *l, const struct node *n) {
    const char *word = n->op ? n->op->word.name : "number";

    if (n->part)
        return part_path(l->out.pool, n->part, "");
    return n->inside ? part_path(l->out.pool, n->inside, word) : word;
}

static int lower_node_at(struct lowering *l, int i, struct err *err) {
    const struct node *n = lower_node(l, i);
    const struct lower_op *op = n->op ? lower_find(n->op->word.name) : NULL;
    struct err inner = {0};

    l->out.base = base_name(l, n);
    if (!n->op && !n->field) {
        const int64_t number = (int64_t)n->number;
        l->value[i] = n->plan.y_kind == TENSOR_INDICES ? onnx_int64s(&l->out, &number, 1)
                                                       : onnx_scalar(&l->out, n->number);
        return 0;
    }
    if (!n->op)
        return pos_error(err, n->pos, "the net reads the field %s of the data, which is no input",
                         n->field);
    if (!op)
        return pos_error(err, n->pos, "%s: ONNX has no operators for it", n->op->word.name);
    if (!(l->value[i] = op->lower(l, i, &inner)))
        return pos_error(err, n->pos, "%s", inner.msg);
    return 0;
}

int lower_graph(struct lowering *l, int output, struct err *err) {
    l->live = pool_take(l->out.pool, (size_t)(l->graph->n_nodes + 1) * sizeof *l->live);
    l->live[output] = true;
    for (int i = output; i >= 0; i--)
        for (int k = 0; l->live[i] && !l->value[i] && k < lower_node(l, i)->n_x; k++)
            l->live[lower_node(l, i)->x[k]] = true;
    for (int i = 0; i <= output; i++)
        if (l->live[i] && !l->value[i] && lower_node_at(l, i, err))
            return -1;
    return 0;
}
