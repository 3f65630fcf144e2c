#include "core/learn/optim/parts.h"

struct lars {
    struct applied lr;
    double momentum, weight_decay, trust, eps;
    int exclude;
};

static inline void add_squares(const struct optim_call *c, int64_t at, int n, double *w_lane,
                               double *g_lane) {
    for (int j = 0; j < n; j++) {
        const double w = (double)c->w[at + j], g = c->scale * (double)c->dw[at + j];

        w_lane[j] += w * w;
        g_lane[j] += g * g;
    }
}

/* Of the weights and of the gradient without its penalty. */
static void measure(const void *args, const struct optim_call *c, struct optim_norms *squares) {
    double w_lane[OPTIM_LANES] = {0}, g_lane[OPTIM_LANES] = {0};
    int64_t i = 0;

    (void)args;
    for (; i + OPTIM_LANES <= c->len; i += OPTIM_LANES)
        add_squares(c, i, OPTIM_LANES, w_lane, g_lane);
    add_squares(c, i, (int)(c->len - i), w_lane, g_lane);
    squares->w += optim_sum_lanes(w_lane);
    squares->step += optim_sum_lanes(g_lane);
}

/* buf = momentum * buf + lr * trust * |w| / (|g| + weight_decay * |w| + eps) * (g + weight_decay *
 * w); w -= buf. The rate is inside the momentum, as in You et al. 2017, arXiv:1708.03888, algorithm
 * 1, and in the LARSOptimizer of MLPerf's ResNet-50, from which eps and `exclude` are. What is
 * excluded takes the step of sgd without decay; where w or g is all zeros the rate is not scaled.
 */
static void step(const void *args, const struct optim_call *c, const struct optim_norms *norms) {
    const struct lars *a = args;
    const struct optim_gradient of = optim_gradient(c, a->weight_decay, 0);
    const bool scaled = norms && norms->w > 0 && norms->step > 0;
    const double ratio =
        scaled ? a->trust * norms->w / (norms->step + a->weight_decay * norms->w + a->eps) : 1;
    const real lr = (real)(c->lr * ratio), momentum = (real)a->momentum;
    real *restrict w = c->w, *restrict buf = c->moment[0];
    const real *restrict dw = c->dw;

    for (int64_t i = 0; i < c->len; i++) {
        buf[i] = momentum * buf[i] + lr * optim_gradient_at(&of, w[i], dw[i]);
        w[i] -= buf[i];
    }
}

static bool adapts(const void *args, const struct optim_call *c) {
    return optim_adapts(((const struct lars *)args)->exclude, c);
}

static const struct arg_spec args_of[] = {
    OPTIM_LR(lars),
    OPTIM_REAL(lars, momentum, 0.9, 1, "of the running sum of steps"),
    OPTIM_DECAY(lars, 0),
    {.name = "trust",
     .kind = ARG_REAL,
     .offset = offsetof(struct lars, trust),
     .fallback = 0.001,
     .min = ARG_ABOVE_0,
     .max = INFINITY,
     .help = "length of a step at lr=1, in lengths of the weights"},
    OPTIM_REAL(lars, eps, 0, INFINITY, "added to the norm of the gradient"),
    OPTIM_EXCLUDE(lars),
    {0},
};

const struct optimizer optim_lars = {
    .word = {"lars", "sgd whose steps are as long as each parameter's weights allow",
             sizeof(struct lars), args_of},
    .n_moments = 1,
    .measure = measure,
    .adapts = adapts,
    .step = step,
};
