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
    for (int i = 0; w->leaf && i < w->plan->n_leaves; i++)
        for (int k = 0; k < OP_ANY_INPUTS; k++)
            free(w->leaf[i].x[k].bytes);
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

void whole_take(struct whole *w, int leaf) {
    const struct op_call *call = &w->plan->nodes[w->plan->leaves[leaf]].call;
    struct whole_leaf *to = &w->leaf[leaf];

    if (!node_of(w, leaf)->op->meaning.whole)
        return;
    for (int k = 0; k < call->n_x && !w->full; k++)
        w->full =
            !append(&to->x[k], call->x[k].memory, (size_t)w->plan->n * sample_bytes(&call->x[k]));
    to->n += w->plan->n;
}

int whole_check(const struct whole *w, struct err *err) {
    return w->full ? err_set(err, ERR_IO, "no memory for the scores of all samples") : 0;
}

/* What there is of all ranks. */
struct gathered {
    int64_t *n; /* [size] samples of each rank */
    int64_t all;
    struct tensor x[OP_ANY_INPUTS];
    struct op_plan plan;
    void *scratch;
};

static void gathered_release(struct gathered *g) {
    for (int k = 0; k < OP_ANY_INPUTS; k++)
        free(g->x[k].memory);
    free(g->scratch);
    free(g->n);
}

/* Memory for all samples, and for computing with them. */
static int gathered_init(struct gathered *g, const struct whole *w, int leaf, struct err *err) {
    const struct node *node = node_of(w, leaf);
    const struct op_call *call = &w->plan->nodes[w->plan->leaves[leaf]].call;
    struct shape x[OP_ANY_INPUTS];

    for (int k = 0; k < call->n_x; k++) {
        g->x[k] = call->x[k];
        g->x[k].shape.dim[0] = g->all;
        x[k] = g->x[k].shape;
        g->x[k].memory = NULL;
    }
    g->plan = (struct op_plan){.batch = g->all, .mode = w->plan->graph->mode};
    if (node->op->plan(node->args, x, call->n_x, &g->plan, err))
        return -1;
    for (int k = 0; k < call->n_x; k++)
        if (!(g->x[k].memory = malloc((size_t)g->all * sample_bytes(&g->x[k]) + 1)))
            return err_set(err, ERR_IO, "%s: no memory for %lld samples", node->op->word.name,
                           (long long)g->all);
    if (!(g->scratch = malloc(g->plan.scratch_bytes + 1)))
        return err_set(err, ERR_IO, "%s: no memory to sort %lld samples", node->op->word.name,
                       (long long)g->all);
    return 0;
}

/* The samples of each rank, one rank after another. Collective. */
static void gather(struct gathered *g, const struct whole_leaf *mine, int n_x, struct comm *comm) {
    for (int k = 0; k < n_x; k++) {
        const size_t each = sample_bytes(&g->x[k]);
        char *to = g->x[k].memory;

        for (int rank = 0; rank < comm_size(comm); rank++) {
            const size_t len = (size_t)g->n[rank] * each;

            if (rank == comm_rank(comm) && len)
                memcpy(to, mine->x[k].bytes, len);
            comm_bcast(comm, to, len, rank);
            to += len;
        }
    }
}

/* Collective. */
static int compute(const struct whole *w, int leaf, struct comm *comm, double *sums, double *terms,
                   struct err *err) {
    struct op_call call = w->plan->nodes[w->plan->leaves[leaf]].call;
    struct gathered g = {.n = calloc((size_t)comm_size(comm), sizeof *g.n)};
    int rc = agree(comm, g.n ? 0 : err_set(err, ERR_IO, "no memory for ranks"), err);

    if (!rc) {
        comm_all_gather(comm, &w->leaf[leaf].n, g.n, sizeof *g.n);
        for (int rank = 0; rank < comm_size(comm); rank++)
            g.all += g.n[rank];
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
