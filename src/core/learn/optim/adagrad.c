#include "core/learn/optim/parts.h"

struct adagrad {
    struct applied lr;
    double eps, weight_decay, l1;
};

/* sum += g^2; w -= lr * g / (sqrt(sum) + eps). Duchi et al. 2011; as torch.optim.Adagrad. */
static void step(const void *args, const struct optim_call *c, const struct optim_norms *norms) {
    const struct adagrad *a = args;
    const struct optim_gradient of = optim_gradient(c, a->weight_decay, a->l1);
    const real lr = (real)c->lr, eps = (real)a->eps;
    real *restrict w = c->w, *restrict sum = c->moment[0];
    const real *restrict dw = c->dw;

    (void)norms;
    for (int64_t i = 0; i < c->len; i++) {
        const real g = optim_gradient_at(&of, w[i], dw[i]);

        sum[i] += g * g;
        w[i] -= lr * g / (optim_root(sum[i]) + eps);
    }
}

static const struct arg_spec args_of[] = {
    OPTIM_LR(adagrad),
    OPTIM_REAL(adagrad, eps, 1e-10, INFINITY, "added to the root"),
    OPTIM_DECAY(adagrad, 0),
    OPTIM_L1(adagrad),
    {0},
};

const struct optimizer optim_adagrad = {
    .word = {"adagrad", "steps shrink with the sum of squared gradients", sizeof(struct adagrad),
             args_of},
    .n_moments = 1,
    .step = step,
};
