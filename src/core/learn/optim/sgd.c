#include "core/learn/optim/parts.h"

struct sgd {
    struct applied lr;
    double momentum, weight_decay, l1;
    int nesterov; /* 0 or 1 */
};

/* buf = momentum * buf + g; w -= lr * (nesterov ? g + momentum * buf : buf). As torch.optim.SGD. */
static void step(const void *args, const struct optim_call *c, const struct optim_norms *norms) {
    const struct sgd *a = args;
    const struct optim_gradient of = optim_gradient(c, a->weight_decay, a->l1);
    const real lr = (real)c->lr, momentum = (real)a->momentum;
    const real keep = a->nesterov ? momentum : 1, direct = a->nesterov ? 1 : 0;
    real *restrict w = c->w, *restrict buf = c->moment[0];
    const real *restrict dw = c->dw;

    (void)norms;
    if (momentum == 0) {
        for (int64_t i = 0; i < c->len; i++)
            w[i] -= lr * optim_gradient_at(&of, w[i], dw[i]);
        return;
    }
    for (int64_t i = 0; i < c->len; i++) {
        const real g = optim_gradient_at(&of, w[i], dw[i]);

        buf[i] = momentum * buf[i] + g;
        w[i] -= lr * (keep * buf[i] + direct * g);
    }
}

static const char *const no_yes[] = {"false", "true", NULL};

static const struct arg_spec args_of[] = {
    OPTIM_LR(sgd),
    OPTIM_REAL(sgd, momentum, 0, 1, "of the running sum of gradients"),
    {.name = "nesterov",
     .kind = ARG_WORD,
     .offset = offsetof(struct sgd, nesterov),
     .words = no_yes,
     .help = "look ahead along the momentum"},
    OPTIM_DECAY(sgd, 0),
    OPTIM_L1(sgd),
    {0},
};

const struct optimizer optim_sgd = {
    .word = {"sgd", "stochastic gradient descent, with momentum", sizeof(struct sgd), args_of},
    .n_moments = 1,
    .step = step,
};
