/* confusion_case.h - a confusion matrix worked by hand, for the tests of what is measured on one.
 *
 * Nine labels of classes 0 and 1; class 2 is guessed once, class 3 does not occur:
 *   class  hits  labels  guesses
 *   0      4     5       5
 *   1      2     4       3
 *   2      0     0       1
 *   3      0     0       0 */
#pragma once
#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const act nine[16] = {4. / 9, 1. / 9, 0, 0, 1. / 9, 2. / 9, 1. / 9};

static inline struct op_case nine_labels(const char *op, const char *with) {
    return (struct op_case){
        op, .with = with, .n_x = 1, .x = {{3, {1, 4, 4}}}, .x_data = {nine}, .tolerance = 1e-9};
}

/* with: the class, if it is said. */
static inline void check_measure(const char *op, const char *with, double expected) {
    const struct op_case c = nine_labels(op, with);
    check_output(&c, (struct shape){1, {1}}, &expected);
}

/* Nothing is said of nothing: an empty matrix measures 0, one that is not a number not a number. */
static inline void check_edges(const char *op) {
    const act nothing[16] = {0}, zero = 0;
    act bad[16];
    struct shape y;
    struct op_case c = nine_labels(op, NULL);

    c.x_data[0] = nothing;
    check_output(&c, (struct shape){1, {1}}, &zero);
    for (int i = 0; i < 16; i++)
        bad[i] = (act)NAN;
    c.x_data[0] = bad;
    act *found = forward_of(&c, &y);
    assert_true(isnan(found[0]));
    free(found);
}

static inline void check_is_metric(const char *op) {
    assert_null(op_find(op)->count);
    assert_null(op_find(op)->backward);
    assert_int_equal(op_find(op)->meaning.better, 1);
}

static inline void check_refuses_other_tensors(const char *op) {
    static const struct {
        struct shape x;
        const char *text;
    } cases[] = {{{1, {1}}, "1"},
                 {{2, {8, 10}}, "8x10"},
                 {{3, {1, 4, 5}}, "1x4x5"},
                 {{3, {2, 4, 4}}, "2x4x4"}};
    char expected[200];

    for (int i = 0; i < 4; i++) {
        struct op_case c = nine_labels(op, NULL);
        c.x[0] = cases[i].x;
        snprintf(expected, sizeof expected,
                 "%s: x is %s, expected the matrix of confusion(logits, label)", op, cases[i].text);
        check_refused(&c, expected);
    }
}

static inline void check_refuses_other_classes(const char *op) {
    const struct op_case c = nine_labels(op, "4");
    char expected[200];

    snprintf(expected, sizeof expected, "%s: class is 4, but there are only 4 classes", op);
    check_refused(&c, expected);
}
