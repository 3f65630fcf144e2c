#include "core/graph/fuse.h"
#include "core/ops/fused/fused.h"

/* What is known of each node. */
struct use {
    bool live, kept;
    int n, reader; /* live uses; the last of their nodes */
};

struct fuser {
    struct graph *g;
    struct use *uses;
    bool training;
};

/* Nodes of one chain; -1: none. */
struct chain {
    int product, norm, add, then;
    int other; /* what is added */
    int last;
};

static enum fusion_role role_of(const struct node *node) {
    return node->op ? node->op->fusion.role : FUSION_NONE;
}

static void find_uses(struct fuser *f, const int *keep, int n_keep) {
    const struct graph *g = f->g;

    for (int i = 0; i < n_keep; i++)
        f->uses[keep[i]].live = f->uses[keep[i]].kept = true;
    for (int i = g->n_nodes - 1; i >= 0; i--)
        for (int k = 0; f->uses[i].live && k < g->nodes[i].n_x; k++) {
            struct use *x = &f->uses[g->nodes[i].x[k]];

            if (!x->n++)
                x->reader = i;
            x->live = true;
        }
}

/* A product whose weights are those of the text; spectral ones have a state. */
static bool is_product(const struct node *node) {
    return role_of(node) == FUSION_PRODUCT && !node->plan.state[0].shape.rank;
}

/* The only node that reads i's value, or -1. */
static int only_reader(const struct fuser *f, int i) {
    const struct use *use = &f->uses[i];

    return use->n == 1 && !use->kept ? use->reader : -1;
}

/* Two nodes whose weights can be one node's. */
static bool go_together(const struct node *a, const struct node *b) {
    return a->net == b->net && a->frozen == b->frozen;
}

/* Does another use of the same bn move its running statistics between `norm` and `last`? Then bn
 * stays before it. */
static bool statistics_move(const struct fuser *f, int norm, int last) {
    const struct node *bn = &f->g->nodes[norm];

    for (int i = norm + 1; i < last; i++) {
        const struct node *node = &f->g->nodes[i];

        if (f->uses[i].live && node->op && node->net == bn->net && node->plan.state[0].shape.rank &&
            node->state[0] == bn->state[0])
            return true;
    }
    return false;
}

static void take_norm(const struct fuser *f, struct chain *c) {
    const int next = only_reader(f, c->last);

    if (next >= 0 && role_of(&f->g->nodes[next]) == FUSION_NORM &&
        go_together(&f->g->nodes[c->last], &f->g->nodes[next]))
        c->norm = c->last = next;
}

static void take_add(const struct fuser *f, struct chain *c) {
    const int next = only_reader(f, c->last);
    const struct node *add = next < 0 ? NULL : &f->g->nodes[next];

    if (!add || role_of(add) != FUSION_ADD || statistics_move(f, c->norm, next))
        return;
    const int other = add->x[add->x[0] == c->last];
    if (!shape_equal(&f->g->nodes[other].plan.y, &f->g->nodes[c->last].plan.y))
        return;
    c->other = other;
    c->add = c->last = next;
}

static void take_then(const struct fuser *f, struct chain *c) {
    const int next = only_reader(f, c->last);

    if (next >= 0 && role_of(&f->g->nodes[next]) == FUSION_ACTIVATION &&
        (c->norm < 0 || !statistics_move(f, c->norm, next)))
        c->then = c->last = next;
}

/* The longest chain that begins with node i; false where that is i alone. */
static bool chain_from(const struct fuser *f, int i, struct chain *c) {
    const struct node *node = &f->g->nodes[i];

    *c = (struct chain){-1, -1, -1, -1, -1, i};
    if (is_product(node)) {
        c->product = i;
        take_norm(f, c);
    } else if (role_of(node) == FUSION_NORM) {
        c->norm = i;
    } else {
        return false;
    }
    if (c->norm >= 0)
        take_add(f, c);
    take_then(f, c);
    return c->last != i;
}

static const struct op *op_of(const struct chain *c, bool fixed) {
    const bool add = c->add >= 0;

    if (c->product < 0)
        return add ? &op_norm_add_act : &op_norm_act;
    if (c->norm < 0)
        return &op_conv_act;
    if (fixed)
        return add ? &op_conv_fixed_add_act : &op_conv_fixed_act;
    return add ? &op_conv_norm_add_act : &op_conv_norm_act;
}

static const struct fused *args_of(const struct fuser *f, const struct chain *c) {
    struct fused *args = pool_take(&f->g->model->pool, sizeof *args);

    *args = (struct fused){.groups = 1};
    if (c->product >= 0) {
        const struct node *product = &f->g->nodes[c->product];

        args->product = product->op;
        args->product_args = product->args;
        args->n_weights = shape_len(&product->plan.w[0].shape);
        args->bias = product->plan.w[1].shape.rank > 0;
        args->transposed = product->op->fusion.transposed;
        if (product->op->fusion.groups)
            args->groups = product->op->fusion.groups(product->args);
    }
    if (c->norm >= 0)
        args->bn = f->g->nodes[c->norm].args;
    if (c->then >= 0) {
        const struct node *then = &f->g->nodes[c->then];

        args->then = then->op->fusion.then(then->args);
    }
    return args;
}

/* The node that stands for the chain. Its weights are those of its parts, in their order. */
static struct node node_of(const struct fuser *f, const struct chain *c) {
    const struct node *norm = c->norm < 0 ? NULL : &f->g->nodes[c->norm];
    struct node node = f->g->nodes[c->product < 0 ? c->norm : c->product];
    const struct fused *args = args_of(f, c);

    node.op = op_of(c, !f->training || node.frozen);
    node.args = args;
    if (norm)
        node.pos = norm->pos; /* what its statistics lack is said of it */
    if (c->add >= 0)
        node.x[node.n_x++] = c->other;
    for (int k = 0; norm && k < 2; k++) {
        node.w[fused_norm_weight(args) + k] = norm->w[k];
        node.state[k] = norm->state[k];
    }
    return node;
}

static bool fuse(struct fuser *f, const struct chain *c) {
    const int parts[] = {c->product, c->norm, c->add, c->then};
    struct node node = node_of(f, c);
    struct err err = {0};

    if (node_plan(f->g, &node, f->g->batch, node.plan.bias_auto, &err))
        return false;
    for (int i = 0; i < 4; i++)
        if (parts[i] >= 0) {
            f->g->nodes[parts[i]] = (struct node){.pos = f->g->nodes[parts[i]].pos};
            f->g->nodes[parts[i]].plan.y = (struct shape){1, {1}};
        }
    f->g->nodes[c->last] = node;
    return true;
}

int graph_fuse(struct graph *g, const int *keep, int n_keep, bool training) {
    struct fuser f = {.g = g, .training = training};
    int n = 0;

    if (!compute_mode_of(g->mode)->fusion)
        return 0;
    f.uses = pool_take(&g->model->pool, (size_t)(g->n_nodes + 1) * sizeof *f.uses);
    find_uses(&f, keep, n_keep);
    for (int i = 0; i < g->n_nodes; i++) {
        struct chain c;

        if (f.uses[i].live && chain_from(&f, i, &c) && fuse(&f, &c))
            n++;
    }
    return n;
}
