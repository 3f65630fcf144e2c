/* step_shards.c - a step whose bits do not depend on the number of ranks. A batch is cut into
 * shards; each is computed by itself, on whatever rank, and what they give is added along one tree.
 * Where a rank has several, gradients wait in `pieces` until their neighbours in the tree are
 * there. */
#include "dist/fold.h"
#include "train/shards.h"
#include "train/step_parts.h"

#include <stdlib.h>
#include <string.h>

/* Gradients and changes of running statistics of one of the job's steps, as its reducer has them.
 */
struct shard_spans {
    struct allreduce_vector *span; /* [n] */
    int n;
};

struct step_shards {
    int n;                  /* of the batch */
    struct shard_range own; /* of this rank */
    struct shard_spans step[JOB_MAX_STEPS];
    struct arena arena; /* pieces of all steps */
    double *rows; /* [n][most] what leaves of one graph gave, or terms of all; room for SAY_LEN */
};

/* Numbers of all leaves of one graph, or terms of those of all graphs, whichever are more. */
static size_t row_len(const struct replica *r) {
    size_t all = 0, most = 0;

    for (int i = 0; i < r->n_steps; i++) {
        const struct plan *p = r->step[i].plan;
        const size_t n = (size_t)plan_n_values(p) + (size_t)p->n_leaves;
        most = n > most ? n : most;
        all += (size_t)p->n_leaves;
    }
    return all > most ? all : most;
}

int step_shards_new(struct stepper *s, const struct job *job, struct err *err) {
    const int rank = comm_rank(s->comm), size = comm_size(s->comm);
    struct step_shards *shards;

    if (!job->shards)
        return 0;
    shards = s->shards = calloc(1, sizeof *shards);
    if (!shards)
        return err_set(err, ERR_IO, "no memory for %d shards", job->shards);
    *shards = (struct step_shards){.n = job->shards, .own = shard_of_rank(job->shards, rank, size)};
    shards->rows =
        calloc((size_t)job->shards * row_len(s->replica) + SAY_LEN, sizeof *shards->rows);
    if (!shards->rows)
        return err_set(err, ERR_IO, "no memory for the sums of %d shards", job->shards);
    return arena_init(&shards->arena, shards_bytes(s->replica, rank, size), err);
}

void step_shards_free(struct step_shards *shards) {
    if (!shards)
        return;
    arena_release(&shards->arena);
    free(shards->rows);
    free(shards);
}

static int end_of(const struct shard_range *own) {
    return (int)(own->first + own->n);
}

void step_shards_place(struct stepper *s, int which, struct allreduce_vector *span, int n) {
    struct step_shards *shards = s->shards;
    const int64_t stride = shards_step_len(&s->replica->step[which]);
    const int depth = fold_depth(shards->n, (int)shards->own.first, end_of(&shards->own));
    real *at = arena_take(&shards->arena, (size_t)depth * (size_t)stride * sizeof *at);

    shards->step[which] = (struct shard_spans){span, n};
    for (int i = 0; i < n; i++) {
        span[i].shards = shards->n;
        span[i].partial = at;
        span[i].partial_stride = stride;
        at += arena_round((size_t)span[i].len * sizeof *at) / sizeof *at;
    }
}

/* --- what shards give, added along the tree --- */

/* Of a shard's span: the last `n` of its pieces, which it completes, begin at number `at`. */
struct shard_fold {
    const struct allreduce_vector *span;
    int at, n;
    bool stays; /* in its span, as the last one of a rank does; else it becomes piece `at` */
};

static struct shard_fold fold_of(const struct step_shards *shards, int shard) {
    struct fold_piece pieces[FOLD_MAX_PIECES];
    const int first = (int)shards->own.first;
    const int n = fold_completes(shards->n, first, shard);

    return (struct shard_fold){.at = fold_pieces(shards->n, first, shard, pieces) - n,
                               .n = n,
                               .stays = shard + 1 == end_of(&shards->own)};
}

static void fold_elements(void *context, int64_t begin, int64_t end) {
    const struct shard_fold *f = context;
    real *piece = f->span->partial + f->at * f->span->partial_stride + begin;
    real *leaf = f->span->v + begin;

    fold_into(leaf, piece, f->span->partial_stride, f->n, end - begin, f->stays ? leaf : piece);
}

/* All that a shard gave, but the last one of a rank. */
static void keep(struct stepper *s, int which, int shard) {
    const struct shard_spans *spans = &s->shards->step[which];
    struct shard_fold fold = fold_of(s->shards, shard);

    for (int i = 0; i < spans->n; i++) {
        fold.span = &spans->span[i];
        team_run(s->replica->team, fold.span->len, fold_elements, &fold);
    }
}

/* What the graph tells while it runs. */
struct shard_context {
    struct step_context step; /* first, for those who take it alone */
    struct shard_fold fold;   /* of the last shard */
};

/* Elements of the last shard: what they complete is this rank's, and goes on its way. */
static void ready(void *context, int span, int64_t offset, int64_t len) {
    struct shard_context *c = context;
    const struct stepper *s = c->step.stepper;

    c->fold.span = &s->shards->step[c->step.which].span[span];
    if (c->fold.n)
        fold_elements(&c->fold, offset, offset + len);
    reducer_ready(s->reducer[c->step.which], span, offset, len);
}

static void watch(void *context, int node, enum run_phase phase) {
    const struct step_context *c = context;

    c->stepper->watch(c->stepper->watch_context, c->which, node, phase);
}

/* --- running statistics: every shard moves those from before the step --- */

/* What a shard of that share of the batch changed, which is what is added. */
static void take_changes(const struct stepper *s, const struct replica_step *step, double share) {
    for (int i = 0; i < step->n_running; i++) {
        const struct net *net = step->running[i];
        const real *before = s->before[net->index];
        for (int64_t k = 0; k < net->states.len; k++)
            net->state[k] = (real)share * (net->state[k] - before[k]);
    }
}

/* --- a step --- */

static double *row_of(const struct step_shards *shards, int64_t shard, int64_t n) {
    return shards->rows + shard * n;
}

/* The rows of all ranks' shards, added up in the first. */
static int sum_rows(struct stepper *s, const struct step_input *in, int n, struct step_output *out,
                    struct err *err) {
    struct step_shards *shards = s->shards;

    if (step_sum(s, in, shards->rows, shards->n * n, out, err))
        return -1;
    fold_rows(shards->rows, shards->n, n);
    return 0;
}

int step_shards_sum(struct stepper *s, const struct step_input *in, int n, struct step_output *out,
                    struct err *err) {
    const struct step_shards *shards = s->shards;

    memset(s->local, 0, (size_t)n * sizeof *s->local);
    for (int64_t shard = shards->own.first; shard < end_of(&shards->own); shard++)
        for (int k = 0; k < n; k++)
            s->local[k] += row_of(shards, shard, n)[k];
    if (sum_rows(s, in, n, out, err))
        return -1;
    memcpy(s->sums, shards->rows, (size_t)n * sizeof *s->sums);
    return 0;
}

/* Point a graph at a shard; returns which samples of the batch it is. */
static struct shard_range point(const struct stepper *s, struct plan *p,
                                const struct feed_batch *batch, int64_t shard) {
    struct shard_range part = shard_cut(batch->global_n, s->shards->n, (int)shard);

    if (!batch->data.n) /* or it could not be read */
        part.n = 0;
    step_point(s, p, batch, part.first - batch->first, part.n);
    return part;
}

int step_shards_count(struct stepper *s, const struct step_input *in, struct step_output *out,
                      struct err *err) {
    struct step_shards *shards = s->shards;
    const int n = s->n_counts;

    memset(shards->rows, 0, (size_t)shards->n * (size_t)n * sizeof *shards->rows);
    for (int64_t k = shards->own.first; k < end_of(&shards->own); k++) {
        double *row = row_of(shards, k, n);
        for (int i = 0; i < s->replica->n_steps; i++) {
            struct plan *p = s->replica->step[i].plan;
            if (point(s, p, in->batch, k).n > 0)
                run_counts(p, row);
            row += p->n_leaves;
        }
    }
    if (sum_rows(s, in, n, out, err))
        return -1;
    memcpy(s->counts, shards->rows, (size_t)n * sizeof *s->counts);
    return 0;
}

/* What the leaves of a shard give goes into its row. */
static void forward(struct stepper *s, struct plan *p, struct run_context *run,
                    const struct step_input *in, int64_t shard, struct step_output *out) {
    const struct step_clock start = step_clock_of(s);
    const int64_t n = plan_n_values(p);
    double *row = row_of(s->shards, shard, n + p->n_leaves);

    step_enter(run, PULSE_FORWARD);
    run->first = point(s, p, in->batch, shard).first;
    run_forward(p, run);
    run_leaves(p, row, row + n);
    out->times.forward += step_computed(s, &start);
}

/* All shards but the last leave their gradients behind; what the last one completes goes on its
 * way, the changes of running statistics first. */
static void backward(struct shard_context *c, struct run_context *run, const struct step_input *in,
                     int64_t shard, struct step_output *out) {
    struct stepper *s = c->step.stepper;
    const struct replica_step *step = &s->replica->step[c->step.which];
    const struct step_clock start = step_clock_of(s);
    const bool last = shard + 1 == end_of(&s->shards->own);
    const struct shard_range part = shard_cut(in->batch->global_n, s->shards->n, (int)shard);

    step_enter(run, PULSE_BACKWARD);
    take_changes(s, step, (double)part.n / (double)in->batch->global_n);
    for (int i = 0; last && i < step->n_running; i++)
        ready(c, step->n_train + i, 0, step->running[i]->states.len);
    run->ready = last ? ready : NULL;
    run_backward(step->plan, run);
    if (!last) {
        keep(s, c->step.which, (int)shard);
        step_restore_running(s, c->step.which);
    }
    out->times.backward += step_computed(s, &start);
}

int step_shards_compute(struct stepper *s, int which, const struct step_input *in,
                        const double *totals, struct step_output *out, struct err *err) {
    const struct step_shards *shards = s->shards;
    struct plan *p = s->replica->step[which].plan;
    const int64_t n = plan_n_values(p), last = end_of(&shards->own) - 1;
    struct shard_context context = {{.stepper = s, .which = which}, fold_of(shards, (int)last)};
    struct run_context run = {.seed = s->seed,
                              .step = (uint64_t)in->step * JOB_MAX_STEPS + (uint64_t)which,
                              .totals = s->in_parts ? totals : s->sums + n,
                              .need = step_need,
                              .progress = step_progress,
                              .watch = s->watch ? watch : NULL,
                              .whole = s->watch_whole,
                              .context = &context,
                              .pulse = comm_pulse(s->comm)};

    memset(shards->rows, 0, (size_t)(shards->n * (n + p->n_leaves)) * sizeof *shards->rows);
    for (int64_t k = shards->own.first; k <= last; k++) {
        forward(s, p, &run, in, k, out);
        if (!context.step.backward)
            stepper_settle(s); /* before ranks meet: then nobody reads sums any more */
        if (k == last && step_find_loss(s, which, in, out, err))
            return -1;
        if (!context.step.backward)
            step_begin_sums(s, which, in->lr[which]);
        context.step.backward = true;
        backward(&context, &run, in, k, out);
    }
    return 0;
}
