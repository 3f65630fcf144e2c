#include "train/evaluate.h"
#include "dist/agree.h"

#include <stdlib.h>

/* Add batch number `step` to the sums of terms and their numbers. Each has noise of its own, the
 * same in every evaluation. */
static void add_batch(struct replica *r, const struct feed *feed, const struct feed_batch *batch,
                      int64_t step, const double *ones, double *values, double *sums,
                      double *counts) {
    struct plan *p = r->validate_plan;
    const struct run_context context = {
        .step = (uint64_t)step, .first = batch->first, .totals = ones};

    if (!batch->data.n)
        return;
    for (int i = 0; i < loader_n_fields(feed->loader); i++)
        run_input(p, loader_field(feed->loader, i)->name, batch->data.field[i]);
    run_resize(p, batch->data.n);
    run_counts(p, batch->data.n, values);
    for (int i = 0; i < p->n_leaves; i++)
        counts[i] += values[i];
    run_forward(p, &context);
    run_leaves(p, values);
    for (int i = 0; i < p->n_leaves; i++)
        sums[i] += values[i];
}

static int add_all(struct replica *r, struct feed *feed, const double *ones, double *values,
                   double *sums, double *counts, struct err *err) {
    const int64_t steps = shard_steps(&feed->shard);
    struct feed_batch batch;

    feed_seek(feed, 0, steps);
    for (int64_t s = 0; s < steps; s++) {
        if (feed_next(feed, &batch, err))
            return -1;
        add_batch(r, feed, &batch, s, ones, values, sums, counts);
    }
    return 0;
}

int evaluate(struct replica *r, struct feed *feed, struct comm *comm, struct err *err) {
    struct plan *p = r->validate_plan;
    const int n = p->n_leaves;
    double *memory = calloc((size_t)(4 * n + 1), sizeof *memory);
    int rc = 0;

    if (!memory)
        rc = err_set(err, ERR_IO, "no memory for %d measures", n);
    double *sums = memory, *counts = sums + n, *ones = counts + n, *values = ones + n;
    for (int i = 0; !rc && i < n; i++)
        ones[i] = 1;
    if (!rc && feed)
        rc = add_all(r, feed, ones, values, sums, counts, err);
    rc = agree(comm, rc, err);
    if (!rc) {
        comm_sum_doubles(comm, sums, 2 * n);
        for (int i = 0; i < n; i++)
            sums[i] /= counts[i]; /* nan where nothing was counted */
        run_tail(p, sums);
    }
    free(memory);
    return rc;
}

/* The measures in the job's order are the named nodes that are outputs of the plan. */
static bool is_measure(const struct replica *r, int named) {
    const int node = r->validate->named[named].node;
    const struct shape *y = &r->validate->nodes[node].plan.y;

    return r->validate->nodes[node].op && y->rank == 1 && y->dim[0] == 1;
}

bool evaluate_measure(const struct replica *r, int i, const char **name, double *value) {
    const struct graph *g = r->validate;
    int seen = 0;

    for (int pass = r->best >= 0 ? 0 : 1; pass < 2; pass++)
        for (int k = 0; k < g->n_named; k++) {
            const bool best = g->named[k].node == r->best;
            if (!is_measure(r, k) || best != (pass == 0) || seen++ != i)
                continue;
            *name = g->named[k].name;
            *value = run_value(r->validate_plan, g->named[k].node);
            return true;
        }
    return false;
}
