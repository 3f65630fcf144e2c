/* pairs.h - losses that compare two tensors element by element: mse, l1, huber, bce and those of
 * GANs. Inline, so that the compiler makes one loop of each term: an operator passes its term and
 * its slopes as constants to pairs_sum and pairs_backward, in functions of its own, which it shares
 * among threads. */
#pragma once
#include "core/ops/parts/share.h"

#define PAIRS_INLINE static inline __attribute__((always_inline))

enum { PAIRS_LANES = 8 };

/* One element of both, and the loss's one parameter; 0 where it has none. */
struct pair {
    double a, b, parameter;
};

/* The shapes are equal but for trailing ones, or one input is a number.
 * Errors: ERR_CONFIG, beginning with name, which calls the inputs as given. */
int pairs_plan(const char *name, const char *const called[2], const struct shape *x,
               struct op_plan *plan, struct err *err);

/* Elements of the larger input. */
static inline int64_t pairs_len(const struct op_call *c) {
    const int64_t a = shape_len(&c->x[0].shape), b = shape_len(&c->x[1].shape);

    return a > b ? a : b;
}

/* count() of all of them. */
double pairs_count(const struct op_call *c);

/* y = sum of terms. */
void pairs_forward(const struct op_call *c,
                   double (*sum)(const struct op_call *c, int64_t begin, int64_t end));

/* 1, or 0 for a number, which is repeated. */
static inline int64_t pairs_step(const struct op_call *c, int operand) {
    return shape_len(&c->x[operand].shape) == 1 ? 0 : 1;
}

/* The sum of f for begin <= i < end: partial sums side by side, always in the same order. */
PAIRS_INLINE double pairs_sum(const struct op_call *c, int64_t begin, int64_t end,
                              double (*f)(struct pair x), double parameter) {
    const act *a = c->x[0].data, *b = c->x[1].data;
    const int64_t step_a = pairs_step(c, 0), step_b = pairs_step(c, 1);
    double lanes[PAIRS_LANES] = {0}, sum = 0;
    int64_t i = begin;

    if (step_a && step_b)
        for (; i + PAIRS_LANES <= end; i += PAIRS_LANES)
            for (int l = 0; l < PAIRS_LANES; l++)
                lanes[l] += f((struct pair){(double)a[i + l], (double)b[i + l], parameter});
    for (; i < end; i++)
        sum += f((struct pair){(double)a[i * step_a], (double)b[i * step_b], parameter});
    for (int l = 0; l < PAIRS_LANES; l++)
        sum += lanes[l];
    return sum;
}

/* Add the gradient of input `operand`, as large as the output, for begin <= i < end. */
PAIRS_INLINE void pairs_backward(const struct op_call *c, int operand, int64_t begin, int64_t end,
                                 double (*slope)(struct pair x), double parameter) {
    const double scale = (double)c->dy.reals[0];
    const act *restrict a = c->x[0].data, *restrict b = c->x[1].data;
    const int64_t step_a = pairs_step(c, 0), step_b = pairs_step(c, 1);
    act *restrict dx = c->dx[operand].data;

    if (step_a && step_b)
        for (int64_t i = begin; i < end; i++)
            dx[i] += (act)(scale * slope((struct pair){(double)a[i], (double)b[i], parameter}));
    else
        for (int64_t i = begin; i < end; i++)
            dx[i] += (act)(scale * slope((struct pair){(double)a[i * step_a], (double)b[i * step_b],
                                                       parameter}));
}

/* Both gradients from tasks for ranges of elements and sums of slopes (for a number). */
struct pairs_tasks {
    void (*backward[2])(const struct op_call *c, int64_t begin, int64_t end);
    double (*slopes[2])(const struct op_call *c, int64_t begin, int64_t end);
};

void pairs_run_backward(const struct op_call *c, const struct pairs_tasks *tasks);
