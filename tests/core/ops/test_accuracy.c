#include "support/op_check.h"
#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const act logits[] = {1, 5, 3, 9, 2, 4, 0, 7, 8, 6, 2, 1}, label[] = {1, 2, 1, 0};
static const char two[] = "2", ignoring[] = "ignore=0";

static struct op_case four(const char *with) {
    return (struct op_case){"accuracy", .with = with, .n_x = 2, .x = {{2, {4, 3}}, {1, {4}}},
                            .x_data = {logits, label}};
}

static void check_share(const char *with, double expected) {
    const struct op_case c = four(with);
    check_output(&c, (struct shape){1, {1}}, &expected);
}

/* Best classes: 1, 0, 2, 0; labels 1, 2, 1, 0. */
static void the_best_class_must_be_the_label(void **state) {
    (void)state;
    check_share(NULL, 0.5);
}

static void the_label_may_be_second_with_two_guesses(void **state) {
    (void)state;
    check_share(two, 1);
}

static void ignored_labels_do_not_count(void **state) {
    (void)state;
    const struct op_case c = four(ignoring);
    check_count(&c, 3);
    check_share(ignoring, 1.0 / 3);
}

static void equal_logits_are_no_hits_but_for_the_first(void **state) {
    (void)state;
    const act same[12] = {0}, quarter[] = {0.25};
    check_output(&(struct op_case){"accuracy", .n_x = 2, .x = {{2, {4, 3}}, {1, {4}}},
                                   .x_data = {same, label}},
                 (struct shape){1, {1}}, quarter);
}

static void not_a_number_is_no_hit(void **state) {
    (void)state;
    const act bad[] = {(act)NAN, (act)NAN, (act)NAN, 1, (act)NAN, 0}, zero[] = {0},
              classes[] = {0, 0};
    check_output(&(struct op_case){"accuracy", .n_x = 2, .x = {{2, {2, 3}}, {1, {2}}},
                                   .x_data = {bad, classes}},
                 (struct shape){1, {1}}, zero);
}

static void every_pixel_may_have_a_label(void **state) {
    (void)state;
    const act half[] = {0.5};
    check_output(&(struct op_case){"accuracy", .n_x = 2,
                                   .x = {{4, {1, 2, 2, 3}}, {4, {1, 2, 2, 1}}},
                                   .x_data = {logits, label}},
                 (struct shape){1, {1}}, half);
}

static void no_gradient_passes(void **state) {
    (void)state;
    assert_null(op_find("accuracy")->backward);
}

static void more_guesses_than_classes_are_refused(void **state) {
    (void)state;
    const struct op_case c = four("5");
    check_refused(&c, "accuracy: k is 5, but there are only 3 classes");
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"accuracy", .n_x = 2, .x = {{2, {8, 10}}, {2, {8, 10}}}},
                  "accuracy: logits are 8x10 and labels 8x10");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_class_must_be_the_label),
        cmocka_unit_test(the_label_may_be_second_with_two_guesses),
        cmocka_unit_test(ignored_labels_do_not_count),
        cmocka_unit_test(equal_logits_are_no_hits_but_for_the_first),
        cmocka_unit_test(not_a_number_is_no_hit),
        cmocka_unit_test(every_pixel_may_have_a_label),
        cmocka_unit_test(no_gradient_passes),
        cmocka_unit_test(more_guesses_than_classes_are_refused),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
