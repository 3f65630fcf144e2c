/* activation.h - element-wise operators y = f(x) whose slope is a function of y or of x.
 * Inline, so that the compiler makes one vector loop of each f: an operator passes its terms as
 * constants to activation_forward and activation_backward, in functions of its own, which it
 * shares among threads. */
#pragma once
#include "core/ops/parts/share.h"

#define ACTIVATION_INLINE static inline __attribute__((always_inline))

/* y has x's shape; one operation per element. */
static inline int activation_plan(const void *args, const struct shape *x, int n_x,
                                  struct op_plan *plan, struct err *err) {
    (void)args, (void)n_x, (void)err;
    plan->y = x[0];
    plan->flops = (double)shape_len(x);
    return 0;
}

/* y[i] = f(x[i]) for begin <= i < end. y may be x. */
ACTIVATION_INLINE void activation_forward(const struct op_call *c, int64_t begin, int64_t end,
                                          act (*f)(act x, const void *args)) {
    act *restrict y = c->y.data;

    if (c->x->data == c->y.data) {
        for (int64_t i = begin; i < end; i++)
            y[i] = f(y[i], c->args);
        return;
    }
    const act *restrict x = c->x->data;
    for (int64_t i = begin; i < end; i++)
        y[i] = f(x[i], c->args);
}

/* dx[i] += g(dy[i], v[i]) for begin <= i < end; where dx is dy, or holds nothing yet, it is
 * overwritten: the operator has overwrites = 1.
 *   v  y (the operator has reads_y) or x (reads_x) */
ACTIVATION_INLINE void activation_backward(const struct op_call *c, const act *restrict v,
                                           int64_t begin, int64_t end,
                                           act (*g)(act dy, act v, const void *args)) {
    act *restrict dx = c->dx->data;

    if (c->dx->data == c->dy.data) {
        for (int64_t i = begin; i < end; i++)
            dx[i] = g(dx[i], v[i], c->args);
        return;
    }
    const act *restrict dy = c->dy.data;
    if (c->dx_first) {
        for (int64_t i = begin; i < end; i++)
            dx[i] = g(dy[i], v[i], c->args);
        return;
    }
    for (int64_t i = begin; i < end; i++)
        dx[i] += g(dy[i], v[i], c->args);
}

/* Run part over all elements of the gradient, if it is wanted. */
static inline void activation_share_backward(const struct op_call *c,
                                             void (*part)(const struct op_call *c, int64_t begin,
                                                          int64_t end)) {
    if (c->dx->data)
        share(c, shape_len(&c->y.shape), part);
}

/* y[i] = f(x[i]) of losses and metrics. */
static inline void activation_of_means(const struct op_call *c, double (*f)(double x)) {
    for (int64_t i = 0; i < shape_len(&c->y.shape); i++)
        c->y.reals[i] = (real)f((double)c->x->reals[i]);
}
