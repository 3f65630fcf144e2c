#include "train/evaluate.h"
#include "dist/agree.h"
#include "dist/fold.h"

#include <math.h>
#include <stdlib.h>

/* Sums over all batches, of each shard by itself: those of the leaves, how many terms each has; and
 * room for one batch. */
struct sums {
    double *all, *batch; /* [shards][plan_n_values + n_leaves], and one row */
};

static void add_samples(struct plan *p, const struct feed *feed, const struct loader_batch *batch,
                        struct shard_range local, const struct run_context *context,
                        struct sums *sums, double *row) {
    const int64_t n = plan_n_values(p);
    struct field fields[LOADER_MAX_FIELDS];

    feed_point(p, fields, feed_open_fields(feed, fields), batch, local.first);
    run_resize(p, local.n);
    run_forward(p, context);
    run_leaves(p, sums->batch, sums->batch + n);
    for (int64_t i = 0; i < n + p->n_leaves; i++)
        row[i] += sums->batch[i];
}

/* Add batch number `step`. Each has noise of its own, the same in every evaluation. */
static void add_batch(struct plan *p, const struct feed *feed, const struct feed_batch *batch,
                      int64_t step, struct sums *sums) {
    struct run_context context = {.step = (uint64_t)step, .first = batch->first};
    const int shards = feed->shard.shards;

    if (!shards) {
        add_samples(p, feed, &batch->data, (struct shard_range){0, batch->data.n}, &context, sums,
                    sums->all);
        return;
    }
    const struct shard_range own = shard_of_rank(shards, feed->rank, feed->size);
    for (int64_t k = own.first; k < own.first + own.n; k++) {
        const struct shard_range part = shard_cut(batch->global_n, shards, (int)k);
        context.first = part.first;
        add_samples(p, feed, &batch->data, (struct shard_range){part.first - batch->first, part.n},
                    &context, sums, sums->all + k * (plan_n_values(p) + p->n_leaves));
    }
}

static void tell_pass(const struct feed *feed, int64_t done, int64_t total) {
    if (feed->sinks)
        sinks_tell(feed->sinks,
                   &(struct event){.kind = EVENT_PASS, .pass = {"validation", done, total}});
}

static int add_all(struct plan *p, struct feed *feed, struct sums *sums, struct err *err) {
    const int64_t steps = feed_steps(feed);
    struct feed_batch batch;

    feed_seek(feed, 0, steps);
    for (int64_t s = 0; s < steps; s++) {
        if (feed_next(feed, &batch, err)) {
            tell_pass(feed, steps, steps); /* it is over */
            return -1;
        }
        add_batch(p, feed, &batch, s, sums);
        tell_pass(feed, s + 1, steps);
    }
    return 0;
}

int evaluate(struct replica *r, struct feed *feed, struct comm *comm, struct err *err) {
    struct plan *p = r->validate_plan;
    const int64_t n = plan_n_values(p) + p->n_leaves, rows = r->shards ? r->shards : 1;
    double *memory = calloc((size_t)((rows + 1) * n) + 1, sizeof *memory);
    int rc = 0;

    if (!memory)
        rc = err_set(err, ERR_IO, "no memory for %d measures", p->n_leaves);
    struct sums sums = {memory, memory + rows * n};
    if (!rc && feed)
        rc = add_all(p, feed, &sums, err);
    rc = agree(comm, rc, err);
    if (!rc) {
        comm_sum_doubles(comm, sums.all, (int)(rows * n));
        if (r->shards)
            fold_rows(sums.all, r->shards, n);
        run_tail(p, sums.all, sums.all + plan_n_values(p), (double)NAN);
    }
    free(memory);
    return rc;
}

bool evaluate_measure(const struct replica *r, int i, const char **name, double *value) {
    const struct graph *g = r->validate;
    int seen = 0;

    for (int pass = r->best >= 0 ? 0 : 1; pass < 2; pass++)
        for (int k = 0; k < g->n_named; k++) {
            const bool best = g->named[k].node == r->best;
            if (!replica_is_number(g, g->named[k].node) || best != (pass == 0) || seen++ != i)
                continue;
            *name = g->named[k].name;
            *value = run_value(r->validate_plan, g->named[k].node);
            return true;
        }
    return false;
}

bool evaluate_table(const struct replica *r, int i, const char **name, struct tensor *table) {
    const struct graph *g = r->validate;

    for (int k = 0; k < g->n_named; k++) {
        if (!replica_is_table(g, g->named[k].node) || i--)
            continue;
        *name = g->named[k].name;
        *table = r->validate_plan->nodes[g->named[k].node].call.y;
        return true;
    }
    return false;
}
