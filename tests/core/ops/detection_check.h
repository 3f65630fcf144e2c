/* detection_check.h - measures of detection_set beside those of tests/golden/detection.py. */
#pragma once
#include "core/ops/detection_set.h"
#include "core/ops/golden_detection.h"
#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { N_GOLDEN_DETECTION = sizeof golden_detection / sizeof *golden_detection };

/* The set with what is left out as the number 0. */
static struct op_case detection_case(const struct detection_set *set, const char *op,
                                     const char *with, bool difficult, bool crowd) {
    static const act none[] = {0};
    struct op_case c = {
        op, .with = *with ? with : NULL, .n_x = 4,
        .x = {{3, {SET_N, SET_K, FOUND}}, {3, {SET_N, SET_M, TRUTH}}, {1, {1}}, {1, {1}}},
        .x_data = {&set->found[0][0][0], &set->boxes[0][0][0], none, none}};

    if (difficult)
        c.x[2] = (struct shape){2, {SET_N, SET_M}}, c.x_data[2] = &set->difficult[0][0];
    if (crowd)
        c.x[3] = (struct shape){2, {SET_N, SET_M}}, c.x_data[3] = &set->crowd[0][0];
    return c;
}

/* All golden numbers of an operator. */
static void check_golden_detection(const char *op) {
    static struct detection_set set;
    int n = 0;

    set_make(&set);
    for (int i = 0; i < N_GOLDEN_DETECTION; i++) {
        if (strcmp(golden_detection[i].op, op))
            continue;
        const struct op_case c =
            detection_case(&set, op, golden_detection[i].with, golden_detection[i].difficult,
                           golden_detection[i].crowd);
        struct shape y;
        act *found = forward_of(&c, &y);

        assert_int_equal(shape_len(&y), golden_detection[i].n);
        for (int k = 0; k < golden_detection[i].n; k++) {
            const double expected = golden_detection[i].y[k];
            if (isnan(expected) ? !isnan((double)found[k])
                                : !(fabs((double)found[k] - expected) < 1e-9))
                fail_msg("%s(%s) [%d] is %.12f, expected %.12f", op, golden_detection[i].with, k,
                         (double)found[k], expected);
        }
        free(found);
        n++;
    }
    assert_true(n > 0);
}

/* What does not fit is refused. */
static void check_detection_shapes(const char *op, const char *with) {
    char msg[256];
    struct op_case c = {op, .with = with, .n_x = 2, .x = {{3, {2, 4, 5}}, {3, {2, 3, 5}}}};

    snprintf(msg, sizeof msg,
             "%s: what was found is 2x4x5, expected rows of x1, y1, x2, y2, class and score", op);
    check_refused(&c, msg);
    c.x[0].dim[2] = FOUND, c.x[1].dim[2] = 4;
    snprintf(msg, sizeof msg, "%s: boxes are 2x3x4, expected rows of x1, y1, x2, y2 and class", op);
    check_refused(&c, msg);
    c.x[1].dim[2] = TRUTH, c.n_x = 3, c.x[2] = (struct shape){2, {2, 4}};
    snprintf(msg, sizeof msg, "%s: difficult is 2x4, expected a number for each box of 2x3x5", op);
    check_refused(&c, msg);
}
