/* The steps of a job as training takes them, but for operators and optimisers, which wait in place
 * of computing: more ranks than processors then keep the pace of as many processors, and what is
 * between them is real. */
#include "cmd/rig.h"
#include "cmd/scale.h"
#include "core/base/clock.h"
#include "dist/agree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARM_UP = 2, STEPS = 10 };

/* Time that one rank waits. */
struct pace {
    double late_s; /* that it woke up too late, to be made good */
};

/* What stands in for one operator, or one optimiser. */
struct stand_in {
    struct op op;
    struct optimizer optimizer;
    struct pace *pace;
    double forward_s, backward_s; /* of an operator's call */
    double terms;                 /* of a loss */
    double element_s;             /* of an optimiser, for each element */
};

static void wait_for(struct pace *pace, double seconds) {
    const double until = clock_now() + seconds - pace->late_s;
    double now = clock_now();

    for (; now < until; now = clock_now()) {
        const double left = until - now;
        nanosleep(&(struct timespec){(time_t)left, (long)(1e9 * (left - floor(left)))}, NULL);
    }
    pace->late_s = now - until;
}

static void forward(const struct op_call *c) {
    const struct stand_in *s = c->args;

    if (s->op.count)
        memset(c->y.reals, 0, (size_t)shape_len(&c->y.shape) * sizeof *c->y.reals);
    wait_for(s->pace, s->forward_s);
}

static void backward(const struct op_call *c) {
    const struct stand_in *s = c->args;

    wait_for(s->pace, s->backward_s);
}

/* It is part of what the backward of a reader was measured to take. */
static void recompute(const struct op_call *c) {
    (void)c;
}

static double count(const struct op_call *c) {
    return ((const struct stand_in *)c->args)->terms;
}

static void update(const void *args, const struct optim_call *c, const struct optim_norms *norms) {
    const struct stand_in *s = args;

    (void)norms;
    wait_for(s->pace, s->element_s * (double)c->len);
}

static void measure(const void *args, const struct optim_call *c, struct optim_norms *squares) {
    (void)args, (void)c, (void)squares;
}

/* Put a stand-in in the place of a node's operator. */
static void replace(struct stand_in *s, struct node *node, struct plan_node *planned) {
    s->op = *node->op;
    s->op.forward = forward;
    s->op.backward = node->op->backward ? backward : NULL;
    s->op.count = node->op->count ? count : NULL;
    s->op.memory.start_backward = NULL;
    if (s->op.memory.recompute)
        s->op.memory.recompute = recompute;
    node->op = &s->op;
    planned->call.args = s;
}

struct replay {
    struct scale *scale;
    struct rig rig;
    struct pace pace;
    double n; /* samples of this rank */
};

/* The operators of one [step], as bench lists them. Errors: ERR_DATA, the profile has others. */
static int replace_operators(struct replay *r, int which, struct err *err) {
    const struct scale_step *step = &r->scale->profile.step[which];
    struct graph *g = r->rig.replica.step[which].graph;
    struct plan *p = r->rig.replica.step[which].plan;
    struct stand_in *s = pool_take(&r->scale->args.job.pool, ((size_t)g->n_nodes + 1) * sizeof *s);
    int k = 0;

    for (int i = 0; i < g->n_nodes; i++) {
        if (!g->nodes[i].op || !p->nodes[i].live)
            continue;
        if (k < step->n_operators && !p->nodes[i].tail) {
            s[k] = (struct stand_in){.pace = &r->pace,
                                     .forward_s = scale_at(&step->operators[k].forward, r->n),
                                     .backward_s = scale_at(&step->operators[k].backward, r->n),
                                     .terms = r->n};
            replace(&s[k], &g->nodes[i], &p->nodes[i]);
        }
        k++;
    }
    if (k != step->n_operators)
        return err_set(
            err, ERR_DATA,
            "%s: found %d operators of [step %s], expected the %d of %s; measure it anew",
            r->scale->want.profile, step->n_operators, step->name, k, r->scale->args.job.path);
    if (k > 0 && which == 0)
        s[0].forward_s += scale_at(&r->scale->profile.other, r->n);
    return 0;
}

static void replace_optimizer(struct replay *r, int which, double elements) {
    struct replica_step *step = &r->rig.replica.step[which];
    struct stand_in *s = pool_take(&r->scale->args.job.pool, sizeof *s);

    s->optimizer = *step->optimizer;
    s->optimizer.step = update;
    s->optimizer.measure = step->optimizer->measure ? measure : NULL;
    s->pace = &r->pace;
    s->element_s = scale_at(&r->scale->profile.optimizer, r->n) / elements;
    step->optimizer = &s->optimizer;
    r->scale->args.job.step[which].optimizer.args = s;
}

static int replace_all(struct replay *r, struct err *err) {
    const struct replica *replica = &r->rig.replica;
    double elements = 0;

    if (r->scale->profile.n_steps != replica->n_steps)
        return err_set(err, ERR_DATA, "%s: found a profile of %d [step]s, expected the %d of %s",
                       r->scale->want.profile, r->scale->profile.n_steps, replica->n_steps,
                       r->scale->args.job.path);
    for (int i = 0; i < replica->n_steps; i++)
        for (int k = 0; k < replica->step[i].n_train; k++)
            elements += (double)replica->step[i].train[k]->weights.trained_len;
    for (int i = 0; i < replica->n_steps; i++) {
        if (replace_operators(r, i, err))
            return -1;
        replace_optimizer(r, i, elements);
    }
    return 0;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Medians over steps of their time and of its exposed communication, of the slowest rank. */
static int run_steps(struct replay *r, int n, double *step_s, double *exposed_s, struct err *err) {
    struct comm *comm = r->scale->args.comm;
    double total[SCALE_MOST_REPLAYED], exposed[SCALE_MOST_REPLAYED];

    for (int i = -WARM_UP; i < n; i++) {
        struct step_output out;
        if (rig_step(&r->rig, i + WARM_UP, &out, err))
            return -1;
        if (i >= 0)
            total[i] = out.times.total, exposed[i] = out.times.exposed_comm;
    }
    qsort(total, (size_t)n, sizeof *total, by_value);
    qsort(exposed, (size_t)n, sizeof *exposed, by_value);
    *step_s = comm_max_double(comm, total[n / 2]);
    *exposed_s = comm_max_double(comm, exposed[n / 2]);
    return 0;
}

/* What the model says of these ranks, whose operators wait and do not share memory. */
static struct scale_row predict(const struct scale *s, const struct scale_profile *p) {
    struct scale_setting g = s->setting;

    g.profile = p;
    g.cluster.per_host = (int64_t)comm_max_double(s->args.comm, comm_local_size(s->args.comm));
    g.cluster.memory_bytes_per_s =
        s->want.memory_bytes_per_s > 0 ? s->want.memory_bytes_per_s : p->memory_bytes_per_s;
    g.thread_scale = 1;
    return scale_row(&g, comm_size(s->args.comm), s->setting.own);
}

static void print(const struct scale *s, const struct scale_row *row, double step_s,
                  double exposed_s) {
    printf("replay: model=%s allreduce=%s ranks=%lld hosts=%lld batch_per_rank=%lld "
           "link_gbit_per_s=%.4g link_us=%.4g predicted_ms=%.2f replayed_ms=%.2f "
           "error_percent=%.1f predicted_exposed_ms=%.2f replayed_exposed_ms=%.2f limit=\"%s\"\n",
           s->profile.model, row->model->name, (long long)row->ranks, (long long)row->hosts,
           (long long)row->per_rank, 8e-9 * s->setting.cluster.bytes_per_s,
           1e6 * s->setting.cluster.latency_s, 1e3 * row->step_s, 1e3 * step_s,
           100 * (row->step_s / step_s - 1), 1e3 * row->exposed_s, 1e3 * exposed_s,
           scale_limit_text(row->limit));
}

static int replay(struct replay *r, struct err *err) {
    struct scale *s = r->scale;
    struct job *job = &s->args.job;
    struct scale_profile idle = s->profile;
    const int n = s->args.steps ? (int)s->args.steps : STEPS;
    double step_s, exposed_s;

    if (s->setting.weak)
        job->batch = s->setting.batch * comm_size(s->args.comm);
    job->accumulate = s->setting.parts = 1;
    if (rig_init(&r->rig, job, s->args.comm, 1, err))
        return -1;
    r->n = (double)r->rig.batch.data.n;
    if (agree(s->args.comm, replace_all(r, err), err) || run_steps(r, n, &step_s, &exposed_s, err))
        return -1;
    idle.sharing = INT32_MAX, idle.slowdown = 1, idle.decode_s = 0;
    const struct scale_row row = predict(s, &idle);
    if (comm_rank(s->args.comm) == 0)
        print(s, &row, step_s, exposed_s);
    return 0;
}

int scale_replay(struct scale *s, struct err *err) {
    struct replay r = {.scale = s};
    const int rc = replay(&r, err);

    rig_release(&r.rig);
    return rc;
}
