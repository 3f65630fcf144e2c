#include "core/learn/optim/parts.h"

struct rmsprop {
    struct applied lr;
    double alpha, eps, momentum, weight_decay, l1;
};

/* avg = alpha * avg + (1 - alpha) * g^2; u = g / (sqrt(avg) + eps); buf = momentum * buf + u;
 * w -= lr * buf. Hinton 2012, lecture 6e; as torch.optim.RMSprop. */
static void step(const void *args, const struct optim_call *c, const struct optim_norms *norms) {
    const struct rmsprop *a = args;
    const struct optim_gradient of = optim_gradient(c, a->weight_decay, a->l1);
    const real lr = (real)c->lr, eps = (real)a->eps, momentum = (real)a->momentum;
    const real alpha = (real)a->alpha, rest = (real)(1 - a->alpha);
    real *restrict w = c->w, *restrict avg = c->moment[0], *restrict buf = c->moment[1];
    const real *restrict dw = c->dw;

    (void)norms;
    for (int64_t i = 0; i < c->len; i++) {
        const real g = optim_gradient_at(&of, w[i], dw[i]);

        avg[i] = alpha * avg[i] + rest * g * g;
        buf[i] = momentum * buf[i] + g / (optim_root(avg[i]) + eps);
        w[i] -= lr * buf[i];
    }
}

static const struct arg_spec args_of[] = {
    OPTIM_LR(rmsprop),
    OPTIM_REAL(rmsprop, alpha, 0.99, 1, "of the running mean of squares"),
    OPTIM_REAL(rmsprop, eps, 1e-8, INFINITY, "added to the root"),
    OPTIM_REAL(rmsprop, momentum, 0, 1, "of the running sum of steps"),
    OPTIM_DECAY(rmsprop, 0),
    OPTIM_L1(rmsprop),
    {0},
};

const struct optimizer optim_rmsprop = {
    .word = {"rmsprop", "gradients over the root of their mean square", sizeof(struct rmsprop),
             args_of},
    .n_moments = 2,
    .step = step,
};
