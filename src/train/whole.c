#include "train/whole.h"
#include "dist/agree.h"

#include <stdlib.h>
#include <string.h>

static const struct node *node_of(const struct whole *w, int leaf) {
    return &w->plan->graph->nodes[w->plan->leaves[leaf]];
}

int whole_init(struct whole *w, struct plan *plan, struct err *err) {
    *w = (struct whole){.plan = plan};
    w->leaf = calloc((size_t)plan->n_leaves + 1, sizeof *w->leaf);
    return w->leaf ? 0 : err_set(err, ERR_IO, "no memory for %d measures", plan->n_leaves);
}

void whole_release(struct whole *w) {
    for (int i = 0; w->leaf && i < w->plan->n_leaves; i++) {
        for (int k = 0; k < OP_ANY_INPUTS; k++)
            free(w->leaf[i].x[k].bytes);
        free(w->leaf[i].at.bytes);
    }
    free(w->leaf);
    *w = (struct whole){0};
}

static size_t sample_bytes(const struct tensor *x) {
    return (size_t)shape_sample_len(&x->shape) * tensor_item_bytes(x->kind);
}

static bool append(struct whole_input *to, const void *bytes, size_t len) {
    if (to->len + len > to->room) {
        const size_t room = 2 * to->room > to->len + len ? 2 * to->room : to->len + len;
        char *more = realloc(to->bytes, room);

        if (!more)
            return false;
        to->bytes = more, to->room = room;
    }
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
    return true;
}

/* A number is the same for all samples, and stays where it is. */
static bool is_number(const struct whole *w, int leaf, int k) {
    const struct node *x = &w->plan->graph->nodes[node_of(w, leaf)->x[k]];

    return !x->op && !x->field;
}

void whole_take(struct whole *w, int leaf, int64_t first) {
    const struct op_call *call = &w->plan->nodes[w->plan->leaves[leaf]].call;
    struct whole_leaf *to = &w->leaf[leaf];

    if (!node_of(w, leaf)->op->meaning.whole)
        return;
    for (int k = 0; k < call->n_x && !w->full; k++)
        w->full = !is_number(w, leaf, k) && !append(&to->x[k], call->x[k].memory,
                                                    (size_t)w->plan->n * sample_bytes(&call->x[k]));
    for (int64_t i = first; i < first + w->plan->n && !w->full; i++)
        w->full = !append(&to->at, &i, sizeof i);
    to->n += w->plan->n;
}

int whole_check(const struct whole *w, struct err *err) {
    return w->full ? err_set(err, ERR_IO, "no memory for the scores of all samples") : 0;
}

/* What there is of all ranks. */
struct gathered {
    int64_t *n;        /* [size] samples of each rank */
    int64_t all, most; /* samples: their sum, and the largest */
    int64_t *at;       /* [all] where each stands, one rank after another */
    char *part;        /* what one rank has of an input */
    struct tensor x[OP_ANY_INPUTS];
    bool own[OP_ANY_INPUTS]; /* x is of all samples: no number */
    struct op_plan plan;
    void *scratch;
};

static void gathered_release(struct gathered *g) {
    for (int k = 0; k < OP_ANY_INPUTS; k++)
        if (g->own[k])
            free(g->x[k].memory);
    free(g->scratch);
    free(g->part);
    free(g->at);
    free(g->n);
}

/* Memory for all samples, and for computing with them. */
static int gathered_init(struct gathered *g, const struct whole *w, int leaf, struct err *err) {
    const struct node *node = node_of(w, leaf);
    const struct op_call *call = &w->plan->nodes[w->plan->leaves[leaf]].call;
    struct shape x[OP_ANY_INPUTS];
    size_t each = 1;

    for (int k = 0; k < call->n_x; k++) {
        g->x[k] = call->x[k];
        g->own[k] = !is_number(w, leaf, k);
        if (g->own[k]) {
            g->x[k].shape.dim[0] = g->all;
            g->x[k].memory = NULL;
            each = sample_bytes(&g->x[k]) > each ? sample_bytes(&g->x[k]) : each;
        }
        x[k] = g->x[k].shape;
    }
    g->plan = (struct op_plan){.batch = g->all, .mode = w->plan->graph->mode};
    if (node->op->plan(node->args, x, call->n_x, &g->plan, err))
        return -1;
    g->at = malloc((size_t)g->all * sizeof *g->at + 1);
    g->part = malloc((size_t)g->most * each + 1);
    bool full = !g->at || !g->part;
    for (int k = 0; k < call->n_x && !full; k++)
        if (g->own[k])
            full = !(g->x[k].memory = malloc((size_t)g->all * sample_bytes(&g->x[k]) + 1));
    if (full)
        return err_set(err, ERR_IO, "%s: no memory for %lld samples", node->op->word.name,
                       (long long)g->all);
    if (!(g->scratch = malloc(g->plan.scratch_bytes + 1)))
        return err_set(err, ERR_IO, "%s: no memory to sort %lld samples", node->op->word.name,
                       (long long)g->all);
    return 0;
}

/* What all ranks have of an input, `each` bytes a sample, to where it stands. Collective. */
static void gather_input(struct gathered *g, const struct whole_input *mine, size_t each,
                         struct comm *comm, char *to) {
    int64_t begin = 0;

    for (int rank = 0; rank < comm_size(comm); rank++) {
        const size_t len = (size_t)g->n[rank] * each;

        if (rank == comm_rank(comm) && len)
            memcpy(g->part, mine->bytes, len);
        comm_bcast(comm, g->part, len, rank);
        for (int64_t i = 0; i < g->n[rank]; i++)
            memcpy(to + (size_t)g->at[begin + i] * each, g->part + (size_t)i * each, each);
        begin += g->n[rank];
    }
}

/* The samples of all ranks in the order of the pass, whoever had them. Collective. */
static void gather(struct gathered *g, const struct whole_leaf *mine, int n_x, struct comm *comm) {
    int64_t *to = g->at;

    for (int rank = 0; rank < comm_size(comm); rank++) {
        const size_t len = (size_t)g->n[rank] * sizeof *to;

        if (rank == comm_rank(comm) && len)
            memcpy(to, mine->at.bytes, len);
        comm_bcast(comm, to, len, rank);
        to += g->n[rank];
    }
    for (int k = 0; k < n_x; k++)
        if (g->own[k])
            gather_input(g, &mine->x[k], sample_bytes(&g->x[k]), comm, g->x[k].memory);
}

/* Collective. */
static int compute(const struct whole *w, int leaf, struct comm *comm, double *sums, double *terms,
                   struct err *err) {
    struct op_call call = w->plan->nodes[w->plan->leaves[leaf]].call;
    struct gathered g = {.n = calloc((size_t)comm_size(comm), sizeof *g.n)};
    int rc = agree(comm, g.n ? 0 : err_set(err, ERR_IO, "no memory for ranks"), err);

    if (!rc) {
        comm_all_gather(comm, &w->leaf[leaf].n, g.n, sizeof *g.n);
        for (int rank = 0; rank < comm_size(comm); rank++) {
            g.all += g.n[rank];
            g.most = g.n[rank] > g.most ? g.n[rank] : g.most;
        }
        rc = agree(comm, gathered_init(&g, w, leaf, err), err);
    }
    if (!rc) {
        gather(&g, &w->leaf[leaf], call.n_x, comm);
        call.x = g.x;
        call.scratch = g.scratch;
        node_of(w, leaf)->op->forward(&call);
        for (int64_t k = 0; k < shape_len(&call.y.shape); k++)
            sums[w->plan->leaf_at[leaf] + k] = (double)call.y.reals[k];
        terms[leaf] = 1;
    }
    gathered_release(&g);
    return rc;
}

int whole_compute(const struct whole *w, struct comm *comm, double *sums, double *terms,
                  struct err *err) {
    for (int leaf = 0; leaf < w->plan->n_leaves; leaf++)
        if (node_of(w, leaf)->op->meaning.whole && compute(w, leaf, comm, sums, terms, err))
            return -1;
    return 0;
}
