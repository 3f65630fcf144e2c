#include "train/step_parts.h"
#include "core/base/clock.h"
#include "dist/agree.h"

#include <stdlib.h>
#include <string.h>

/* On one host there are no messages to move. */
static int start_mover(struct stepper *s, const struct job *job, struct err *err) {
    if (!job->progress_thread || comm_local_size(s->comm) == comm_size(s->comm))
        return 0;
    if (mover_new(&s->mover, s->comm, err))
        return -1;
    for (int i = 0; i < s->replica->n_steps; i++)
        if (reducer_move_by(s->reducer[i], s->mover, err))
            return -1;
    return 0;
}

/* Gradients, while operators that talk to other ranks wait for them. */
static void keep_moving(void *context) {
    const struct stepper *s = context;

    for (int i = 0; i < s->replica->n_steps; i++)
        if (s->update[i].active)
            reducer_progress(s->reducer[i]);
}

int stepper_init(struct stepper *s, struct replica *r, const struct job *job, struct comm *comm,
                 const struct comm_shared *home, struct err *err) {
    const struct model *m = &r->model;

    int n_room = 0;

    *s = (struct stepper){.replica = r,
                          .comm = comm,
                          .seed = job->seed,
                          .in_parts = job->accumulate > 1 || job->shards > comm_size(comm),
                          .overlap = job->overlap};
    if (agree(comm, step_shards_new(s, job, err), err))
        return -1;
    for (int i = 0; i < r->n_steps; i++) {
        const struct plan *p = r->step[i].plan;
        const int n = (int)plan_n_values(p) + p->n_leaves;
        s->n_counts += p->n_leaves;
        n_room = n > n_room ? n : n_room;
        if (step_plan_sums(s, i, job, home, err))
            return -1;
    }
    if (agree(comm, start_mover(s, job, err), err))
        return -1;
    comm_while_waiting(comm, keep_moving, s);
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

const char *stepper_choice(const struct stepper *s) {
    return s->reducer[0] ? reducer_sums(s->reducer[0])->choice : NULL;
}

void stepper_trace(struct stepper *s, struct trace *trace) {
    s->trace = trace;
    for (int i = 0; i < s->replica->n_steps; i++)
        reducer_trace(s->reducer[i], trace, i);
    if (s->mover)
        mover_trace(s->mover, trace);
}

void stepper_release(struct stepper *s) {
    if (s->replica) {
        stepper_settle(s);
        comm_while_waiting(s->comm, NULL, NULL);
    }
    mover_free(s->mover);
    for (int i = JOB_MAX_STEPS - 1; i >= 0; i--)
        reducer_free(s->reducer[i]);
    step_shards_free(s->shards);
    free(s->counts);
    free(s->sums);
    *s = (struct stepper){0};
}

void stepper_forget(struct stepper *s) {
    for (int i = 0; i < s->replica->n_steps; i++)
        reducer_forget(s->reducer[i]);
}

static void ready(void *context, int net, int64_t offset, int64_t len) {
    const struct step_context *c = context;

    reducer_ready(c->stepper->reducer[c->which], net, offset, len);
}

static void watch(void *context, int node, enum run_phase phase) {
    const struct step_context *c = context;

    c->stepper->watch(c->stepper->watch_context, c->which, node, phase);
}

void step_point(const struct stepper *s, struct plan *p, const struct feed_batch *batch,
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

void step_enter(const struct run_context *run, enum pulse_phase phase) {
    const struct step_context *c = run->context;

    pulse_enter(run->pulse, PULSE_MAIN, phase, (int64_t)(run->step / JOB_MAX_STEPS), c->which);
}

struct step_clock step_clock_of(const struct stepper *s) {
    return (struct step_clock){clock_now(), step_elsewhere(s)};
}

double step_computed(const struct stepper *s, const struct step_clock *since) {
    return clock_now() - since->now - (step_elsewhere(s) - since->elsewhere);
}

static void forward(struct stepper *s, struct plan *p, struct run_context *run,
                    const struct step_input *in, int64_t first, int64_t n,
                    struct step_output *out) {
    const struct step_clock start = step_clock_of(s);

    step_enter(run, PULSE_FORWARD);
    step_point(s, p, in->batch, first, n);
    run->first = in->batch->first + first;
    run_forward(p, run);
    add_leaves(s, p);
    out->times.forward += step_computed(s, &start);
}

static void backward(struct stepper *s, struct plan *p, struct run_context *run,
                     struct step_output *out) {
    const struct step_clock start = step_clock_of(s);

    step_enter(run, PULSE_BACKWARD);
    run_backward(p, run);
    run->adds = true;
    out->times.backward += step_computed(s, &start);
}

/* The terms of this rank's leaves: of all parts, or of the one that has been computed. */
static const double *own_terms(const struct stepper *s, const struct plan *p,
                               const struct feed_batch *batch, const double *totals) {
    return n_parts(s, p, batch) > 1 ? totals : s->part + plan_n_values(p);
}

/* Forward and backward over this rank's share, part by part; gradients add up, and are final in the
 * last part. A rank that runs out of samples goes on with none.
 *   totals  terms of the leaves (apart, of this rank's), where there are several parts: else they
 * follow from forward */
static int compute(struct stepper *s, int which, const struct step_input *in, const double *totals,
                   struct step_output *out, struct err *err) {
    struct plan *p = s->replica->step[which].plan;
    struct step_context context = {.stepper = s, .which = which};
    struct run_context run = {.seed = s->seed,
                              .step = (uint64_t)in->step * JOB_MAX_STEPS + (uint64_t)which,
                              .totals = totals,
                              .need = step_need,
                              .progress = step_progress,
                              .watch = s->watch ? watch : NULL,
                              .whole = s->watch_whole,
                              .context = &context,
                              .pulse = comm_pulse(s->comm)};
    int64_t first = 0, n;

    for (int64_t left = n_parts(s, p, in->batch); left > 0; left--, first += n) {
        n = part_len(p, in->batch, first);
        forward(s, p, &run, in, first, n, out);
        if (!context.backward)
            stepper_settle(s); /* before ranks meet: then nobody reads sums any more */
        if (left == 1 && step_find_loss(s, which, in, out, err))
            return -1;
        if (!context.backward)
            step_begin_sums(s, which, in->lr[which]);
        context.backward = true;
        if (left == 1) {
            run.totals = s->apart ? own_terms(s, p, in->batch, totals) : s->sums + plan_n_values(p);
            step_share_running(s, which, in->batch);
            run.ready = s->apart ? NULL : ready;
        }
        backward(s, p, &run, out);
    }
    return 0;
}

static int run_one(struct stepper *s, int which, const struct step_input *in, const double *totals,
                   struct step_output *out, struct err *err) {
    struct replica_step *step = &s->replica->step[which];
    const int64_t n = plan_n_values(step->plan) + step->plan->n_leaves;

    step_keep_running(s, which);
    memset(s->sums, 0, (size_t)n * sizeof *s->sums);
    if (s->shards ? step_shards_compute(s, which, in, totals, out, err)
                  : compute(s, which, in, totals, out, err)) {
        step_restore_running(s, which);
        s->update[which].active = false;
        return -1;
    }
    return step_end_sums(s, which, in->step + 1, err);
}

/* The terms of this rank's leaves in all parts of the batch. */
static void count(struct stepper *s, struct plan *p, const struct feed_batch *batch,
                  double *counts) {
    int64_t n;

    for (int64_t first = 0; first < batch->data.n; first += n) {
        n = part_len(p, batch, first);
        step_point(s, p, batch, first, n);
        run_counts(p, s->part);
        for (int i = 0; i < p->n_leaves; i++)
            counts[i] += s->part[i];
    }
}

/* Of batches in parts, whose backward begins before forward ends, the terms of all ranks. */
static int count_all(struct stepper *s, const struct step_input *in, struct step_output *out,
                     struct err *err) {
    double *counts = s->counts;

    if (s->shards)
        return step_shards_count(s, in, out, err);
    memset(counts, 0, (size_t)s->n_counts * sizeof *counts);
    for (int i = 0; i < s->replica->n_steps && !in->rc; i++) {
        struct plan *p = s->replica->step[i].plan;
        if (n_parts(s, p, in->batch) > 1)
            count(s, p, in->batch, counts);
        counts += p->n_leaves;
    }
    return s->apart ? step_sum(s, in, s->sums, 0, out, err)
                    : step_sum(s, in, s->counts, s->n_counts, out, err);
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

void step_times_add(struct step_times *sum, const struct step_times *t) {
    sum->forward += t->forward;
    sum->backward += t->backward;
    sum->optimizer += t->optimizer;
    sum->total += t->total;
    sum->exposed_comm += t->exposed_comm;
    sum->control_comm += t->control_comm;
    sum->bucket_comm += t->bucket_comm;
    sum->sync_comm += t->sync_comm;
}

/* What the parts of a step take, as far as they are counted somewhere. */
static struct step_times counted(const struct stepper *s) {
    struct step_times t = {.optimizer = s->optimizer_s, .control_comm = s->control_s};

    t.sync_comm = comm_waited(s->comm) - s->control_s;
    for (int i = 0; i < s->replica->n_steps; i++)
        t.bucket_comm += reducer_seconds(s->reducer[i]);
    return t;
}

int stepper_run(struct stepper *s, const struct step_input *in, struct step_output *out,
                struct err *err) {
    const double start = clock_now();
    const struct step_times before = counted(s);
    const struct feed_batch none = {.first = in->batch->first, .global_n = in->batch->global_n};
    struct step_input mine = *in;

    if (in->rc) /* it takes part all the same: others wait for it */
        mine.batch = &none;
    *out = (struct step_output){0};
    s->told = false;
    s->apart = in->apart;
    if (run_all(s, &mine, out, err))
        return -1;
    const struct step_times after = counted(s);
    struct step_times *t = &out->times;
    t->optimizer = after.optimizer - before.optimizer;
    t->control_comm = after.control_comm - before.control_comm;
    t->bucket_comm = after.bucket_comm - before.bucket_comm;
    t->sync_comm = after.sync_comm - before.sync_comm;
    t->exposed_comm = t->control_comm + t->bucket_comm + t->sync_comm;
    t->total = clock_now() - start;
    return 0;
}
