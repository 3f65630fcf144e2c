#include "core/ops/parts/spectral.h"

#include "core/base/arena.h"
#include "core/math/gemm.h"
#include "core/ops/parts/init.h"

#include <math.h>
#include <string.h>

static const double EPS = 1e-12; /* the least norm divided by */

const char *const spectral_no_yes[] = {"false", "true", NULL};

static int64_t outputs(const struct spectral *s) {
    return s->out_rows ? s->rows : s->cols;
}

static int64_t weights(const struct spectral *s) {
    return s->n * s->rows * s->cols;
}

static int64_t rest(const struct spectral *s) {
    return weights(s) / outputs(s);
}

static size_t scratch_bytes(const struct spectral *s) {
    return arena_round((size_t)weights(s) * sizeof(real));
}

struct spectral spectral_of(bool on, const struct shape *w, bool out_rows) {
    struct spectral s = {on,      1, 1, w->dim[w->rank - 1], w->dim[w->rank - (out_rows ? 1 : 2)],
                         out_rows};

    for (int i = 0; i < w->rank - 1; i++)
        *(out_rows && i < w->rank - 2 ? &s.n : &s.rows) *= w->dim[i];
    return s;
}

/* Kept for backward. */
struct kept {
    real *sigma; /* [1] */
    real *u;     /* [outputs] */
    real *v;     /* [rest]: [n * rows], or [n, cols] where out_rows; inputs last in either */
};

static struct kept kept_of(const struct spectral *s, const struct op_call *c) {
    real *at = c->saved;

    return (struct kept){at, at + 1, at + 1 + outputs(s)};
}

void spectral_plan(const struct spectral *s, struct op_plan *plan) {
    static const struct normal_args normal = {1};

    if (!s->on)
        return;
    plan->state[0] = (struct op_param){.name = "weight_u",
                                       .shape = {1, {outputs(s)}},
                                       .init = {&init_normal.word, &normal},
                                       .fan_in = 1,
                                       .fan_out = 1};
    plan->state[1] =
        (struct op_param){.name = "weight_v", .shape = {1, {rest(s)}}, .fan_in = 1, .fan_out = 1};
    plan->saved_bytes += (size_t)(1 + outputs(s) + rest(s)) * sizeof(real);
    plan->scratch_bytes += scratch_bytes(s);
}

/* v = the weights, transposed, times u. */
static void to_rest(const struct spectral *s, const real *w, const real *u, real *v) {
    if (!s->out_rows)
        gemm(false, false, s->rows, 1, s->cols, w, s->cols, u, 1, 0, v, 1);
    for (int64_t i = 0; s->out_rows && i < s->n; i++)
        gemm(true, false, s->cols, 1, s->rows, w + i * s->rows * s->cols, s->cols, u, 1, 0,
             v + i * s->cols, 1);
}

/* u = the weights times v. */
static void to_outputs(const struct spectral *s, const real *w, const real *v, real *u) {
    if (!s->out_rows)
        gemm(true, false, s->cols, 1, s->rows, w, s->cols, v, 1, 0, u, 1);
    for (int64_t i = 0; s->out_rows && i < s->n; i++)
        gemm(false, false, s->rows, 1, s->cols, w + i * s->rows * s->cols, s->cols, v + i * s->cols,
             1, i ? 1 : 0, u, 1);
}

/* Divide v by its length, which is returned. */
static double normalize(real *v, int64_t len) {
    double square = 0;

    for (int64_t i = 0; i < len; i++)
        square += (double)v[i] * (double)v[i];
    const double norm = sqrt(square) > EPS ? sqrt(square) : EPS;
    for (int64_t i = 0; i < len; i++)
        v[i] = (real)((double)v[i] / norm);
    return norm;
}

/* What threads share. */
struct spectral_work {
    const struct spectral *s;
    const struct kept *k;
    const real *from;
    real *to;
    real scale; /* of u v^T */
};

static void divide(void *context, int64_t begin, int64_t end) {
    const struct spectral_work *work = context;
    const real scale = 1 / *work->k->sigma;
    const real *restrict from = work->from;
    real *restrict to = work->to;

    for (int64_t i = begin; i < end; i++)
        to[i] = from[i] * scale;
}

const real *spectral_weights(const struct spectral *s, const struct op_call *c) {
    if (!s->on)
        return c->w[0];
    const struct kept k = kept_of(s, c);
    struct spectral_work work = {.s = s, .k = &k, .from = c->w[0], .to = c->scratch};
    team_run(c->team, weights(s), divide, &work);
    return c->scratch;
}

/* v in its two orders: of the weights here, and of the state. */
static void take_v(const struct spectral *s, const real *state, real *v) {
    const int64_t pixels = rest(s) / s->inputs;

    for (int64_t i = 0; i < rest(s); i++)
        v[i] = state[i % s->inputs * pixels + i / s->inputs];
}

static void keep_v(const struct spectral *s, const real *v, real *state) {
    const int64_t pixels = rest(s) / s->inputs;

    for (int64_t i = 0; i < rest(s); i++)
        state[i % s->inputs * pixels + i / s->inputs] = v[i];
}

static bool is_zero(const real *v, int64_t len) {
    for (int64_t i = 0; i < len; i++)
        if (v[i] != 0)
            return false;
    return true;
}

/* One step of power iteration from u; returns the singular value. */
static double iterate(const struct spectral *s, const struct op_call *c, const struct kept *k) {
    normalize(k->u, outputs(s));
    to_rest(s, c->w[0], k->u, k->v);
    const double sigma = normalize(k->v, rest(s));
    if (!c->training)
        return sigma;
    to_outputs(s, c->w[0], k->v, k->u);
    return normalize(k->u, outputs(s));
}

/* u^T W v */
static double singular_value(const struct spectral *s, const struct op_call *c,
                             const struct kept *k) {
    real *product = c->scratch;
    double sum = 0;

    to_outputs(s, c->w[0], k->v, product);
    for (int64_t i = 0; i < outputs(s); i++)
        sum += (double)k->u[i] * (double)product[i];
    return sum;
}

const real *spectral_forward(const struct spectral *s, const struct op_call *c) {
    if (!s->on)
        return c->w[0];
    const struct kept k = kept_of(s, c);
    memcpy(k.u, c->state[0], (size_t)outputs(s) * sizeof(real));
    take_v(s, c->state[1], k.v);
    *k.sigma =
        (real)(c->training || is_zero(k.v, rest(s)) ? iterate(s, c, &k) : singular_value(s, c, &k));
    if (c->training) {
        memcpy(c->state[0], k.u, (size_t)outputs(s) * sizeof(real));
        keep_v(s, k.v, c->state[1]);
    }
    return spectral_weights(s, c);
}

real *spectral_gradient(const struct spectral *s, const struct op_call *c) {
    if (!s->on)
        return c->dw[0];
    memset(c->scratch, 0, (size_t)weights(s) * sizeof(real));
    return c->scratch;
}

/* dw += from / sigma - scale * u v^T, in rows [begin, end) of all n * rows. */
static void add_rows(void *context, int64_t begin, int64_t end) {
    const struct spectral_work *work = context;
    const struct spectral *s = work->s;
    const real by_sigma = 1 / *work->k->sigma;

    for (int64_t row = begin; row < end; row++) {
        const real *restrict from = work->from + row * s->cols;
        const real *restrict across =
            s->out_rows ? work->k->v + row / s->rows * s->cols : work->k->u;
        const real down = s->out_rows ? work->k->u[row % s->rows] : work->k->v[row];
        const real scale = work->scale * down;
        real *restrict to = work->to + row * s->cols;

        for (int64_t i = 0; i < s->cols; i++)
            to[i] += from[i] * by_sigma - scale * across[i];
    }
}

void spectral_backward(const struct spectral *s, const struct op_call *c) {
    if (!s->on)
        return;
    const struct kept k = kept_of(s, c);
    const real *from = c->scratch;
    double product = 0; /* <gradient, w> */

    for (int64_t i = 0; i < weights(s); i++)
        product += (double)from[i] * (double)c->w[0][i];
    const double sigma = (double)*k.sigma;
    struct spectral_work work = {s, &k, from, c->dw[0], (real)(product / (sigma * sigma))};
    team_run(c->team, s->n * s->rows, add_rows, &work);
}

void *spectral_rest(const struct spectral *s, const struct op_call *c) {
    return s->on ? (unsigned char *)c->scratch + scratch_bytes(s) : c->scratch;
}
