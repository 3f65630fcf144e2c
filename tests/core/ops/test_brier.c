#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* exp of these adds up to 6 and to 4. */
static const double third = 1.0986122886681098, second = 0.6931471805599453;

/* p = 1/6, 2/6, 3/6 and 1/4, 1/4, 2/4; labels 2 and 0. */
static void output_worked_by_hand(void **state) {
    const act logits[] = {0, second, third, 0, 0, second}, label[] = {2, 0};
    const act y = ((1 + 4 + 9) / 36. + (9 + 1 + 4) / 16.) / 2;

    (void)state;
    check_output(&(struct op_case){"brier", .n_x = 2, .x = {{2, {2, 3}}, {1, {2}}},
                                   .x_data = {logits, label}, .tolerance = 1e-9},
                 (struct shape){1, {1}}, &y);
}

/* p of class 1: 3/4 and 1/4; labels 1 and 1, and one that does not count. */
static void one_score_measures_class_1(void **state) {
    const act score[] = {third, -third, 7}, label[] = {1, 1, -1};
    const act y = (1 / 16. + 9 / 16.) / 2;
    const struct op_case c = {"brier", .n_x = 2, .x = {{2, {3, 1}}, {1, {3}}},
                              .x_data = {score, label}, .tolerance = 1e-9};

    (void)state;
    check_output(&c, (struct shape){1, {1}}, &y);
    check_count(&c, 2);
}

static void ignored_labels_do_not_count(void **state) {
    const act logits[] = {0, 0, 5, 5}, label[] = {1, 0}, y = 0.5;
    const struct op_case c = {"brier", .with = "ignore=0", .n_x = 2, .x = {{2, {2, 2}}, {1, {2}}},
                              .x_data = {logits, label}};

    (void)state;
    check_count(&c, 1);
    check_output(&c, (struct shape){1, {1}}, &y);
}

static void it_falls_as_things_get_better(void **state) {
    (void)state;
    assert_null(op_find("brier")->backward);
    assert_int_equal(op_find("brier")->meaning.better, -1);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"brier", .n_x = 2, .x = {{2, {4, 3}}, {1, {5}}}},
                  "brier: logits are 4x3 and labels 5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(one_score_measures_class_1),
        cmocka_unit_test(ignored_labels_do_not_count),
        cmocka_unit_test(it_falls_as_things_get_better),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
