/* pairs.h - losses that compare two tensors element by element: mse, l1, bce.
 * Inline, so that the compiler makes one loop of each term. */
#pragma once
#include "core/ops/share.h"

#define PAIRS_INLINE static inline __attribute__((always_inline))

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

/* y = sum of terms / total. */
void pairs_forward(const struct op_call *c,
                   double (*sum)(const struct op_call *c, int64_t begin, int64_t end));

/* Element i of input `operand`; a number is repeated. */
static inline double pairs_at(const struct op_call *c, int operand, int64_t i) {
    const struct tensor *x = &c->x[operand];

    return (double)x->data[shape_len(&x->shape) == 1 ? 0 : i];
}

PAIRS_INLINE double pairs_sum(const struct op_call *c, int64_t begin, int64_t end,
                              double (*term)(double a, double b)) {
    double sum = 0;

    for (int64_t i = begin; i < end; i++)
        sum += term(pairs_at(c, 0, i), pairs_at(c, 1, i));
    return sum;
}

/* Add the gradient of input `operand`, as large as the output, for begin <= i < end. */
PAIRS_INLINE void pairs_backward(const struct op_call *c, int operand, int64_t begin, int64_t end,
                                 double (*slope)(double a, double b)) {
    const double scale = (double)c->dy.data[0] / c->total;

    for (int64_t i = begin; i < end; i++)
        c->dx[operand].data[i] += (act)(scale * slope(pairs_at(c, 0, i), pairs_at(c, 1, i)));
}

/* Both gradients from tasks for ranges of elements and sums of slopes (for a number). */
struct pairs_tasks {
    void (*backward[2])(const struct op_call *c, int64_t begin, int64_t end);
    double (*slopes[2])(const struct op_call *c, int64_t begin, int64_t end);
};

void pairs_run_backward(const struct op_call *c, const struct pairs_tasks *tasks);
