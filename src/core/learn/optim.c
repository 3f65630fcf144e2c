#include "core/learn/optim.h"
#include "core/learn/schedule.h"

#include <math.h>
#include <string.h>

#define OPTIM(name) extern const struct optimizer optim_##name;
#include "core/learn/optim.def"
#undef OPTIM

static const struct optimizer *const table[] = {
#define OPTIM(name) &optim_##name,
#include "core/learn/optim.def"
#undef OPTIM
};

/* Fewer elements are updated sooner than threads are woken: biases, scales of norms. */
enum { LEAST_SHARED = 65536 };

/* Norms are added up in at most MAX_PIECES pieces, cut by the length alone. */
enum { MAX_PIECES = 256, LEAST_PIECE = 4096 };

struct update {
    const struct optimizer *optimizer;
    const void *args;
    const struct optim_call *call;
    const struct optim_norms *norms; /* NULL: none */
    int64_t piece_len;
    struct optim_norms squares[MAX_PIECES];
};

static struct optim_call cut(const struct optim_call *c, int64_t begin, int64_t end) {
    struct optim_call piece = *c;

    piece.w += begin;
    piece.dw += begin;
    piece.len = end - begin;
    for (int m = 0; m < OPTIM_MAX_MOMENTS; m++)
        piece.moment[m] = c->moment[m] ? c->moment[m] + begin : NULL;
    return piece;
}

static void measure_pieces(void *context, int64_t begin, int64_t end) {
    struct update *u = context;

    for (int64_t i = begin; i < end; i++) {
        const int64_t from = i * u->piece_len, to = from + u->piece_len;
        const struct optim_call piece = cut(u->call, from, to < u->call->len ? to : u->call->len);
        u->squares[i] = (struct optim_norms){0, 0};
        u->optimizer->measure(u->args, &piece, &u->squares[i]);
    }
}

static struct optim_norms norms_of(struct update *u, struct team *team) {
    const int64_t len = u->call->len, least = (len + MAX_PIECES - 1) / MAX_PIECES;
    struct optim_norms sum = {0, 0};

    u->piece_len = least > LEAST_PIECE ? least : LEAST_PIECE;
    const int64_t n = (len + u->piece_len - 1) / u->piece_len;
    team_run(team, n, measure_pieces, u);
    for (int64_t i = 0; i < n; i++)
        sum.w += u->squares[i].w, sum.step += u->squares[i].step;
    return (struct optim_norms){sqrt(sum.w), sqrt(sum.step)};
}

static void step_range(void *context, int64_t begin, int64_t end) {
    const struct update *u = context;
    const struct optim_call piece = cut(u->call, begin, end);

    u->optimizer->step(u->args, &piece, u->norms);
}

void optim_update(const struct optimizer *o, const void *args, const struct optim_call *c,
                  struct team *team) {
    struct team *helpers = c->len < LEAST_SHARED ? NULL : team;
    struct optim_call call = *c;
    struct update u = {.optimizer = o, .args = args, .call = &call};
    struct optim_norms norms;

    if (o->adapts)
        call.decay = o->adapts(args, c);
    if (o->measure && call.decay) {
        norms = norms_of(&u, helpers);
        u.norms = &norms;
    }
    team_run(helpers, c->len, step_range, &u);
}

const struct applied *optim_schedule(const struct applied *optimizer, const char *name) {
    for (const struct arg_spec *a = optimizer->word->args; a->name; a++)
        if (a->kind == ARG_APPLIED && a->find == schedule_find && !strcmp(a->name, name))
            return (const void *)((const char *)optimizer->args + a->offset);
    return NULL;
}

const struct word *optim_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i]->word.name, name))
            return &table[i]->word;
    return NULL;
}

const struct optimizer *const *optim_table(int *n) {
    *n = (int)(sizeof table / sizeof *table);
    return table;
}
