/* parts.h - what several optimisers share: the gradient with its penalties, and their arguments. */
#pragma once
#include "core/learn/optim.h"
#include "core/learn/schedule.h"

#include <math.h>

/* What makes g of one element of dw and w:
 *   g = scale * dw + l1 * sign(w) + weight_decay * w      (the latter two where decay is set) */
struct optim_gradient {
    real scale, weight_decay, l1;
};

static inline struct optim_gradient optim_gradient(const struct optim_call *c, double weight_decay,
                                                   double l1) {
    return (struct optim_gradient){(real)c->scale, c->decay ? (real)weight_decay : 0,
                                   c->decay ? (real)l1 : 0};
}

static inline real optim_gradient_at(const struct optim_gradient *g, real w, real dw) {
    return g->scale * dw + g->l1 * (real)((w > 0) - (w < 0)) + g->weight_decay * w;
}

static inline real optim_root(real x) {
#ifdef REAL_IS_DOUBLE
    return sqrt(x);
#else
    return sqrtf(x);
#endif
}

/* Sums of squares grow in this many parts at a time, as processors add. */
enum { OPTIM_LANES = 16 };

static inline double optim_sum_lanes(const double *lane) {
    double sum = 0;

    for (int j = 0; j < OPTIM_LANES; j++)
        sum += lane[j];
    return sum;
}

/* --- arguments, by the struct that holds them; each struct has a field of that name --- */

#define OPTIM_LR(type)                                                                             \
    {                                                                                              \
        .name = "lr", .kind = ARG_APPLIED, .offset = offsetof(struct type, lr), .required = true,  \
        .find = schedule_find, .at = schedule_word,                                                \
        .help = "learning rate: a number or a schedule"                                            \
    }

/* A number from 0 to `highest`. */
#define OPTIM_REAL(type, field, value, highest, text)                                              \
    {                                                                                              \
        .name = #field, .kind = ARG_REAL, .offset = offsetof(struct type, field),                  \
        .fallback = value, .max = highest, .help = text                                            \
    }

#define OPTIM_DECAY(type, value)                                                                   \
    OPTIM_REAL(type, weight_decay, value, INFINITY,                                                \
               "L2 penalty of weights, not of biases and norms")

#define OPTIM_L1(type) OPTIM_REAL(type, l1, 0, INFINITY, "L1 penalty of the same weights")

/* What large-batch optimisers leave to the plain step: bits of `exclude`. */
enum { OPTIM_BIASES = 1, OPTIM_NORMS = 2 };
extern const char *const optim_excludes[];

#define OPTIM_EXCLUDE(type)                                                                        \
    {                                                                                              \
        .name = "exclude", .kind = ARG_WORDS, .offset = offsetof(struct type, exclude),            \
        .fallback = OPTIM_BIASES | OPTIM_NORMS, .words = optim_excludes,                           \
        .help = "what has neither penalty nor a step by its length"                                \
    }

/* Is a piece none of those? */
bool optim_adapts(int exclude, const struct optim_call *c);

/* Below 1: 1 - beta^t divides. */
#define OPTIM_BETAS(type)                                                                          \
    OPTIM_REAL(type, beta1, 0.9, ARG_BELOW_1, "of the running mean of gradients"),                 \
        OPTIM_REAL(type, beta2, 0.999, ARG_BELOW_1, "of the running mean of squares")
