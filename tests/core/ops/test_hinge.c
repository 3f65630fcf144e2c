#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* The example of CS231n's notes on linear classification, https://cs231n.github.io: scores 13, -7,
 * 11 of class 0 with margin 10 lose max(0, -20 + 10) + max(0, -2 + 10) = 8. And 3.2, 5.1, -1.7 of
 * class 0 with margin 1: 2.9 + 0. */
static const act scores[] = {13, -7, 11, 3.2, 5.1, -1.7}, label[] = {0, 0};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const act classes[] = {0, 3, 2, -1, 1, 3};
    check_gradients(&(struct op_case){"hinge", .n_x = 2, .x = {{2, {6, 4}}, {1, {6}}},
                                      .x_data = {NULL, classes}});
    check_gradients(&(struct op_case){"hinge", .n_x = 2, .x = {{4, {1, 2, 3, 4}}, {3, {1, 2, 3}}},
                                      .x_data = {NULL, classes}});
}

static void output_agrees_with_the_notes_of_cs231n(void **state) {
    (void)state;
    const act first[] = {8}, second[] = {2.9};
    check_output(&(struct op_case){"hinge", .with = "10", .n_x = 2, .x = {{2, {1, 3}}, {1, {1}}},
                                   .x_data = {scores, label}},
                 (struct shape){1, {1}}, first);
    check_output(&(struct op_case){"hinge", .n_x = 2, .x = {{2, {1, 3}}, {1, {1}}},
                                   .x_data = {scores + 3, label}},
                 (struct shape){1, {1}}, second);
}

/* margin 1: 0 + 0 and 2.9 */
static void mean_over_the_batch(void **state) {
    (void)state;
    const act loss[] = {1.45};
    check_output(&(struct op_case){"hinge", .n_x = 2, .x = {{2, {2, 3}}, {1, {2}}},
                                   .x_data = {scores, label}},
                 (struct shape){1, {1}}, loss);
}

static void ignored_labels_do_not_count(void **state) {
    (void)state;
    const act classes[] = {2, 0}, loss[] = {2.9};
    const struct op_case c = {"hinge", .with = "ignore=2", .n_x = 2, .x = {{2, {2, 3}}, {1, {2}}},
                              .x_data = {scores, classes}};
    check_count(&c, 1);
    check_output(&c, (struct shape){1, {1}}, loss);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"hinge", .n_x = 2, .x = {{2, {8, 10}}, {1, {4}}}},
                  "hinge: logits are 8x10 and labels 4");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_the_notes_of_cs231n),
        cmocka_unit_test(mean_over_the_batch),
        cmocka_unit_test(ignored_labels_do_not_count),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
