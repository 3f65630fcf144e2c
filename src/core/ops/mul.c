/* mul(a, b): y = a * b, element by element. */
#include "core/ops/parts/binary.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    return binary_plan("mul", x, plan, err);
}

static void value(const struct binary_row *row, act *y) {
    const act *a = row->a, *b = row->b;

    if (row->step_a && row->step_b)
        for (int64_t i = 0; i < row->len; i++)
            y[i] = a[i] * b[i];
    else if (row->step_a)
        for (int64_t i = 0; i < row->len; i++)
            y[i] = a[i] * *b;
    else
        for (int64_t i = 0; i < row->len; i++)
            y[i] = *a * b[i * row->step_b];
}

static const act *pull_back(const struct binary_row *row, int operand, const act *dy, act *tmp) {
    const act *other = operand ? row->a : row->b;
    const int64_t step = operand ? row->step_a : row->step_b;

    if (step)
        for (int64_t i = 0; i < row->len; i++)
            tmp[i] = dy[i] * other[i];
    else
        for (int64_t i = 0; i < row->len; i++)
            tmp[i] = dy[i] * *other;
    return tmp;
}

static double of_means(double a, double b) {
    return a * b;
}

static const struct binary mul = {value, pull_back, false, of_means};

static void forward(const struct op_call *c) {
    binary_forward(&mul, c);
}

static void backward(const struct op_call *c) {
    binary_backward(&mul, c);
}

const struct op op_mul = {
    .word = {"mul", "a * b, element by element", 0, NULL},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .memory.overwrites = 3,
    .memory.in_place = true,
    .meaning.of_means = true,
    .meaning.arithmetic = OP_PRODUCT,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
