#include "train/step_parts.h"
#include "core/base/clock.h"
#include "core/learn/clip.h"
#include "dist/agree.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Does an update need all gradients of the step? */
static bool waits(const struct replica_step *step) {
    return step->job->clip_norm > 0 || optim_whole(step->optimizer);
}

static int new_reducer(struct stepper *s, int which, const struct job *job,
                       const struct comm_shared *home, struct err *err) {
    const struct replica_step *step = &s->replica->step[which];
    const int n = step->n_train + step->n_running;
    struct pool *pool = &s->replica->model.pool;
    struct allreduce_vector *span = pool_take(pool, (size_t)(n + 1) * sizeof *span);

    for (int i = 0; i < step->n_train; i++)
        span[i] = (struct allreduce_vector){.v = step->train[i]->dw,
                                            .len = step->train[i]->weights.trained_len,
                                            .home = home,
                                            .own = waits(step) || step->job->clip_value > 0};
    for (int i = 0; i < step->n_running; i++)
        span[step->n_train + i] = (struct allreduce_vector){
            .v = step->running[i]->state, .len = step->running[i]->states.len, .own = true};
    return reducer_new(&s->reducer[which], s->comm, &job->allreduce, span, n, job->bucket_bytes,
                       err);
}

int stepper_init(struct stepper *s, struct replica *r, const struct job *job, struct comm *comm,
                 const struct comm_shared *home, struct err *err) {
    const struct model *m = &r->model;

    int n_room = 0;

    *s = (struct stepper){
        .replica = r, .comm = comm, .seed = job->seed, .in_parts = job->accumulate > 1};
    for (int i = 0; i < r->n_steps; i++) {
        const struct plan *p = r->step[i].plan;
        const int n = (int)plan_n_values(p) + p->n_leaves;
        s->n_counts += p->n_leaves;
        n_room = n > n_room ? n : n_room;
        if (new_reducer(s, i, job, home, err))
            return -1;
    }
    s->counts = calloc((size_t)s->n_counts + SAY_LEN, sizeof *s->counts);
    s->sums = calloc(3 * (size_t)n_room + SAY_LEN, sizeof *s->sums);
    s->local = s->sums + n_room + SAY_LEN;
    s->part = s->local + n_room;
    s->before = pool_take(&r->model.pool, (size_t)(m->n_nets + 1) * sizeof *s->before);
    for (int i = 0; i < m->n_nets; i++)
        s->before[i] =
            pool_take(&r->model.pool, (size_t)(m->nets[i]->states.len + 1) * sizeof(real));
    return agree(
        comm, s->counts && s->sums ? 0 : err_set(err, ERR_IO, "no memory for the sums of a step"),
        err);
}

void stepper_release(struct stepper *s) {
    for (int i = 0; i < JOB_MAX_STEPS; i++)
        reducer_free(s->reducer[i]);
    free(s->counts);
    free(s->sums);
    *s = (struct stepper){0};
}

/* What the graph tells while it runs. */
struct backward_context {
    struct reducer *reducer;
    const struct stepper *stepper;
    int which;
};

static void ready(void *context, int net, int64_t offset, int64_t len) {
    reducer_ready(((struct backward_context *)context)->reducer, net, offset, len);
}

static void progress(void *context) {
    reducer_progress(((struct backward_context *)context)->reducer);
}

static void watch(void *context, int node, enum run_phase phase) {
    const struct backward_context *c = context;

    c->stepper->watch(c->stepper->watch_context, c->which, node, phase);
}

/* Running statistics become the mean over ranks, weighted by their samples, so that all replicas
 * stay identical: each rank sends its share of what this step changed, and what no step
 * changes stays as it is to the bit. */
static void share_running(const struct stepper *s, int which, const struct feed_batch *batch) {
    const struct replica_step *step = &s->replica->step[which];
    const real share = (real)((double)batch->data.n / (double)batch->global_n);

    for (int i = 0; i < step->n_running; i++) {
        const struct net *net = step->running[i];
        const real *before = s->before[net->index];
        for (int64_t k = 0; comm_size(s->comm) > 1 && k < net->states.len; k++)
            net->state[k] = share * (net->state[k] - before[k]);
        reducer_ready(s->reducer[which], step->n_train + i, 0, net->states.len);
    }
}

static void keep_running(const struct stepper *s, const struct replica_step *step) {
    for (int i = 0; i < step->n_running; i++)
        memcpy(s->before[step->running[i]->index], step->running[i]->state,
               (size_t)step->running[i]->states.len * sizeof(real));
}

/* The step is none: its forward has moved them. */
static void restore_running(const struct stepper *s, const struct replica_step *step) {
    for (int i = 0; i < step->n_running; i++)
        memcpy(step->running[i]->state, s->before[step->running[i]->index],
               (size_t)step->running[i]->states.len * sizeof(real));
}

/* Elements [begin, begin + len) of running statistics hold the sum of the changes. */
static void add_running(const struct stepper *s, const struct net *net, int64_t begin,
                        int64_t len) {
    const real *before = s->before[net->index];

    for (int64_t k = begin; comm_size(s->comm) > 1 && k < begin + len; k++)
        net->state[k] += before[k];
}

/* The norm of all gradients of the step. */
static double norm_of(const struct stepper *s, const struct replica_step *step) {
    double squares = 0;

    for (int i = 0; i < step->n_train; i++)
        squares += clip_sum_squares(step->train[i]->dw, step->train[i]->weights.trained_len,
                                    s->replica->team);
    return sqrt(squares);
}

/* Elements of one net, by their gradients times scale, which clipping moves. */
static void update_piece(struct stepper *s, struct replica_step *step,
                         const struct reducer_piece *piece, double lr, double scale) {
    const double limit = step->job->clip_value;

    if (limit > 0)
        clip_values(step->train[piece->span]->dw + piece->begin, piece->len, scale, limit,
                    s->replica->team);
    replica_update(s->replica, step, piece, lr, limit > 0 ? 1 : scale);
}

/* All nets, after clipping by norm, which is the same on all ranks. */
static int update_all(struct stepper *s, struct replica_step *step, double lr, int64_t number,
                      struct err *err) {
    double scale = 1;

    if (step->job->clip_norm > 0) {
        const double norm = norm_of(s, step);
        if (!isfinite(norm))
            return err_set(err, ERR_DATA,
                           "step %" PRId64 ": the norm of the gradients is %s; a lower "
                           "learning rate may help; checkpoints of earlier steps are kept",
                           number, isnan(norm) ? "nan" : "infinite");
        scale = clip_scale(norm, step->job->clip_norm);
    }
    for (int i = 0; i < step->n_train; i++) {
        const struct net *net = step->train[i];
        update_piece(s, step, &(struct reducer_piece){i, 0, net->weights.trained_len, net->dw}, lr,
                     scale);
    }
    return 0;
}

/* Updates follow the buckets as they arrive, unless they have to wait for all of them. */
static int update(struct stepper *s, int which, const struct step_input *in,
                  struct step_times *times, struct err *err) {
    struct replica_step *step = &s->replica->step[which];
    const double lr = in->lr[which];
    struct reducer_piece piece;
    int rc = 0;

    while (reducer_next(s->reducer[which], &piece)) {
        const double start = clock_now();
        if (piece.span >= step->n_train)
            add_running(s, step->running[piece.span - step->n_train], piece.begin, piece.len);
        else if (!waits(step))
            update_piece(s, step, &piece, lr, 1);
        times->optimizer += clock_now() - start;
    }
    times->exposed_comm += reducer_wait_seconds(s->reducer[which]);
    if (waits(step)) {
        const double start = clock_now();
        rc = update_all(s, step, lr, in->step + 1, err);
        times->optimizer += clock_now() - start;
    }
    step->n_updates++;
    return rc;
}

/* Point a graph at samples [first, first + n) of this rank's share. What could not be read has
 * none.
 */
static void point(const struct stepper *s, struct plan *p, const struct feed_batch *batch,
                  int64_t first, int64_t n) {
    if (n > 0)
        feed_point(p, s->replica->fields, s->replica->n_fields, &batch->data, first);
    run_resize(p, n);
}

/* Samples of this rank's share from `first` on that the graph computes at a time. */
static int64_t part_len(const struct plan *p, const struct feed_batch *batch, int64_t first) {
    const int64_t left = batch->data.n - first;

    return left < p->graph->batch ? left : p->graph->batch;
}

/* Parts that every rank computes the batch in: as many as the largest share takes. */
static int64_t n_parts(const struct stepper *s, const struct plan *p,
                       const struct feed_batch *batch) {
    const int64_t share = feed_largest_share(batch->global_n, comm_size(s->comm));

    return share <= p->graph->batch ? 1 : (share + p->graph->batch - 1) / p->graph->batch;
}

/* Add what the leaves gave to s->sums. */
static void add_leaves(struct stepper *s, const struct plan *p) {
    const int64_t n = plan_n_values(p);

    run_leaves(p, s->part, s->part + n);
    for (int64_t k = 0; k < n + p->n_leaves; k++)
        s->sums[k] += s->part[k];
}

/* Forward and backward over this rank's share, part by part; gradients add up, and are final in the
 * last part. A rank that runs out of samples goes on with none.
 *   totals  terms of the leaves, where there are several parts: else they follow from forward */
static int compute(struct stepper *s, int which, const struct step_input *in, const double *totals,
                   struct step_output *out, struct err *err) {
    struct plan *p = s->replica->step[which].plan;
    struct backward_context context = {s->reducer[which], s, which};
    struct run_context run = {.seed = s->seed,
                              .step = (uint64_t)in->step * JOB_MAX_STEPS + (uint64_t)which,
                              .totals = totals,
                              .progress = progress,
                              .watch = s->watch ? watch : NULL,
                              .context = &context};
    int64_t first = 0, n;

    for (int64_t left = n_parts(s, p, in->batch); left > 0; left--, first += n) {
        const double start = clock_now();
        n = part_len(p, in->batch, first);
        point(s, p, in->batch, first, n);
        run.first = in->batch->first + first;
        run_forward(p, &run);
        add_leaves(s, p);
        out->times.forward += clock_now() - start;
        if (left == 1) {
            if (step_find_loss(s, which, in, out, err))
                return -1;
            run.totals = s->sums + plan_n_values(p);
            share_running(s, which, in->batch);
            run.ready = ready;
        }
        const double middle = clock_now();
        run_backward(p, &run);
        run.adds = true;
        out->times.backward += clock_now() - middle;
    }
    return 0;
}

static bool share_a_net(const struct replica_step *a, const struct replica_step *b) {
    for (int i = 0; i < a->n_train; i++)
        for (int k = 0; k < b->n_train; k++)
            if (a->train[i] == b->train[k])
                return true;
    return false;
}

/* Gradients may be written: neither for this step nor for another of the same nets does any rank
 * still read what they were. */
static void begin_gradients(struct stepper *s, int which) {
    for (int i = 0; i < s->replica->n_steps; i++)
        if (i != which && share_a_net(&s->replica->step[i], &s->replica->step[which]))
            reducer_settle(s->reducer[i]);
    reducer_begin(s->reducer[which]);
}

static int run_one(struct stepper *s, int which, const struct step_input *in, const double *totals,
                   struct step_output *out, struct err *err) {
    struct replica_step *step = &s->replica->step[which];
    const int64_t n = plan_n_values(step->plan) + step->plan->n_leaves;

    begin_gradients(s, which);
    keep_running(s, step);
    memset(s->sums, 0, (size_t)n * sizeof *s->sums);
    if (compute(s, which, in, totals, out, err)) {
        restore_running(s, step);
        return -1;
    }
    return update(s, which, in, &out->times, err);
}

/* The terms of this rank's leaves in all parts of the batch. */
static void count(struct stepper *s, struct plan *p, const struct feed_batch *batch,
                  double *counts) {
    int64_t n;

    for (int64_t first = 0; first < batch->data.n; first += n) {
        n = part_len(p, batch, first);
        point(s, p, batch, first, n);
        run_counts(p, s->part);
        for (int i = 0; i < p->n_leaves; i++)
            counts[i] += s->part[i];
    }
}

/* Of batches in parts, whose backward begins before forward ends, the terms of all ranks. */
static int count_all(struct stepper *s, const struct step_input *in, struct step_output *out,
                     struct err *err) {
    double *counts = s->counts;

    memset(counts, 0, (size_t)s->n_counts * sizeof *counts);
    for (int i = 0; i < s->replica->n_steps && !in->rc; i++) {
        struct plan *p = s->replica->step[i].plan;
        if (n_parts(s, p, in->batch) > 1)
            count(s, p, in->batch, counts);
        counts += p->n_leaves;
    }
    return step_sum(s, in, s->counts, s->n_counts, out, err);
}

static int run_all(struct stepper *s, const struct step_input *in, struct step_output *out,
                   struct err *err) {
    const double *totals = s->counts;

    if (s->in_parts && count_all(s, in, out, err))
        return -1;
    for (int i = 0; i < s->replica->n_steps; i++) {
        out->ran[i] = in->step % s->replica->step[i].job->every == 0;
        if (out->ran[i] && run_one(s, i, in, totals, out, err))
            return -1;
        totals += s->replica->step[i].plan->n_leaves;
    }
    return s->told ? 0 : step_sum(s, in, s->sums, 0, out, err); /* all of the job's steps rest */
}

int stepper_run(struct stepper *s, const struct step_input *in, struct step_output *out,
                struct err *err) {
    const double start = clock_now();
    const struct feed_batch none = {.first = in->batch->first, .global_n = in->batch->global_n};
    struct step_input mine = *in;

    if (in->rc) /* it takes part all the same: others wait for it */
        mine.batch = &none;
    *out = (struct step_output){0};
    s->told = false;
    if (run_all(s, &mine, out, err))
        return -1;
    out->times.total = clock_now() - start;
    return 0;
}
