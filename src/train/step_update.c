/* step_update.c - sums over ranks become updates: as they arrive during backward, when the next
 * forward needs the weights, or at the end, by whoever looks at weights first. */
#include "core/base/clock.h"
#include "core/learn/clip.h"
#include "train/step_parts.h"
#include "train/tensors.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Does an update need all gradients of the step? */
static bool waits(const struct replica_step *step) {
    return step->job->clip_norm > 0 || optim_whole(step->optimizer);
}

/* Does backward read a parameter after its gradient is final? Its own nodes do not: it is final
 * when the last of them is done. Others may, which use the parameter and give it no gradient, or
 * whose values are computed again for another. */
static bool is_read_later(const struct plan *p, const struct plan_ready *ready) {
    const struct net *net = p->train[ready->net];

    for (int i = 0; i < ready->node; i++) {
        const struct node *node = &p->graph->nodes[i];
        bool computed = p->nodes[i].backward;

        for (int k = 0; k < p->n_refills; k++)
            computed = computed || (p->refills[k].node == i && p->refills[k].before < ready->node);
        for (int k = 0; computed && node->net == net && k < OP_MAX_WEIGHTS; k++)
            if (node->plan.w[k].shape.rank &&
                net->weights.items[node->w[k]].offset == ready->offset)
                return true;
    }
    return false;
}

static bool may_be_early(const struct plan *p) {
    for (int i = 0; i < p->n_ready; i++)
        if (is_read_later(p, &p->ready[i]))
            return false;
    return true;
}

/* In the order of backward; running statistics go before. */
static void expect(struct reducer *reducer, const struct replica_step *step) {
    const struct plan *p = step->plan;

    for (int i = 0; i < step->n_running; i++)
        reducer_expect(reducer, step->n_train + i, 0, step->running[i]->states.len);
    for (int i = 0; i < p->n_ready; i++)
        reducer_expect(reducer, p->ready[i].net, p->ready[i].offset, p->ready[i].len);
}

/* What the first step measured to be best holds of all. */
static const struct applied *algorithm_of(const struct stepper *s, int which,
                                          const struct job *job) {
    return which ? &reducer_sums(s->reducer[0])->applied : &job->allreduce;
}

int step_plan_sums(struct stepper *s, int which, const struct job *job,
                   const struct comm_shared *home, struct err *err) {
    const struct replica_step *step = &s->replica->step[which];
    const int n = step->n_train + step->n_running;
    struct pool *pool = &s->replica->model.pool;
    struct allreduce_vector *span = pool_take(pool, (size_t)(n + 1) * sizeof *span);

    for (int i = 0; i < step->n_train; i++)
        span[i] = (struct allreduce_vector){.v = step->train[i]->dw,
                                            .len = step->train[i]->weights.trained_len,
                                            .home = home,
                                            .own = waits(step) || step->job->clip_value > 0,
                                            .wire = &job->wire};
    for (int i = 0; i < step->n_train && allreduce_wants_tensors(&job->allreduce); i++)
        tensors_list(&span[i], step->train[i], pool);
    for (int i = 0; i < step->n_running; i++)
        span[step->n_train + i] = (struct allreduce_vector){
            .v = step->running[i]->state, .len = step->running[i]->states.len, .own = true};
    if (s->shards)
        step_shards_place(s, which, span, n);
    if (reducer_new(&s->reducer[which], s->comm, algorithm_of(s, which, job), span, n,
                    job->bucket_bytes, err))
        return -1;
    expect(s->reducer[which], step);
    s->update[which].early = s->overlap && !waits(step) && may_be_early(step->plan);
    return 0;
}

/* Do running statistics hold what the step changes, while that is added up? */
static bool adds_changes(const struct stepper *s) {
    return comm_size(s->comm) > 1 || s->shards;
}

/* Elements [begin, begin + len) of running statistics hold the sum of the changes. */
static void add_running(const struct stepper *s, const struct net *net, int64_t begin,
                        int64_t len) {
    const real *before = s->before[net->index];

    for (int64_t k = begin; adds_changes(s) && k < begin + len; k++)
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

    if (s->see)
        s->see(s->watch_context, (int)(step - s->replica->step), piece);
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
        if (!isfinite(norm) && !s->apart) /* apart, the next loss shows it to all ranks */
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

/* The seconds since then went into an update. */
static void count_update(struct stepper *s, int which, int span, double began) {
    const double now = clock_now();

    s->optimizer_s += now - began;
    trace_add(s->trace, &(struct trace_event){TRACE_UPDATE, TRACE_MAIN, which, span, began, now});
}

/* A sum has arrived. The update is over with the last of them. */
static void apply(struct stepper *s, int which, const struct reducer_piece *piece) {
    struct replica_step *step = &s->replica->step[which];
    const struct pulse_beat was = pulse_pause(comm_pulse(s->comm), PULSE_UPDATE);
    const double start = clock_now();

    if (piece->span >= step->n_train)
        add_running(s, step->running[piece->span - step->n_train], piece->begin, piece->len);
    else if (!waits(step))
        update_piece(s, step, piece, s->update[which].lr, 1);
    count_update(s, which, piece->span, start);
    pulse_resume(comm_pulse(s->comm), &was);
}

/* The update is over once all sums have been applied. */
static void end_if_done(struct stepper *s, int which) {
    if (!reducer_done(s->reducer[which]))
        return;
    reducer_progress(s->reducer[which]); /* the last sum has been read */
    s->update[which].active = false;
    s->replica->step[which].n_updates++;
}

/* Wait for one more sum. */
static void apply_next(struct stepper *s, int which) {
    struct reducer_piece piece;

    if (reducer_next(s->reducer[which], &piece))
        apply(s, which, &piece);
    end_if_done(s, which);
}

/* Sums that have arrived. */
static void apply_arrived(struct stepper *s, int which) {
    struct reducer_piece piece;

    while (reducer_poll(s->reducer[which], &piece))
        apply(s, which, &piece);
    end_if_done(s, which);
}

void stepper_settle(struct stepper *s) {
    for (int i = 0; i < s->replica->n_steps; i++)
        while (s->update[i].active)
            apply_next(s, i);
}

void step_need(void *context, const struct net *net, int64_t offset, int64_t len) {
    const struct step_context *c = context;
    struct stepper *s = c->stepper;

    if (c->backward) /* of a batch in parts, the first has waited for all */
        return;
    for (int which = 0; which < s->replica->n_steps; which++) {
        const struct replica_step *step = &s->replica->step[which];
        for (int i = 0; s->update[which].active && i < step->n_train; i++)
            while (step->train[i] == net && offset < net->weights.trained_len &&
                   s->update[which].active && !reducer_returned(s->reducer[which], i, offset, len))
                apply_next(s, which);
    }
}

/* Forward goes on with what others of the job's steps have under way; backward with its own. */
void step_progress(void *context) {
    const struct step_context *c = context;
    struct stepper *s = c->stepper;

    for (int i = 0; i < s->replica->n_steps; i++) {
        if (!s->update[i].active)
            continue;
        if (!c->backward || s->update[i].early)
            apply_arrived(s, i);
        else
            reducer_progress(s->reducer[i]);
    }
}

void step_keep_running(struct stepper *s, int which) {
    const struct replica_step *step = &s->replica->step[which];

    for (int i = 0; i < s->replica->n_steps; i++)
        for (int k = 0; k < s->replica->step[i].n_running; k++) {
            const int span = s->replica->step[i].n_train + k;
            const int64_t len = s->replica->step[i].running[k]->states.len;
            while (s->update[i].active && !reducer_returned(s->reducer[i], span, 0, len))
                apply_next(s, i);
        }
    for (int i = 0; i < step->n_running; i++)
        memcpy(s->before[step->running[i]->index], step->running[i]->state,
               (size_t)step->running[i]->states.len * sizeof(real));
}

void step_restore_running(const struct stepper *s, int which) {
    const struct replica_step *step = &s->replica->step[which];

    for (int i = 0; i < step->n_running; i++)
        memcpy(step->running[i]->state, s->before[step->running[i]->index],
               (size_t)step->running[i]->states.len * sizeof(real));
}

/* Several of the job's steps may train one net, whose gradients others still read for another. */
void step_begin_sums(struct stepper *s, int which, double lr) {
    for (int i = 0; i < s->replica->n_steps; i++)
        reducer_wait_writable(s->reducer[i]);
    s->update[which].lr = lr;
    if (s->apart)
        return;
    reducer_begin(s->reducer[which]);
    s->update[which].active = true;
}

void step_share_running(const struct stepper *s, int which, const struct feed_batch *batch) {
    const struct replica_step *step = &s->replica->step[which];
    const real share = (real)((double)batch->data.n / (double)batch->global_n);

    for (int i = 0; i < step->n_running && !s->apart; i++) {
        const struct net *net = step->running[i];
        const real *before = s->before[net->index];
        for (int64_t k = 0; adds_changes(s) && k < net->states.len; k++)
            net->state[k] = share * (net->state[k] - before[k]);
        reducer_ready(s->reducer[which], step->n_train + i, 0, net->states.len);
    }
}

int step_end_sums(struct stepper *s, int which, int64_t number, struct err *err) {
    struct replica_step *step = &s->replica->step[which];
    const int64_t n_updates = step->n_updates;
    int rc = 0;

    if (s->overlap && !waits(step) && !s->apart)
        return 0;
    while (s->update[which].active)
        apply_next(s, which);
    if (waits(step) || s->apart) {
        const struct pulse_beat was = pulse_pause(comm_pulse(s->comm), PULSE_UPDATE);
        const double start = clock_now();
        step->n_updates = n_updates; /* it counts those before this one */
        rc = update_all(s, step, s->update[which].lr, number, err);
        step->n_updates++;
        count_update(s, which, 0, start);
        pulse_resume(comm_pulse(s->comm), &was);
    }
    return rc;
}

double step_elsewhere(const struct stepper *s) {
    double seconds = s->optimizer_s + comm_waited(s->comm);

    for (int i = 0; i < s->replica->n_steps; i++)
        seconds += reducer_seconds(s->reducer[i]);
    return seconds;
}
