#include "train/step.h"
#include "core/base/clock.h"
#include "core/learn/clip.h"
#include "dist/agree.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int new_reducer(struct stepper *s, int which, const struct job *job, struct err *err) {
    const struct replica_step *step = &s->replica->step[which];
    const int n = step->n_train + step->n_running;
    real **span = calloc((size_t)n + 1, sizeof *span);
    int64_t *len = calloc((size_t)n + 1, sizeof *len);
    int rc = -1;

    if (!span || !len) {
        err_set(err, ERR_IO, "no memory for %d spans", n);
        goto done;
    }
    for (int i = 0; i < step->n_train; i++)
        span[i] = step->train[i]->dw, len[i] = step->train[i]->weights.len;
    for (int i = 0; i < step->n_running; i++) {
        span[step->n_train + i] = step->running[i]->state;
        len[step->n_train + i] = step->running[i]->states.len;
    }
    rc = reducer_new(&s->reducer[which], s->comm, job->allreduce, span, len, n, job->bucket_bytes,
                     err);
done:
    free(span);
    free(len);
    return rc;
}

int stepper_init(struct stepper *s, struct replica *r, const struct job *job, struct comm *comm,
                 struct err *err) {
    const struct model *m = &r->model;

    *s = (struct stepper){.replica = r, .comm = comm, .seed = job->seed, .n_sums = 2};
    for (int i = 0; i < r->n_steps; i++) {
        s->n_sums += (int)plan_n_values(r->step[i].plan);
        if (new_reducer(s, i, job, err))
            return -1;
    }
    s->sums = calloc((size_t)s->n_sums, sizeof *s->sums);
    s->local = calloc((size_t)s->n_sums, sizeof *s->local);
    s->values = calloc(2 * (size_t)s->n_sums, sizeof *s->values);
    s->before = pool_take(&r->model.pool, (size_t)(m->n_nets + 1) * sizeof *s->before);
    for (int i = 0; i < m->n_nets; i++)
        s->before[i] =
            pool_take(&r->model.pool, (size_t)(m->nets[i]->states.len + 1) * sizeof(real));
    return s->sums && s->local && s->values
               ? 0
               : err_set(err, ERR_IO, "no memory for the sums of a step");
}

void stepper_release(struct stepper *s) {
    for (int i = 0; i < JOB_MAX_STEPS; i++)
        reducer_free(s->reducer[i]);
    free(s->sums);
    free(s->local);
    free(s->values);
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
        squares +=
            clip_sum_squares(step->train[i]->dw, step->train[i]->weights.len, s->replica->team);
    return sqrt(squares);
}

/* Does an update need all gradients of the step? */
static bool waits(const struct replica_step *step) {
    return step->job->clip_norm > 0 || optim_whole(step->optimizer);
}

/* Elements of one net; scale: of gradients. */
static void update_span(struct stepper *s, struct replica_step *step, int net, int64_t begin,
                        int64_t len, double lr, double scale) {
    const double limit = step->job->clip_value;

    if (limit > 0)
        clip_values(step->train[net]->dw + begin, len, scale, limit, s->replica->team);
    replica_update(s->replica, step, net, begin, len, lr, limit > 0 ? 1 : scale);
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
    for (int i = 0; i < step->n_train; i++)
        update_span(s, step, i, 0, step->train[i]->weights.len, lr, scale);
    return 0;
}

/* Updates follow the buckets as they arrive, unless they have to wait for all of them. */
static int update(struct stepper *s, int which, const struct step_input *in,
                  struct step_times *times, struct err *err) {
    struct replica_step *step = &s->replica->step[which];
    const double lr = in->lr[which];
    int64_t begin, len;
    int span, rc = 0;

    while (reducer_next(s->reducer[which], &span, &begin, &len)) {
        const double start = clock_now();
        if (span >= step->n_train)
            add_running(s, step->running[span - step->n_train], begin, len);
        else if (!waits(step))
            update_span(s, step, span, begin, len, lr, 1);
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

/* Point a graph at samples [first, first + n) of this rank's share. */
static void point(const struct stepper *s, struct plan *p, const struct feed_batch *batch,
                  int64_t first, int64_t n) {
    for (int i = 0; i < s->replica->n_fields; i++) {
        const struct field *f = &s->replica->fields[i];
        const int64_t len = f->sample.rank ? shape_len(&f->sample) : 1;
        run_input(p, f->name, batch->data.field[i] + first * len);
    }
    run_resize(p, n);
}

/* Samples of this rank's share from `first` on that the graph computes at a time. */
static int64_t part_len(const struct plan *p, const struct feed_batch *batch, int64_t first) {
    const int64_t left = batch->data.n - first;

    return left < p->graph->batch ? left : p->graph->batch;
}

/* Forward and backward over this rank's share, part by part; gradients add up, and are final in the
 * last part. The leaves' sums go to s->values. */
static void compute(struct stepper *s, int which, const struct step_input *in, const double *totals,
                    struct step_times *times) {
    struct plan *p = s->replica->step[which].plan;
    struct backward_context context = {s->reducer[which], s, which};
    struct run_context run = {.seed = s->seed,
                              .step = (uint64_t)in->step * JOB_MAX_STEPS + (uint64_t)which,
                              .totals = totals,
                              .progress = progress,
                              .watch = s->watch ? watch : NULL,
                              .context = &context};
    int64_t n;

    for (int64_t first = 0; first < in->batch->data.n; first += n) {
        const double start = clock_now();
        n = part_len(p, in->batch, first);
        point(s, p, in->batch, first, n);
        run.first = in->batch->first + first;
        run.adds = first > 0;
        run_forward(p, &run);
        run_leaves(p, s->values + plan_n_values(p));
        for (int64_t k = 0; k < plan_n_values(p); k++)
            s->values[k] += s->values[plan_n_values(p) + k];
        const double middle = clock_now();
        if (first + n == in->batch->data.n) {
            share_running(s, which, in->batch);
            run.ready = ready;
        }
        run_backward(p, &run);
        times->forward += middle - start;
        times->backward += clock_now() - middle;
    }
}

static int run_one(struct stepper *s, int which, const struct step_input *in, const double *totals,
                   struct step_times *times, struct err *err) {
    struct replica_step *step = &s->replica->step[which];
    struct backward_context context = {s->reducer[which], s, which};
    const struct run_context nothing = {.ready = ready, .context = &context};

    reducer_begin(s->reducer[which]);
    keep_running(s, step);
    memset(s->values, 0, (size_t)plan_n_values(step->plan) * sizeof *s->values);
    if (in->batch->data.n) {
        compute(s, which, in, totals, times);
    } else {
        share_running(s, which, in->batch);
        run_nothing(step->plan, &nothing);
    }
    return update(s, which, in, times, err);
}

/* The terms of this rank's means. */
static void count(struct stepper *s, struct plan *p, const struct feed_batch *batch,
                  double *counts) {
    int64_t n;

    for (int64_t first = 0; first < batch->data.n; first += n) {
        n = part_len(p, batch, first);
        point(s, p, batch, first, n);
        run_counts(p, n, s->values);
        for (int i = 0; i < p->n_leaves; i++)
            counts[i] += s->values[i];
    }
}

/* Count the terms of all means over all ranks. */
static int prepare(struct stepper *s, const struct step_input *in, struct err *err) {
    int64_t at = 0;

    for (int i = 0; i < s->n_sums; i++)
        s->sums[i] = 0;
    for (int i = 0; i < s->replica->n_steps && !in->rc; i++) {
        struct plan *p = s->replica->step[i].plan;
        count(s, p, in->batch, s->sums + at);
        at += plan_n_values(p);
    }
    s->sums[s->n_sums - 1] = in->rc != 0;
    comm_sum_doubles(s->comm, s->sums, s->n_sums);
    return s->sums[s->n_sums - 1] > 0 ? agree(s->comm, in->rc, err) : 0;
}

/* A loss that is not finite ends the job on all ranks, worded by the lowest where it happened. */
static int check_finite(struct stepper *s, const struct step_input *in, double local, double loss,
                        const char *name, struct err *err) {
    int rc = 0;

    if (isfinite(loss))
        return 0;
    if (!isfinite(local))
        rc = err_set(err, ERR_DATA,
                     "step %" PRId64 ": the loss%s%s is %s; a lower learning rate, warmup= or "
                     "clip_norm may help; checkpoints of earlier steps are kept",
                     in->step + 1, name[0] ? " of " : "", name, isnan(local) ? "nan" : "infinite");
    if (agree(s->comm, rc, err))
        return -1;
    return err_set(err, ERR_DATA, "step %" PRId64 ": the loss%s%s is %s when summed over all ranks",
                   in->step + 1, name[0] ? " of " : "", name, isnan(loss) ? "nan" : "infinite");
}

/* The losses of the whole batch from the leaves' sums over ranks and from this rank's own. */
static int find_losses(struct stepper *s, const struct step_input *in, struct step_output *out,
                       struct err *err) {
    int64_t at = 0;

    for (int i = 0; i < s->replica->n_steps; i++) {
        struct replica_step *step = &s->replica->step[i];
        double loss = 0, local = 0;
        for (int64_t k = 0; k < plan_n_values(step->plan); k++) {
            loss += s->sums[at + k];
            local += s->local[at + k];
        }
        if (out->ran[i]) {
            if (check_finite(s, in, local, loss, step->job->name, err))
                return -1;
            run_tail(step->plan, s->sums + at);
            out->loss[i] = run_value(step->plan, step->loss);
        }
        at += plan_n_values(step->plan);
    }
    return 0;
}

int stepper_run(struct stepper *s, const struct step_input *in, struct step_output *out,
                struct err *err) {
    const double start = clock_now();
    int64_t at = 0;

    *out = (struct step_output){0};
    if (prepare(s, in, err))
        return -1;
    for (int i = 0; i < s->replica->n_steps; i++) {
        struct plan *p = s->replica->step[i].plan;
        out->ran[i] = in->step % s->replica->step[i].job->every == 0;
        if (out->ran[i]) {
            if (run_one(s, i, in, s->sums + at, &out->times, err))
                return -1;
            memcpy(s->sums + at, s->values, (size_t)plan_n_values(p) * sizeof *s->sums);
        }
        at += plan_n_values(p);
    }
    memcpy(s->local, s->sums, (size_t)at * sizeof *s->local);
    s->sums[s->n_sums - 1] = in->stop;
    const double waiting = clock_now();
    comm_sum_doubles(s->comm, s->sums, s->n_sums);
    out->times.exposed_comm += clock_now() - waiting;
    out->stop = s->sums[s->n_sums - 1] > 0;
    if (find_losses(s, in, out, err))
        return -1;
    out->times.total = clock_now() - start;
    return 0;
}
