/* loss_case.h - the operands of tests/golden/losses.py: two samples of 2x2 pixels and three
 * classes. */
#pragma once
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const act case_logits[] = {1, 0, 2,  2,   -1,  0.5, 0.3, 0.2, -0.1, -1,   2, 1,
                                  0, 1, -2, 0.7, 0.1, 0.4, 3,   -2,  1,    -0.5, 0, 0.5};
static const struct shape case_shape = {4, {2, 2, 2, 3}};

/* One class of each pixel; and of one channel, whose logits are the first ones of case_logits. */
static inline struct op_case case_of_pixels(const char *op, const char *with) {
    static const act mask[] = {2, 0, 1, -1, 1, 0, 2, 2};

    return (struct op_case){op, .with = with, .n_x = 2, .x = {case_shape, {3, {2, 2, 2}}},
                            .x_data = {case_logits, mask}};
}

static inline struct op_case case_of_scores(const char *op, const char *with) {
    static const act scores[] = {1, 2, 0.3, -1, 0, 0.7, 3, -0.5};
    static const act mask[] = {1, 0, 1, -1, 1, 0, 0, 1};

    return (struct op_case){op, .with = with, .n_x = 2, .x = {{4, {2, 2, 2, 1}}, {3, {2, 2, 2}}},
                            .x_data = {scores, mask}};
}

/* The logits against 0.8 times those of the pixel on the other side. */
static inline struct op_case case_of_two(const char *op, const char *with) {
    static act teacher[24];

    for (int i = 0; i < 24; i++)
        teacher[i] = 0.8 * case_logits[(i / 3 ^ 1) * 3 + i % 3];
    return (struct op_case){op, .with = with, .n_x = 2, .x = {case_shape, case_shape},
                            .x_data = {case_logits, teacher}};
}

/* One number, to the last digit that the script prints. */
static inline void check_number(struct op_case c, double expected) {
    c.tolerance = 1e-11;
    check_output(&c, (struct shape){1, {1}}, &(const act){(act)expected});
}
