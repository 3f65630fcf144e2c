/* What operators take, measured here on batches of two or three sizes: steps as a job takes them,
 * of ranks that do not communicate. First rank 0 of each host alone, then all at once. */
#include "cmd/bench.h"
#include "cmd/rig.h"
#include "cmd/scale.h"
#include "core/base/clock.h"
#include "dist/agree.h"
#include "dist/allreduce/allreduce.h"
#include "io/dataset/dataset_spec.h"
#include "train/memory.h"
#include "train/rehearsal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SIZES = 3, WARM_UP = 2, LEAST_STEPS = 3, MOST_STEPS = SCALE_MOST_MEASURED };

/* One size. */
struct scale_size {
    int64_t n;
    double forward, backward, optimizer, total; /* seconds of a step, without a watch */
    double bytes;
    struct bench_graph graph[JOB_MAX_STEPS];
};

struct measuring {
    struct scale *scale;
    struct comm *comm, *self; /* of all; of this rank alone */
    struct scale_size at[SIZES];
    int n;
    double spent; /* seconds */
};

static void say_progress(const struct measuring *m, const char *what, int64_t n) {
    if (comm_rank(m->comm) == 0 && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[Kmeasuring %s, %lld samples of a rank", what, (long long)n);
}

static void end_progress(const struct measuring *m) {
    if (comm_rank(m->comm) == 0 && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, int n) {
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[n / 2];
}

/* After so many steps each [step] has been run as often as its `every` says, and all begins anew;
 * more than MOST_STEPS: at some time after them. */
static int64_t period_of(const struct job *job) {
    int64_t period = 1;

    for (int i = 0; i < job->n_steps && period <= MOST_STEPS; i++) {
        const int64_t before = period;
        while (period <= MOST_STEPS && period % job->step[i].every != 0)
            period += before;
    }
    return period;
}

/* Steps [first, first + n), whole periods, to medians of a step's mean time in each. */
static int time_steps(struct rig *rig, int64_t first, int n, int64_t period, struct scale_size *out,
                      struct err *err) {
    double times[4][MOST_STEPS] = {{0}};
    const double each = 1 / (double)period;
    const int rounds = n / (int)period;
    struct step_output step;

    for (int i = 0; i < n; i++) {
        if (rig_step(rig, first + i, &step, err))
            return -1;
        const int64_t r = i / period;
        times[0][r] += each * step.times.forward, times[1][r] += each * step.times.backward;
        times[2][r] += each * step.times.optimizer, times[3][r] += each * step.times.total;
    }
    out->forward = median(times[0], rounds), out->backward = median(times[1], rounds);
    out->optimizer = median(times[2], rounds), out->total = median(times[3], rounds);
    return 0;
}

/* The same steps under a watch, for each operator. */
static int watch_steps(struct rig *rig, int64_t first, int n, struct pool *pool,
                       struct scale_size *out, struct err *err) {
    struct bench_layers layers = {0};
    int rc = bench_layers_init(&layers, &rig->stepper, rig->batch.data.n, n, err);
    struct step_output step;

    for (int i = 0; i < n && !rc; i++) {
        rc = rig_step(rig, first + i, &step, err);
        if (!rc)
            bench_layers_next(&layers, &step, false);
    }
    if (!rc) {
        bench_layers_finish(&layers, pool);
        for (int g = 0; g < layers.n_graphs; g++) {
            out->graph[g] = layers.graph[g];
            for (int i = 0; i < out->graph[g].n_rows; i++) /* outlives the rig */
                out->graph[g].rows[i].path = pool_print(pool, "%s", out->graph[g].rows[i].path);
        }
    }
    bench_layers_release(&layers);
    return rc;
}

/* The number of the row that computes node i; n_rows where none does. */
static int row_of(const struct bench_graph *g, int node) {
    int i = 0;

    while (i < g->n_rows && g->rows[i].node != node)
        i++;
    return i;
}

/* The operator whose backward makes the last elements of a bucket ready. */
static int completed_by(const struct plan *p, const struct bench_graph *g,
                        const struct reducer_piece *bucket) {
    int last = g->n_rows;

    for (int i = 0; i < p->n_ready; i++) {
        const struct plan_ready *r = &p->ready[i];
        const bool inside = r->net == bucket->span && r->offset < bucket->begin + bucket->len &&
                            bucket->begin < r->offset + r->len;
        const int row = inside ? row_of(g, r->node) : last;
        last = row < last ? row : last;
    }
    return last;
}

static int by_start(const void *a, const void *b) {
    const struct scale_bucket *x = a, *y = b;

    return (x->behind < y->behind) - (x->behind > y->behind);
}

/* What the job says of its [step]s and how it cuts their gradients, while the rig is there. */
static void describe(struct scale *s, const struct rig *rig, const struct scale_size *m) {
    struct pool *pool = &s->args.job.pool;
    struct scale_profile *p = &s->profile;

    p->n_keys = scale_keys(&s->args.job, pool, &p->keys);
    p->n_steps = rig->replica.n_steps;
    p->model = rig->replica.model.n_nets ? pool_print(pool, "%s", rig->replica.model.nets[0]->name)
                                         : "none";
    for (int i = 0; i < p->n_steps; i++) {
        const struct replica_step *step = &rig->replica.step[i];
        const struct reducer *reducer = rig->stepper.reducer[i];
        struct scale_step *out = &p->step[i];
        *out =
            (struct scale_step){.name = step->job->name,
                                .every = step->job->every,
                                .waits = step->job->clip_norm > 0 || optim_whole(step->optimizer),
                                .n_operators = m->graph[i].n_rows,
                                .n_buckets = reducer_n_buckets(reducer)};
        out->buckets = pool_take(pool, ((size_t)out->n_buckets + 1) * sizeof *out->buckets);
        for (int b = 0; b < out->n_buckets; b++) {
            const struct reducer_piece piece = reducer_bucket(reducer, b);
            out->buckets[b] = (struct scale_bucket){
                (double)piece.len * sizeof(real),
                piece.span < step->n_train ? completed_by(step->plan, &m->graph[i], &piece)
                                           : out->n_operators};
        }
        qsort(out->buckets, (size_t)out->n_buckets, sizeof *out->buckets, by_start);
    }
}

/* The job with a batch of n samples for each rank, in one part; the bits of sums do not matter. */
static int rig_of(struct scale *s, int64_t n, struct comm *comm, struct rig *rig, struct err *err) {
    struct job *job = &s->args.job;
    const struct job before = *job;
    const struct word *ring = allreduce_find("ring");
    void *args = pool_take(&job->pool, ring->args_size);

    word_defaults(ring, args);
    job->batch = n, job->accumulate = 1;
    job->reproducible = false, job->shards = 0;
    job->allreduce = (struct applied){ring, args};
    const int rc = rig_init(rig, job, comm, s->profile.threads, err);
    job->batch = before.batch, job->accumulate = before.accumulate;
    job->reproducible = before.reproducible, job->shards = before.shards;
    job->allreduce = before.allreduce;
    return rc;
}

/* How many steps are timed, when one takes so long and there are so many seconds: whole periods. */
static int steps_for(const struct scale *s, double seconds, double step_s) {
    const double there = s->args.steps ? (double)s->args.steps : seconds / step_s;
    const int least = s->args.steps ? 1 : LEAST_STEPS, period = (int)period_of(&s->args.job);
    const int n = there < least ? least : there > MOST_STEPS ? MOST_STEPS : (int)there;
    const int rounds = (n + period - 1) / period;

    return (rounds * period > MOST_STEPS ? rounds - 1 : rounds) * period;
}

static int measure_rig(struct measuring *m, struct rig *rig, struct scale_size *out,
                       struct err *err) {
    struct scale *s = m->scale;
    struct step_output step;

    for (int i = 0; i < WARM_UP; i++)
        if (rig_step(rig, i, &step, err))
            return -1;
    const int n = steps_for(s, s->want.seconds / (2 * SIZES + 2), step.times.total);
    out->bytes = (double)replica_bytes(&rig->replica);
    if (time_steps(rig, WARM_UP, n, period_of(&s->args.job), out, err) ||
        watch_steps(rig, WARM_UP, n, &s->args.job.pool, out, err))
        return -1;
    if (!m->n)
        describe(s, rig, out);
    return 0;
}

/* n samples on this rank alone, to the next place. */
static int measure_size(struct measuring *m, int64_t n, struct err *err) {
    struct scale_size *out = &m->at[m->n];
    struct rig rig = {0};
    const double began = clock_now();

    out->n = n;
    say_progress(m, "one rank", n);
    const int rc = rig_of(m->scale, n, m->self, &rig, err) || measure_rig(m, &rig, out, err);
    rig_release(&rig);
    m->spent += clock_now() - began;
    m->n += !rc;
    return rc ? -1 : 0;
}

static int64_t samples_of_rank(const struct scale *s, int64_t ranks) {
    const struct scale_setting *g = &s->setting;
    const int64_t batch = g->weak ? g->batch * ranks : g->batch;
    const int64_t n = (batch + ranks * g->parts - 1) / (ranks * g->parts);

    return n > 1 ? n : 1;
}

/* The most samples up to `wanted` whose steps can be timed in the seconds that are left for a size,
 * in half of the memory that is left. */
static int64_t affordable(const struct measuring *m, int64_t wanted) {
    const struct scale_size *first = &m->at[0];
    const double step_s = first->total / (double)first->n;
    const double bytes = first->bytes / (double)first->n, left = memory_left();
    const double seconds = m->scale->want.seconds / SIZES / (WARM_UP + 2 * LEAST_STEPS);
    double most = fmin((double)wanted, seconds / step_s);

    if (left > 0)
        most = fmin(most, left / 2 / bytes);
    return (int64_t)fmax(most, (double)first->n);
}

static int by_samples(const void *a, const void *b) {
    const struct scale_size *x = a, *y = b;

    return (x->n > y->n) - (x->n < y->n);
}

/* The least that a rank gets, the most or what can be afforded, and one between. */
static int measure_sizes(struct measuring *m, struct err *err) {
    const struct scale *s = m->scale;
    const int64_t least = samples_of_rank(s, s->want.ranks[s->want.n_ranks - 1]);
    const int64_t most = samples_of_rank(s, s->want.ranks[0]);

    if (period_of(&s->args.job) > MOST_STEPS)
        return err_set(
            err, ERR_CONFIG,
            "%s: `every` of its [step]s: found none of the first %d steps after which all "
            "have run as often as they say, expected one, as so many are measured at most",
            s->args.job.path, MOST_STEPS);
    if (measure_size(m, least, err))
        return -1;
    int64_t last = affordable(m, most);
    if (last <= least)
        last = least > 1 ? least / 2 : 2;
    const int64_t middle = (int64_t)sqrt((double)least * (double)last);
    if ((middle > least && middle < last && measure_size(m, middle, err)) ||
        measure_size(m, last, err))
        return -1;
    qsort(m->at, (size_t)m->n, sizeof *m->at, by_samples);
    return 0;
}

static struct scale_line line_of(const struct measuring *m, const double *found) {
    double n[SIZES];

    for (int i = 0; i < m->n; i++)
        n[i] = (double)m->at[i].n;
    return scale_fit(n, found, m->n);
}

/* Of all operators under the watch, to what steps took without it. */
static double watched(const struct scale_size *m, int n_graphs, const struct scale_profile *p,
                      bool backward) {
    double sum = 0;

    for (int g = 0; g < n_graphs; g++)
        for (int i = 0; i < m->graph[g].n_rows; i++) {
            const double *seconds = m->graph[g].rows[i].figures.seconds;
            sum += (backward ? seconds[1] + seconds[2] : seconds[0]) / (double)p->step[g].every;
        }
    return sum;
}

static void fit_operator(const struct measuring *m, int g, int i, const double *forward_scale,
                         const double *backward_scale, struct scale_operator *out) {
    double v[4][SIZES];

    for (int k = 0; k < m->n; k++) {
        const struct bench_figures *f = &m->at[k].graph[g].rows[i].figures;
        v[0][k] = forward_scale[k] * f->seconds[0];
        v[1][k] = backward_scale[k] * (f->seconds[1] + f->seconds[2]);
        v[2][k] = f->bytes[0], v[3][k] = f->bytes[1] + f->bytes[2];
    }
    out->forward = line_of(m, v[0]), out->backward = line_of(m, v[1]);
    out->forward_bytes = line_of(m, v[2]), out->backward_bytes = line_of(m, v[3]);
}

/* The lines of all operators, and of what is none. */
static void fit_all(struct measuring *m) {
    struct scale_profile *p = &m->scale->profile;
    struct pool *pool = &m->scale->args.job.pool;
    double forward[SIZES], backward[SIZES], optimizer[SIZES], other[SIZES], bytes[SIZES];

    for (int k = 0; k < m->n; k++) {
        const struct scale_size *at = &m->at[k];
        forward[k] = at->forward / watched(at, p->n_steps, p, false);
        backward[k] = at->backward / watched(at, p->n_steps, p, true);
        optimizer[k] = at->optimizer;
        other[k] = fmax(0, at->total - at->forward - at->backward - at->optimizer);
        bytes[k] = at->bytes;
        p->sizes[k] = at->n;
    }
    p->n_sizes = m->n;
    p->optimizer = line_of(m, optimizer), p->other = line_of(m, other);
    p->rank_bytes = line_of(m, bytes);
    p->rank_bytes.fixed += fmax(0, memory_held());
    for (int g = 0; g < p->n_steps; g++) {
        struct scale_step *step = &p->step[g];
        step->operators =
            pool_take(pool, ((size_t)step->n_operators + 1) * sizeof *step->operators);
        for (int i = 0; i < step->n_operators; i++) {
            const struct bench_row *row = &m->at[0].graph[g].rows[i];
            step->operators[i].name =
                pool_print(pool, "%s%s%s", row->path, row->path[0] ? " " : "", row->word);
            fit_operator(m, g, i, forward, backward, &step->operators[i]);
        }
    }
}

/* The shortest of n steps: others that use the processors meanwhile only make them longer. */
static int fastest_step(struct rig *rig, int n, double *seconds, struct err *err) {
    struct step_output step;

    *seconds = INFINITY;
    for (int i = 0; i < n; i++) {
        if (rig_step(rig, i, &step, err))
            return -1;
        *seconds = fmin(*seconds, step.times.total);
    }
    return 0;
}

/* Steps of one rank of each host, then of all at once: the slowest rank's, each. */
static int compare_sharing(struct measuring *m, struct rig *rig, double step_s, struct err *err) {
    const int n = WARM_UP + steps_for(m->scale, m->scale->want.seconds / 8, step_s);
    const bool first = comm_local_rank(m->comm) == 0;
    double alone = 0, together;

    if (agree(m->comm, first ? fastest_step(rig, n, &alone, err) : 0, err) ||
        agree(m->comm, fastest_step(rig, n, &together, err), err))
        return -1;
    m->scale->profile.slowdown =
        fmax(1, comm_max_double(m->comm, together) / comm_max_double(m->comm, alone));
    return 0;
}

/* What ranks of this host that compute at once do to each other. */
static int measure_sharing(struct measuring *m, struct err *err) {
    struct scale_profile *p = &m->scale->profile;
    const struct scale_size *middle = &m->at[m->n > 2 ? 1 : 0];
    struct bench_machine machine = {0};
    struct rig rig = {0};
    double figures[2] = {(double)middle->n, middle->total};

    comm_bcast(m->comm, figures, sizeof figures, 0);
    say_progress(m, "all ranks at once", (int64_t)figures[0]);
    p->sharing = comm_local_size(m->comm);
    p->slowdown = 1;
    int rc = agree(m->comm, rig_of(m->scale, (int64_t)figures[0], m->self, &rig, err), err);
    if (!rc && p->sharing > 1)
        rc = compare_sharing(m, &rig, figures[1], err);
    if (!rc)
        rc = bench_machine_measure(m->comm, rig.replica.team, &machine, err);
    rig_release(&rig);
    p->memory_bytes_per_s = 1e9 * machine.gb_per_s * p->sharing;
    return rc;
}

/* What the data asks of storage and of processors, where it is there. */
static int measure_data(struct measuring *m, struct err *err) {
    const struct job *job = &m->scale->args.job;
    struct scale_profile *p = &m->scale->profile;
    struct dataset *ds = NULL;
    double rate = 0;

    if (!job->train_data || dataset_spec_absent(job->train_data))
        return 0;
    int rc = dataset_open(&ds, job->train_data, 0, err);
    if (!agree(m->comm, rc, err))
        rc = rehearsal_samples(job, ds, m->self, &rate, err);
    if (!rc) {
        p->samples = (double)dataset_len(ds);
        p->sample_bytes = (double)dataset_unkept_bytes(ds) / p->samples;
        p->decode_s = rate > 0 ? 1 / rate : 0;
    }
    dataset_close(ds);
    return agree(m->comm, rc, err);
}

int scale_measure(struct scale *s, struct err *err) {
    struct measuring m = {.scale = s, .comm = s->args.comm};
    const double left = memory_left();
    int rc = 0;

    s->profile.cache_bytes = fmax(0, (double)sysconf(_SC_LEVEL2_CACHE_SIZE));
    s->profile.host_bytes = left > 0 ? left + fmax(0, memory_held()) : 0;
    m.self = comm_split(m.comm, comm_rank(m.comm));
    if (comm_rank(m.comm) == 0)
        rc = measure_sizes(&m, err);
    rc = agree(m.comm, rc, err) || measure_sharing(&m, err) || measure_data(&m, err) ? -1 : 0;
    if (!rc && comm_rank(m.comm) == 0)
        fit_all(&m);
    end_progress(&m);
    comm_free(m.self);
    return rc;
}
