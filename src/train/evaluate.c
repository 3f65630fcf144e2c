#include "train/evaluate.h"
#include "dist/agree.h"
#include "dist/fold.h"
#include "train/terms.h"
#include "train/whole.h"

#include <math.h>
#include <stdlib.h>

/* Sums over all batches, of each shard by itself: those of the leaves, how many terms each has; and
 * room for one batch. */
struct sums {
    double *all, *batch; /* [shards][plan_n_values + n_leaves], and one row */
};

/* One pass over the data. */
struct pass {
    struct plan *plan;
    struct feed *feed;
    struct sums sums;
    struct terms terms;
    struct whole whole;
    struct worst *worst; /* NULL: nobody asks */
    int64_t step, first; /* what is computed: position of its sample 0 in the step's batch */
};

static void take_worst(struct pass *pass) {
    const struct terms *terms = &pass->terms;

    for (int64_t i = terms->first; i < terms->n && !terms->full; i++) {
        const int64_t k = i - terms->first;
        worst_take(pass->worst, terms, i, k,
                   *shard_at(&pass->feed->shard, pass->step, pass->first + k));
    }
}

static void take_leaf(void *context, int leaf) {
    struct pass *pass = context;

    terms_take(&pass->terms, leaf);
    whole_take(&pass->whole, leaf);
    if (pass->worst && pass->worst->leaf == leaf)
        take_worst(pass);
}

static void add_samples(struct pass *pass, const struct loader_batch *batch,
                        struct shard_range local, const struct run_context *context, int shard) {
    struct plan *p = pass->plan;
    const int64_t n = plan_n_values(p);
    double *row = pass->sums.all + shard * (n + p->n_leaves);
    struct field fields[LOADER_MAX_FIELDS];

    feed_point(p, fields, feed_open_fields(pass->feed, fields), batch, local.first);
    run_resize(p, local.n);
    terms_begin(&pass->terms, shard, local.n);
    pass->step = (int64_t)context->step, pass->first = context->first;
    run_forward(p, context);
    run_leaves(p, pass->sums.batch, pass->sums.batch + n);
    for (int64_t i = 0; i < n + p->n_leaves; i++)
        row[i] += pass->sums.batch[i];
}

/* Add batch number `step`. Each has noise of its own, the same in every evaluation. */
static void add_batch(struct pass *pass, const struct feed_batch *batch, int64_t step) {
    struct run_context context = {
        .step = (uint64_t)step, .first = batch->first, .leaf = take_leaf, .context = pass};
    const struct feed *feed = pass->feed;
    const int shards = feed->shard.shards;

    if (!shards) {
        add_samples(pass, &batch->data, (struct shard_range){0, batch->data.n}, &context, 0);
        return;
    }
    const struct shard_range own = shard_of_rank(shards, feed->rank, feed->size);
    for (int64_t k = own.first; k < own.first + own.n; k++) {
        const struct shard_range part = shard_cut(batch->global_n, shards, (int)k);
        context.first = part.first;
        add_samples(pass, &batch->data, (struct shard_range){part.first - batch->first, part.n},
                    &context, (int)k);
    }
}

static int add_all(struct pass *pass, struct err *err) {
    const int64_t steps = shard_steps(&pass->feed->shard);
    struct feed_batch batch;

    feed_seek(pass->feed, 0, steps);
    for (int64_t s = 0; s < steps; s++) {
        if (feed_next(pass->feed, &batch, err))
            return -1;
        add_batch(pass, &batch, s);
    }
    return terms_check(&pass->terms, err) || whole_check(&pass->whole, err) ? -1 : 0;
}

/* The sums of all ranks become means, what is computed from them, and errors of both. */
static int conclude(struct pass *pass, const struct replica *r, struct comm *comm,
                    struct err *err) {
    struct plan *p = pass->plan;
    const int64_t n = plan_n_values(p) + p->n_leaves, rows = r->shards ? r->shards : 1;
    double *all = pass->sums.all;

    comm_sum_doubles(comm, all, (int)(rows * n));
    if (r->shards)
        fold_rows(all, r->shards, n);
    if (whole_compute(&pass->whole, comm, all, all + plan_n_values(p), err))
        return -1;
    run_tail(p, all, all + plan_n_values(p), (double)NAN);
    const struct terms_totals totals = {all, all + plan_n_values(p), r->shards};
    return terms_errors(&pass->terms, &totals, comm, r->measures.node, r->measures.n,
                        r->measures.error, err);
}

int evaluate(struct replica *r, struct feed *feed, struct comm *comm, struct err *err) {
    return evaluate_worst(r, feed, comm, NULL, err);
}

int evaluate_worst(struct replica *r, struct feed *feed, struct comm *comm, struct worst *worst,
                   struct err *err) {
    struct plan *p = r->validate_plan;
    const int64_t n = plan_n_values(p) + p->n_leaves, rows = r->shards ? r->shards : 1;
    double *memory = calloc((size_t)((rows + 1) * n) + 1, sizeof *memory);
    struct pass pass = {
        .plan = p, .feed = feed, .sums = {memory, memory + rows * n}, .worst = worst};
    int rc = memory ? 0 : err_set(err, ERR_IO, "no memory for %d measures", p->n_leaves);

    if (!rc)
        rc = terms_init(&pass.terms, p, err) || whole_init(&pass.whole, p, err) ? -1 : 0;
    if (worst)
        worst_begin(worst);
    if (!rc && feed)
        rc = add_all(&pass, err);
    rc = agree(comm, rc, err);
    if (!rc)
        rc = conclude(&pass, r, comm, err);
    if (!rc && worst)
        rc = worst_gather(worst, comm, err);
    terms_release(&pass.terms);
    whole_release(&pass.whole);
    free(memory);
    return rc;
}

bool evaluate_measure(const struct replica *r, int i, const char **name, double *value) {
    if (i >= r->measures.n)
        return false;
    *name = r->measures.name[i];
    *value = run_value(r->validate_plan, r->measures.node[i]);
    return true;
}

bool evaluate_error(const struct replica *r, int i, double *error) {
    *error = r->measures.error[i];
    return isfinite(*error);
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
