#include "core/learn/optim/parts.h"

struct lamb {
    struct applied lr;
    double beta1, beta2, eps, weight_decay;
    int exclude;
};

/* What the loops read. */
struct lamb_numbers {
    struct optim_gradient of;
    real beta1, rest1, beta2, rest2, correct1, correct2, eps, weight_decay;
};

static struct lamb_numbers numbers_of(const struct lamb *a, const struct optim_call *c) {
    const double t = (double)c->t;

    return (struct lamb_numbers){.of = optim_gradient(c, 0, 0),
                                 .beta1 = (real)a->beta1,
                                 .rest1 = (real)(1 - a->beta1),
                                 .beta2 = (real)a->beta2,
                                 .rest2 = (real)(1 - a->beta2),
                                 .correct1 = (real)(1 / (1 - pow(a->beta1, t))),
                                 .correct2 = (real)(1 / sqrt(1 - pow(a->beta2, t))),
                                 .eps = (real)a->eps,
                                 .weight_decay = c->decay ? (real)a->weight_decay : 0};
}

/* One element: moments after this update in *m and *v, and the step that they make. */
static inline real step_at(const struct lamb_numbers *n, real w, real dw, real *m, real *v) {
    const real g = optim_gradient_at(&n->of, w, dw);

    *m = n->beta1 * *m + n->rest1 * g;
    *v = n->beta2 * *v + n->rest2 * g * g;
    return n->correct1 * *m / (optim_root(*v) * n->correct2 + n->eps) + n->weight_decay * w;
}

static inline void add_squares(const struct lamb_numbers *n, const struct optim_call *c, int64_t at,
                               int len, double *w_lane, double *u_lane) {
    for (int j = 0; j < len; j++) {
        real m = c->moment[0][at + j], v = c->moment[1][at + j];
        const double w = (double)c->w[at + j];
        const double u = (double)step_at(n, c->w[at + j], c->dw[at + j], &m, &v);

        w_lane[j] += w * w;
        u_lane[j] += u * u;
    }
}

/* Of the weights and of the step before it is scaled. */
static void measure(const void *args, const struct optim_call *c, struct optim_norms *squares) {
    const struct lamb_numbers n = numbers_of(args, c);
    double w_lane[OPTIM_LANES] = {0}, u_lane[OPTIM_LANES] = {0};
    int64_t i = 0;

    for (; i + OPTIM_LANES <= c->len; i += OPTIM_LANES)
        add_squares(&n, c, i, OPTIM_LANES, w_lane, u_lane);
    add_squares(&n, c, i, (int)(c->len - i), w_lane, u_lane);
    squares->w += optim_sum_lanes(w_lane);
    squares->step += optim_sum_lanes(u_lane);
}

/* m, v as adam; u = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * w;
 * w -= lr * |w| / |u| * u. You et al. 2020, arXiv:1904.00962, algorithm 2, with phi(x) = x and with
 * the corrections of adam. What is excluded has neither weight decay nor the factor |w| / |u|,
 * which is 1, too, where a norm is 0, as in the authors' program. */
static void step(const void *args, const struct optim_call *c, const struct optim_norms *norms) {
    const struct lamb_numbers n = numbers_of(args, c);
    const bool scaled = norms && norms->w > 0 && norms->step > 0;
    const real lr = (real)(c->lr * (scaled ? norms->w / norms->step : 1));
    real *restrict w = c->w, *restrict m = c->moment[0], *restrict v = c->moment[1];
    const real *restrict dw = c->dw;

    for (int64_t i = 0; i < c->len; i++)
        w[i] -= lr * step_at(&n, w[i], dw[i], &m[i], &v[i]);
}

static bool adapts(const void *args, const struct optim_call *c) {
    return optim_adapts(((const struct lamb *)args)->exclude, c);
}

static const struct arg_spec args_of[] = {
    OPTIM_LR(lamb),
    OPTIM_BETAS(lamb),
    OPTIM_REAL(lamb, eps, 1e-6, INFINITY, "added to the root"),
    OPTIM_DECAY(lamb, 0.01),
    OPTIM_EXCLUDE(lamb),
    {0},
};

const struct optimizer optim_lamb = {
    .word = {"lamb", "adamw whose steps are as long as each parameter's weights allow",
             sizeof(struct lamb), args_of},
    .n_moments = 2,
    .measure = measure,
    .adapts = adapts,
    .step = step,
};
