/* binary.h - element-wise operators of two tensors with broadcasting: add, sub, mul, div.
 *
 * A dimension of length 1 is repeated to the length of the other tensor's; a number {1, {1}} is
 * repeated everywhere; [n, c] against [n, ..., c] is repeated over what lies between. */
#pragma once
#include "core/ops/parts/share.h"

/* A stretch of `len` elements. Steps are 1, or 0 for one repeated number. */
struct binary_row {
    const act *a, *b;
    int64_t step_a, step_b, len;
};

/* What tells the four operators apart. */
struct binary {
    /* y[i] = f(a[i], b[i]); y may be a. */
    void (*value)(const struct binary_row *row, act *y);
    /* dy times the slope along operand 0 (a) or 1 (b): the numbers [row->len], in tmp or, where the
     * slope is 1, dy itself. */
    const act *(*pull_back)(const struct binary_row *row, int operand, const act *dy, act *tmp);
    bool slope_a_is_one;                    /* dx[0] = dy */
    double (*of_means)(double a, double b); /* f, where losses and metrics are computed with */
};

/* Errors: ERR_CONFIG where the shapes do not match, beginning with name. */
int binary_plan(const char *name, const struct shape *x, struct op_plan *plan, struct err *err);

void binary_forward(const struct binary *f, const struct op_call *c);

void binary_backward(const struct binary *f, const struct op_call *c);
