#include "core/learn/optim/parts.h"

/* Of both. */
struct adam {
    struct applied lr;
    double beta1, beta2, eps, weight_decay, l1;
};

/* m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;
 * w = shrink * w - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps). */
static void step_moments(const struct adam *a, const struct optim_call *c, double shrink,
                         struct optim_gradient of) {
    const double t = (double)c->t;
    const real beta1 = (real)a->beta1, rest1 = (real)(1 - a->beta1);
    const real beta2 = (real)a->beta2, rest2 = (real)(1 - a->beta2);
    const real lr = (real)(c->lr / (1 - pow(a->beta1, t))), eps = (real)a->eps;
    const real correct = (real)(1 / sqrt(1 - pow(a->beta2, t))), left = (real)shrink;
    real *restrict w = c->w, *restrict m = c->moment[0], *restrict v = c->moment[1];
    const real *restrict dw = c->dw;

    for (int64_t i = 0; i < c->len; i++) {
        const real g = optim_gradient_at(&of, w[i], dw[i]);

        m[i] = beta1 * m[i] + rest1 * g;
        v[i] = beta2 * v[i] + rest2 * g * g;
        w[i] = left * w[i] - lr * m[i] / (optim_root(v[i]) * correct + eps);
    }
}

/* Kingma & Ba 2015, arXiv:1412.6980; as torch.optim.Adam. */
static void step_adam(const void *args, const struct optim_call *c,
                      const struct optim_norms *norms) {
    const struct adam *a = args;

    (void)norms;
    step_moments(a, c, 1, optim_gradient(c, a->weight_decay, a->l1));
}

/* Weight decay is no part of g and shrinks w at once.
 * Loshchilov & Hutter 2019, arXiv:1711.05101; as torch.optim.AdamW. */
static void step_adamw(const void *args, const struct optim_call *c,
                       const struct optim_norms *norms) {
    const struct adam *a = args;

    (void)norms;
    step_moments(a, c, c->decay ? 1 - c->lr * a->weight_decay : 1, optim_gradient(c, 0, a->l1));
}

/* All but the decay, whose default differs. */
#define MOMENT_ARGS                                                                                \
    OPTIM_LR(adam), OPTIM_BETAS(adam), OPTIM_REAL(adam, eps, 1e-8, INFINITY, "added to the root")

static const struct arg_spec adam_args[] = {MOMENT_ARGS, OPTIM_DECAY(adam, 0), OPTIM_L1(adam), {0}};
static const struct arg_spec adamw_args[] = {
    MOMENT_ARGS, OPTIM_DECAY(adam, 0.01), OPTIM_L1(adam), {0}};

const struct optimizer optim_adam = {
    .word = {"adam", "mean gradient over the root of its mean square", sizeof(struct adam),
             adam_args},
    .n_moments = 2,
    .step = step_adam,
};

const struct optimizer optim_adamw = {
    .word = {"adamw", "adam with weight decay apart from the gradient", sizeof(struct adam),
             adamw_args},
    .n_moments = 2,
    .step = step_adamw,
};
