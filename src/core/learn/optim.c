#include "core/learn/optim.h"
#include "core/learn/schedule.h"

#include <math.h>
#include <string.h>

#define NO_LIMIT INFINITY

/* What makes g of one element of dw and w. */
struct gradient {
    real scale, weight_decay, l1;
};

static struct gradient gradient_of(const struct optim_call *c, double weight_decay, double l1) {
    return (struct gradient){(real)c->scale, c->decay ? (real)weight_decay : 0,
                             c->decay ? (real)l1 : 0};
}

static inline real gradient_at(const struct gradient *g, real w, real dw) {
    return g->scale * dw + g->l1 * (real)((w > 0) - (w < 0)) + g->weight_decay * w;
}

static inline real root(real x) {
#ifdef REAL_IS_DOUBLE
    return sqrt(x);
#else
    return sqrtf(x);
#endif
}

static void step_sgd(const void *args, const struct optim_call *c) {
    const struct optim_sgd *a = args;
    const struct gradient of = gradient_of(c, a->weight_decay, a->l1);
    const real lr = (real)c->lr, momentum = (real)a->momentum;
    const real keep = a->nesterov ? momentum : 1, direct = a->nesterov ? 1 : 0;
    real *restrict w = c->w, *restrict buf = c->moment[0];
    const real *restrict dw = c->dw;

    if (momentum == 0) {
        for (int64_t i = 0; i < c->len; i++)
            w[i] -= lr * gradient_at(&of, w[i], dw[i]);
        return;
    }
    for (int64_t i = 0; i < c->len; i++) {
        const real g = gradient_at(&of, w[i], dw[i]);

        buf[i] = momentum * buf[i] + g;
        w[i] -= lr * (keep * buf[i] + direct * g);
    }
}

static void step_adagrad(const void *args, const struct optim_call *c) {
    const struct optim_adagrad *a = args;
    const struct gradient of = gradient_of(c, a->weight_decay, a->l1);
    const real lr = (real)c->lr, eps = (real)a->eps;
    real *restrict w = c->w, *restrict sum = c->moment[0];
    const real *restrict dw = c->dw;

    for (int64_t i = 0; i < c->len; i++) {
        const real g = gradient_at(&of, w[i], dw[i]);

        sum[i] += g * g;
        w[i] -= lr * g / (root(sum[i]) + eps);
    }
}

static void step_rmsprop(const void *args, const struct optim_call *c) {
    const struct optim_rmsprop *a = args;
    const struct gradient of = gradient_of(c, a->weight_decay, a->l1);
    const real lr = (real)c->lr, eps = (real)a->eps, momentum = (real)a->momentum;
    const real alpha = (real)a->alpha, rest = (real)(1 - a->alpha);
    real *restrict w = c->w, *restrict avg = c->moment[0], *restrict buf = c->moment[1];
    const real *restrict dw = c->dw;

    for (int64_t i = 0; i < c->len; i++) {
        const real g = gradient_at(&of, w[i], dw[i]);

        avg[i] = alpha * avg[i] + rest * g * g;
        buf[i] = momentum * buf[i] + g / (root(avg[i]) + eps);
        w[i] -= lr * buf[i];
    }
}

/* shrink: what is left of w before the step, 1 for adam; of: without weight decay for adamw. */
static void step_moments(const struct optim_adam *a, const struct optim_call *c, double shrink,
                         struct gradient of) {
    const double t = (double)c->t;
    const real beta1 = (real)a->beta1, rest1 = (real)(1 - a->beta1);
    const real beta2 = (real)a->beta2, rest2 = (real)(1 - a->beta2);
    const real lr = (real)(c->lr / (1 - pow(a->beta1, t))), eps = (real)a->eps;
    const real correct = (real)(1 / sqrt(1 - pow(a->beta2, t))), left = (real)shrink;
    real *restrict w = c->w, *restrict m = c->moment[0], *restrict v = c->moment[1];
    const real *restrict dw = c->dw;

    for (int64_t i = 0; i < c->len; i++) {
        const real g = gradient_at(&of, w[i], dw[i]);

        m[i] = beta1 * m[i] + rest1 * g;
        v[i] = beta2 * v[i] + rest2 * g * g;
        w[i] = left * w[i] - lr * m[i] / (root(v[i]) * correct + eps);
    }
}

static void step_adam(const void *args, const struct optim_call *c) {
    const struct optim_adam *a = args;

    step_moments(a, c, 1, gradient_of(c, a->weight_decay, a->l1));
}

static void step_adamw(const void *args, const struct optim_call *c) {
    const struct optim_adam *a = args;

    step_moments(a, c, c->decay ? 1 - c->lr * a->weight_decay : 1, gradient_of(c, 0, a->l1));
}

static const char *const no_yes[] = {"false", "true", NULL};

#define LR(type)                                                                                   \
    {                                                                                              \
        .name = "lr", .kind = ARG_APPLIED, .offset = offsetof(struct type, lr), .required = true,  \
        .find = schedule_find, .at = schedule_word,                                                \
        .help = "learning rate: a number or a schedule"                                            \
    }
#define REAL(type, field, value, highest, text)                                                    \
    {                                                                                              \
        .name = #field, .kind = ARG_REAL, .offset = offsetof(struct type, field),                  \
        .fallback = value, .max = highest, .help = text                                            \
    }
#define DECAY(type, value)                                                                         \
    REAL(type, weight_decay, value, NO_LIMIT, "L2 penalty of weights, not of biases and norms"),   \
        REAL(type, l1, 0, NO_LIMIT, "L1 penalty of the same weights")

static const struct arg_spec sgd_args[] = {
    LR(optim_sgd),
    REAL(optim_sgd, momentum, 0, 1, "of the running sum of gradients"),
    {.name = "nesterov",
     .kind = ARG_WORD,
     .offset = offsetof(struct optim_sgd, nesterov),
     .words = no_yes,
     .help = "look ahead along the momentum"},
    DECAY(optim_sgd, 0),
    {0},
};

static const struct arg_spec adagrad_args[] = {
    LR(optim_adagrad),
    REAL(optim_adagrad, eps, 1e-10, NO_LIMIT, "added to the root"),
    DECAY(optim_adagrad, 0),
    {0},
};

static const struct arg_spec rmsprop_args[] = {
    LR(optim_rmsprop),
    REAL(optim_rmsprop, alpha, 0.99, 1, "of the running mean of squares"),
    REAL(optim_rmsprop, eps, 1e-8, NO_LIMIT, "added to the root"),
    REAL(optim_rmsprop, momentum, 0, 1, "of the running sum of steps"),
    DECAY(optim_rmsprop, 0),
    {0},
};

/* Below 1: 1 - beta^t divides. */
#define ADAM_ARGS(decay)                                                                           \
    LR(optim_adam), REAL(optim_adam, beta1, 0.9, 1 - 1e-9, "of the running mean of gradients"),    \
        REAL(optim_adam, beta2, 0.999, 1 - 1e-9, "of the running mean of squares"),                \
        REAL(optim_adam, eps, 1e-8, NO_LIMIT, "added to the root"), DECAY(optim_adam, decay)

static const struct arg_spec adam_args[] = {ADAM_ARGS(0), {0}};
static const struct arg_spec adamw_args[] = {ADAM_ARGS(0.01), {0}};

static const struct optimizer sgd = {
    {"sgd", "stochastic gradient descent, with momentum", sizeof(struct optim_sgd), sgd_args},
    1,
    step_sgd,
};
static const struct optimizer adagrad = {
    {"adagrad", "steps shrink with the sum of squared gradients", sizeof(struct optim_adagrad),
     adagrad_args},
    1,
    step_adagrad,
};
static const struct optimizer rmsprop = {
    {"rmsprop", "gradients over the root of their mean square", sizeof(struct optim_rmsprop),
     rmsprop_args},
    2,
    step_rmsprop,
};
static const struct optimizer adam = {
    {"adam", "mean gradient over the root of its mean square", sizeof(struct optim_adam),
     adam_args},
    2,
    step_adam,
};
static const struct optimizer adamw = {
    {"adamw", "adam with weight decay apart from the gradient", sizeof(struct optim_adam),
     adamw_args},
    2,
    step_adamw,
};

static const struct optimizer *const table[] = {&sgd, &adagrad, &rmsprop, &adam, &adamw};

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
