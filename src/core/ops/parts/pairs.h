/* pairs.h - losses that compare two tensors element by element: mse, l1, huber, bce and those of
 * GANs. Inline, so that the compiler makes one loop of each term. */
#pragma once
#include "core/ops/parts/share.h"

#define PAIRS_INLINE static inline __attribute__((always_inline))

enum { PAIRS_LANES = 8 };

/* One element of both, and the loss's one parameter where it has any. */
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

/* The parameter of losses that have none. */
static inline double pairs_no_parameter(const void *args) {
    (void)args;
    return 0;
}

/* forward and backward of a file that has term(pair), its slopes along both inputs slope_a(pair)
 * and slope_b(pair), and parameter(args). */
#define PAIRS_FORWARD_AND_BACKWARD(parameter)                                                      \
    static double sum(const struct op_call *c, int64_t begin, int64_t end) {                       \
        return pairs_sum(c, begin, end, term, parameter(c->args));                                 \
    }                                                                                              \
    static void forward(const struct op_call *c) {                                                 \
        pairs_forward(c, sum);                                                                     \
    }                                                                                              \
    static void backward_a(const struct op_call *c, int64_t begin, int64_t end) {                  \
        pairs_backward(c, 0, begin, end, slope_a, parameter(c->args));                             \
    }                                                                                              \
    static void backward_b(const struct op_call *c, int64_t begin, int64_t end) {                  \
        pairs_backward(c, 1, begin, end, slope_b, parameter(c->args));                             \
    }                                                                                              \
    static double slopes_a(const struct op_call *c, int64_t begin, int64_t end) {                  \
        return pairs_sum(c, begin, end, slope_a, parameter(c->args));                              \
    }                                                                                              \
    static double slopes_b(const struct op_call *c, int64_t begin, int64_t end) {                  \
        return pairs_sum(c, begin, end, slope_b, parameter(c->args));                              \
    }                                                                                              \
    static void backward(const struct op_call *c) {                                                \
        static const struct pairs_tasks tasks = {{backward_a, backward_b}, {slopes_a, slopes_b}};  \
        pairs_run_backward(c, &tasks);                                                             \
    }
