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
struct evaluation {
    struct plan *plan;
    struct feed *feed;
    struct sums sums;
    struct terms terms;
    struct whole whole;
    struct worst *worst; /* NULL: nobody asks */
    int64_t step, first; /* what is computed: position of its sample 0 in the step's batch */
};

static void take_worst(struct evaluation *e) {
    const struct terms *terms = &e->terms;

    for (int64_t i = terms->first; i < terms->n && !terms->full; i++) {
        const int64_t k = i - terms->first;
        worst_take(e->worst, terms, i, k, *shard_at(&e->feed->shard, e->step, e->first + k));
    }
}

static void take_leaf(void *context, int leaf) {
    struct evaluation *e = context;

    terms_take(&e->terms, leaf);
    whole_take(&e->whole, leaf, e->step * e->feed->shard.batch + e->first);
    if (e->worst && e->worst->room && e->worst->leaf == leaf)
        take_worst(e);
}

static void add_samples(struct evaluation *e, const struct loader_batch *batch,
                        struct shard_range local, const struct run_context *context, int shard) {
    struct plan *p = e->plan;
    const int64_t n = plan_n_values(p);
    double *row = e->sums.all + shard * (n + p->n_leaves);
    struct field fields[LOADER_MAX_FIELDS];

    feed_point(p, fields, feed_open_fields(e->feed, fields), batch, local.first);
    run_resize(p, local.n);
    terms_begin(&e->terms, shard, local.n);
    e->step = (int64_t)context->step, e->first = context->first;
    run_forward(p, context);
    run_leaves(p, e->sums.batch, e->sums.batch + n);
    for (int64_t i = 0; i < n + p->n_leaves; i++)
        row[i] += e->sums.batch[i];
}

/* Add batch number `step`. Each has noise of its own, the same in every evaluation. */
static void add_batch(struct evaluation *e, const struct feed_batch *batch, int64_t step) {
    struct run_context context = {.step = (uint64_t)step,
                                  .first = batch->first,
                                  .leaf = take_leaf,
                                  .context = e,
                                  .pulse = e->feed->pulse};
    const struct feed *feed = e->feed;
    const int shards = feed->shard.shards;

    if (!shards) {
        add_samples(e, &batch->data, (struct shard_range){0, batch->data.n}, &context, 0);
        return;
    }
    const struct shard_range own = shard_of_rank(shards, feed->rank, feed->size);
    for (int64_t k = own.first; k < own.first + own.n; k++) {
        const struct shard_range part = shard_cut(batch->global_n, shards, (int)k);
        context.first = part.first;
        add_samples(e, &batch->data, (struct shard_range){part.first - batch->first, part.n},
                    &context, (int)k);
    }
}

static void tell_pass(const struct feed *feed, int64_t done, int64_t total) {
    if (feed->sinks)
        sinks_tell(feed->sinks,
                   &(struct event){.kind = EVENT_PASS, .pass = {"validation", done, total}});
}

static int add_all(struct evaluation *e, struct err *err) {
    const int64_t steps = feed_steps(e->feed);
    struct feed_batch batch;

    feed_seek(e->feed, 0, steps);
    for (int64_t s = 0; s < steps; s++) {
        if (feed_next(e->feed, &batch, err)) {
            tell_pass(e->feed, steps, steps); /* it is over */
            return -1;
        }
        pulse_sample(e->feed->pulse, PULSE_MAIN, s);
        add_batch(e, &batch, s);
        tell_pass(e->feed, s + 1, steps);
    }
    return terms_check(&e->terms, err) || whole_check(&e->whole, err) ? -1 : 0;
}

/* The sums of all ranks become means, what is computed from them, and errors of both. */
static int conclude(struct evaluation *e, const struct replica *r, struct comm *comm,
                    struct err *err) {
    struct plan *p = e->plan;
    const int64_t n = plan_n_values(p) + p->n_leaves, rows = r->shards ? r->shards : 1;
    double *all = e->sums.all;

    comm_sum_doubles(comm, all, (int)(rows * n));
    if (r->shards)
        fold_rows(all, r->shards, n);
    if (whole_compute(&e->whole, comm, all, all + plan_n_values(p), err))
        return -1;
    run_tail(p, all, all + plan_n_values(p), (double)NAN);
    const struct terms_totals totals = {all, all + plan_n_values(p), r->shards};
    return terms_errors(&e->terms, &totals, comm, r->measures.node, r->measures.n,
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
    struct evaluation e = {
        .plan = p, .feed = feed, .sums = {memory, memory + rows * n}, .worst = worst};
    int rc = memory ? 0 : err_set(err, ERR_IO, "no memory for %d measures", p->n_leaves);

    if (!rc)
        rc = terms_init(&e.terms, p, err) || whole_init(&e.whole, p, err) ? -1 : 0;
    if (worst)
        worst_begin(worst);
    if (!rc && feed)
        rc = add_all(&e, err);
    rc = agree(comm, rc, err);
    if (!rc)
        rc = conclude(&e, r, comm, err);
    if (!rc && worst)
        rc = worst_gather(worst, comm, err);
    terms_release(&e.terms);
    whole_release(&e.whole);
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
