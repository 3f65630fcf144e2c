/* update.c - how a step's gradients move the weights. */
#include "core/learn/clip.h"
#include "dist/reducer.h"
#include "train/replica_parts.h"

#include <string.h>

static struct update_run run_of(const struct replica_step *s, const struct net *net, int param) {
    const struct param *p = &net->weights.items[param];
    const struct selection *scale = selection_of(s->lr_scale, s->n_lr_scale, net, p->name);

    return (struct update_run){.begin = p->offset,
                               .len = param_room(p),
                               .decay = p->decay,
                               .norm = p->norm,
                               .frozen = selection_of(s->freeze, s->n_freeze, net, p->name) != NULL,
                               .lr_scale = scale ? scale->number : 1};
}

static bool alike(const struct update_run *a, const struct update_run *b) {
    return a->decay == b->decay && a->norm == b->norm && a->frozen == b->frozen &&
           a->lr_scale == b->lr_scale;
}

void replica_find_runs(struct replica *r, struct replica_step *s, int net) {
    struct update_run **runs = &s->nets[net].runs;
    int *n = &s->nets[net].n_runs;

    for (int i = 0; i < s->train[net]->weights.n; i++) {
        const struct update_run run = run_of(s, s->train[net], i);
        if (s->train[net]->weights.items[i].frozen)
            continue;
        if (*n && !optim_whole(s->optimizer) && alike(&(*runs)[*n - 1], &run)) {
            (*runs)[*n - 1].len += run.len;
            continue;
        }
        *runs = pool_grow(&r->model.pool, *runs, *n, sizeof **runs);
        (*runs)[(*n)++] = run;
    }
}

struct averaging {
    const real *w;
    real *ema, follow;
};

static void move_average(void *context, int64_t begin, int64_t end) {
    const struct averaging *a = context;

    for (int64_t i = begin; i < end; i++)
        a->ema[i] += a->follow * (a->w[i] - a->ema[i]);
}

/* The average follows faster at first, when the weights are still far from where they will be. */
static void average(const struct replica_step *s, const struct net *net, int64_t begin, int64_t len,
                    struct team *team) {
    const double t = (double)s->n_updates + 1, ramp = (1 + t) / (10 + t);
    const real follow = (real)(1 - (ramp < s->job->ema ? ramp : s->job->ema));
    struct averaging a = {net->w + begin, net->ema + begin, follow};

    team_run(team, len, move_average, &a);
}

/* The part [from, to) of a run. */
static void update_run(struct replica *r, struct replica_step *s, const struct reducer_piece *piece,
                       const struct update_run *run, int64_t from, int64_t to, double lr,
                       double scale) {
    const int net = piece->span;
    struct optim_call call = {.w = s->train[net]->w + from,
                              .dw = piece->sum + (from - piece->begin),
                              .len = to - from,
                              .lr = lr * run->lr_scale,
                              .scale = scale,
                              .t = s->n_updates + 1,
                              .decay = run->decay,
                              .norm = run->norm};

    for (int m = 0; m < s->optimizer->n_moments; m++)
        call.moment[m] = s->nets[net].moment[m] + from;
    optim_update(s->optimizer, s->job->optimizer.args, &call, r->team);
    if (s->job->clip_weights > 0)
        clip_values(call.w, call.len, 1, s->job->clip_weights, r->team);
}

void replica_update(struct replica *r, struct replica_step *s, const struct reducer_piece *piece,
                    double lr, double scale) {
    const int net = piece->span;
    const int64_t begin = piece->begin, end = begin + piece->len;

    for (int i = 0; i < s->nets[net].n_runs; i++) {
        const struct update_run *run = &s->nets[net].runs[i];
        const int64_t from = run->begin > begin ? run->begin : begin;
        const int64_t to = run->begin + run->len < end ? run->begin + run->len : end;
        if (from < to && !run->frozen)
            update_run(r, s, piece, run, from, to, lr, scale);
    }
    if (s->job->ema > 0)
        average(s, s->train[net], begin, piece->len, r->team);
}

void replica_begin_ema(struct replica *r) {
    for (int i = 0; i < r->model.n_nets; i++) {
        const struct net *net = r->model.nets[i];
        if (net->ema)
            memcpy(net->ema, net->w, (size_t)net->weights.len * sizeof(real));
    }
}

void replica_swap_ema(struct replica *r) {
    for (int i = 0; i < r->model.n_nets; i++) {
        struct net *net = r->model.nets[i];
        for (int64_t k = 0; net->ema && k < net->weights.len; k++) {
            const real w = net->w[k];
            net->w[k] = net->ema[k];
            net->ema[k] = w;
        }
    }
}
