#include "dist/groups.h"
#include "dist/fold.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A group that was asked for. */
struct group {
    struct ranks ranks;
    struct ranks_group kind;
    struct comm *comm; /* of its own, or of all ranks */
    bool folds;        /* along one tree, in: */
    double *rows;      /* [size][n_row] */
    int64_t n_row;
    struct group *next;
};

struct groups {
    struct group all;
};

/* Sums of one kind are equally long from step to step: memory is taken in the first. */
static void fold_sum(struct group *g, double *v, int64_t n) {
    if (n > g->n_row) {
        free(g->rows);
        g->n_row = n;
        g->rows = malloc((size_t)comm_size(g->comm) * (size_t)n * sizeof *g->rows);
        if (!g->rows)
            comm_abort(g->comm, ERR_IO, "out of memory");
    }
    comm_all_gather(g->comm, v, g->rows, (size_t)n * sizeof *v);
    fold_rows(g->rows, comm_size(g->comm), n);
    memcpy(v, g->rows, (size_t)n * sizeof *v);
}

static void sum(const struct ranks *ranks, double *v, int64_t n) {
    struct group *g = ranks->context;
    struct comm *comm = g->comm;

    if (g->folds) {
        fold_sum(g, v, n);
        return;
    }
    for (int64_t at = 0; at < n; at += INT_MAX) /* MPI counts in int */
        comm_sum_doubles(comm, v + at, n - at < INT_MAX ? (int)(n - at) : INT_MAX);
}

static struct comm *comm_of(struct comm *all, struct ranks_group kind) {
    if (kind.kind == RANKS_HOST)
        return comm_on_host(all);
    return kind.kind == RANKS_EVERY ? comm_split(all, comm_rank(all) / kind.n) : all;
}

static const struct ranks *group(const struct ranks *all, struct ranks_group kind) {
    struct group *first = all->context, *g = first;

    for (; g; g = g->next)
        if (g->kind.kind == kind.kind && g->kind.n == kind.n)
            return &g->ranks;
    g = calloc(1, sizeof *g);
    if (!g)
        comm_abort(first->comm, ERR_IO, "out of memory");
    *g = (struct group){.kind = kind,
                        .comm = comm_of(first->comm, kind),
                        .folds = first->folds,
                        .next = first->next};
    g->ranks = (struct ranks){
        .rank = comm_rank(g->comm), .size = comm_size(g->comm), .sum = sum, .context = g};
    first->next = g;
    return &g->ranks;
}

int groups_new(struct groups **out, struct comm *comm, bool folds, struct err *err) {
    struct groups *g = calloc(1, sizeof *g);

    if (!g)
        return err_set(err, ERR_IO, "out of memory");
    g->all = (struct group){.kind = {RANKS_ALL, 0}, .comm = comm, .folds = folds};
    g->all.ranks = (struct ranks){.rank = comm_rank(comm),
                                  .size = comm_size(comm),
                                  .sum = sum,
                                  .group = group,
                                  .context = &g->all};
    *out = g;
    return 0;
}

void groups_free(struct groups *g) {
    struct group *next;

    for (struct group *i = g ? g->all.next : NULL; i; i = next) {
        next = i->next;
        if (i->comm != g->all.comm)
            comm_free(i->comm);
        free(i->rows);
        free(i);
    }
    if (g)
        free(g->all.rows);
    free(g);
}

const struct ranks *groups_all(const struct groups *g) {
    return &g->all.ranks;
}
