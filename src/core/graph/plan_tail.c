#include "core/graph/plan_parts.h"

/* Leaves are means over samples; the tail is what is computed from them. */
void plan_mark_tail(struct planner *pl) {
    struct plan *p = pl->p;

    p->leaves = pool_take(&pl->g->model->pool, (size_t)(pl->g->n_nodes + 1) * sizeof *p->leaves);
    p->leaf_at = pool_take(&pl->g->model->pool, (size_t)(pl->g->n_nodes + 1) * sizeof *p->leaf_at);
    p->terms = pool_take(&pl->g->model->pool, (size_t)(pl->g->n_nodes + 1) * sizeof *p->terms);
    p->counts = pool_take(&pl->g->model->pool, (size_t)(pl->g->n_nodes + 1) * sizeof *p->counts);
    p->marks = pool_take(&pl->g->model->pool, (size_t)(pl->g->n_nodes + 1) * sizeof *p->marks);
    for (int i = 0; i < pl->g->n_nodes; i++) {
        const struct node *node = &pl->g->nodes[i];
        if (!p->nodes[i].live)
            continue;
        for (int k = 0; k < node->n_x; k++)
            if (p->nodes[node->x[k]].tail || plan_is_mean(pl->g, node->x[k]))
                p->nodes[i].tail = true;
        if (!plan_is_mean(pl->g, i))
            continue;
        p->leaves[p->n_leaves++] = i;
        p->leaf_at[p->n_leaves] = p->leaf_at[p->n_leaves - 1] + shape_len(&node->plan.y);
    }
}

static bool is_number(const struct graph *g, int node) {
    return !g->nodes[node].op && !g->nodes[node].field;
}

/* A sum of losses, or one loss times or over a number. */
static bool is_linear(const struct graph *g, const struct node *node) {
    switch (node->op->meaning.arithmetic) {
    case OP_SUM:
    case OP_DIFFERENCE:
        return true;
    case OP_PRODUCT:
        return is_number(g, node->x[0]) != is_number(g, node->x[1]);
    case OP_QUOTIENT:
        return is_number(g, node->x[1]);
    default:
        return false;
    }
}

/* The slope of such a node along its input k. */
static double slope_along(const struct graph *g, const struct node *node, int k) {
    switch (node->op->meaning.arithmetic) {
    case OP_DIFFERENCE:
        return k ? -1 : 1;
    case OP_PRODUCT:
        return g->nodes[node->x[!k]].number;
    case OP_QUOTIENT:
        return 1 / g->nodes[node->x[1]].number;
    default:
        return 1;
    }
}

/* What the ranks compute are shares of a loss only where it is a weighted sum of means. */
static int check_loss_is_linear(const struct planner *pl, struct err *err) {
    for (int i = 0; i <= pl->p->loss; i++) {
        const struct node *node = &pl->g->nodes[i];

        if (pl->p->nodes[i].tail && pl->p->nodes[i].backward && !is_linear(pl->g, node))
            return pos_error(err, node->pos,
                             "%s of losses: a loss is a weighted sum of losses, "
                             "as in cross_entropy(a, label) + 0.3 * mse(b, image)",
                             node->op->word.name);
    }
    return 0;
}

int plan_find_coefficients(struct planner *pl, struct err *err) {
    struct plan *p = pl->p;
    double *slope = pool_take(&pl->g->model->pool, (size_t)(pl->g->n_nodes + 1) * sizeof *slope);

    if (check_loss_is_linear(pl, err))
        return -1;
    slope[p->loss] = 1;
    for (int i = p->loss; i >= 0; i--) {
        const struct node *node = &pl->g->nodes[i];
        if (!p->nodes[i].tail || !p->nodes[i].backward)
            continue;
        for (int k = 0; k < node->n_x; k++)
            slope[node->x[k]] += slope[i] * slope_along(pl->g, node, k);
        p->nodes[i].backward = false;
    }
    p->coefficients =
        pool_take(&pl->g->model->pool, (size_t)(p->n_leaves + 1) * sizeof *p->coefficients);
    for (int i = 0; i < p->n_leaves; i++)
        p->coefficients[i] = slope[p->leaves[i]];
    return 0;
}

/* The tail is computed from sums over all ranks, when tensors are long gone. */
static int check_tail(const struct planner *pl, int i, struct err *err) {
    const struct node *node = &pl->g->nodes[i];

    if (!pl->p->nodes[i].live || !pl->p->nodes[i].tail)
        return 0;
    if (!node->op->meaning.of_means && !node->op->meaning.means_x)
        return pos_error(err, node->pos,
                         "%s of a loss or metric, expected arithmetic, sqrt, square, abs, exp, log "
                         "or detach",
                         node->op->word.name);
    for (int k = 0; k < node->n_x; k++) {
        const struct node *x = &pl->g->nodes[node->x[k]];
        if ((x->op || x->field) && !pl->p->nodes[node->x[k]].tail &&
            !plan_is_mean(pl->g, node->x[k]))
            return pos_error(err, node->pos,
                             "%s of a loss or metric and a tensor, expected losses, metrics and "
                             "numbers only",
                             node->op->word.name);
    }
    return 0;
}

/* A metric of metrics reads no tensors. */
static int check_means(const struct planner *pl, int i, struct err *err) {
    const struct node *node = &pl->g->nodes[i];

    for (int k = 0; pl->p->nodes[i].live && node->op && k < node->n_x; k++)
        if (node->op->meaning.means_x >> k & 1 &&
            pl->g->nodes[node->x[k]].plan.y_kind != TENSOR_REALS)
            return pos_error(err, node->pos, "%s of a tensor, expected that of a metric",
                             node->op->word.name);
    return 0;
}

/* Before anything is computed? */
static bool is_countable(const struct graph *g, const struct node *leaf) {
    for (int k = 0; k < leaf->n_x; k++)
        if (leaf->op->meaning.counts_x >> k & 1 && g->nodes[leaf->x[k]].op)
            return false;
    return true;
}

int plan_check_outputs(const struct planner *pl, const struct plan_config *config,
                       struct err *err) {
    for (int i = 0; i < pl->g->n_nodes; i++)
        if (check_means(pl, i, err))
            return -1;
    for (int i = 0; i < config->n_outputs && !config->tensors; i++) {
        const int node = config->outputs[i];
        if (!pl->p->nodes[node].tail && !plan_is_mean(pl->g, node))
            return pos_error(err, pl->g->nodes[node].pos,
                             "found a tensor, expected a loss or a metric");
    }
    for (int i = 0; i < pl->p->n_leaves; i++) {
        const struct node *leaf = &pl->g->nodes[pl->p->leaves[i]];
        if (pl->p->nodes[pl->p->leaves[i]].tail)
            return pos_error(err, leaf->pos, "%s of a loss or metric", leaf->op->word.name);
        if (config->in_parts && !is_countable(pl->g, leaf))
            return pos_error(err, leaf->pos,
                             "%s: its labels are computed, and a batch in several parts "
                             "(accumulate, or shards of one rank) needs to know beforehand how "
                             "many count",
                             leaf->op->word.name);
    }
    for (int i = 0; i < pl->g->n_nodes; i++)
        if (check_tail(pl, i, err))
            return -1;
    return 0;
}
