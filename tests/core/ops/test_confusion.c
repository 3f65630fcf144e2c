#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* Largest logits: 1, 0, 2, 0, 1 and, of equal ones, the first: 0. */
static const act logits[] = {1, 5, 3, 9, 2, 4, 0, 7, 8, 6, 2, 1, -3, -1, -2, 2, 0, 2};

static void rows_are_labels_and_columns_guesses(void **state) {
    (void)state;
    const act label[] = {1, 2, 1, 0, 1, 2};
    const act y[] = {1. / 6, 0, 0, 0, 2. / 6, 1. / 6, 2. / 6, 0, 0};
    const struct op_case c = {"confusion", .n_x = 2, .x = {{2, {6, 3}}, {1, {6}}},
                              .x_data = {logits, label}, .tolerance = 1e-12};
    check_output(&c, (struct shape){3, {1, 3, 3}}, y);
    check_count(&c, 6);
}

static void ignored_labels_do_not_count(void **state) {
    (void)state;
    const act label[] = {1, 2, -1, 0, 3, 2}, y[] = {1. / 3, 0, 0, 0, 0, 0, 2. / 3, 0, 0};
    const struct op_case c = {"confusion",
                              .with = "ignore=1",
                              .n_x = 2,
                              .x = {{2, {6, 3}}, {1, {6}}},
                              .x_data = {logits, label},
                              .tolerance = 1e-12};
    check_output(&c, (struct shape){3, {1, 3, 3}}, y);
    check_count(&c, 3);
}

static void every_pixel_may_have_a_label(void **state) {
    (void)state;
    const act mask[] = {1, 2, 1, 0, 1, 2};
    const act y[] = {1. / 6, 0, 0, 0, 2. / 6, 1. / 6, 2. / 6, 0, 0};
    check_output(&(struct op_case){"confusion", .n_x = 2, .x = {{4, {1, 2, 3, 3}}, {3, {1, 2, 3}}},
                                   .x_data = {logits, mask}, .tolerance = 1e-12},
                 (struct shape){3, {1, 3, 3}}, y);
}

/* Scores 0.1 and 2 mean class 1; 0, -1 and -0.2 class 0. */
static void one_score_chooses_between_two_classes(void **state) {
    (void)state;
    const act score[] = {0.1, -1, 0, 2, -0.2, 5}, label[] = {1, 1, 0, 0, 0, -1};
    const act y[] = {2. / 5, 1. / 5, 1. / 5, 1. / 5};
    const struct op_case c = {"confusion", .n_x = 2, .x = {{2, {6, 1}}, {2, {6, 1}}},
                              .x_data = {score, label}, .tolerance = 1e-12};
    check_output(&c, (struct shape){3, {1, 2, 2}}, y);
    check_count(&c, 5);
    assert_true(op_find("confusion")->meaning.binary);
}

static void forward_gives_the_sum_of_terms(void **state) {
    (void)state;
    const act label[] = {1, 1}, y[] = {0, 0, 0, 1, 1, 0, 0, 0, 0};
    check_sum(&(struct op_case){"confusion", .n_x = 2, .x = {{2, {2, 3}}, {1, {2}}},
                                .x_data = {logits, label}},
              (struct shape){3, {1, 3, 3}}, y);
}

static void a_batch_without_labels_gives_zeros(void **state) {
    (void)state;
    const act label[] = {-1, -1}, y[9] = {0};
    check_output(&(struct op_case){"confusion", .n_x = 2, .x = {{2, {2, 3}}, {1, {2}}},
                                   .x_data = {logits, label}},
                 (struct shape){3, {1, 3, 3}}, y);
}

/* 20 classes and 200 rows whose label is the row and whose largest logit is 7 further on. */
static void many_classes_and_rows(void **state) {
    (void)state;
    static act x[200 * 20], label[200], y[20 * 20];

    for (int i = 0; i < 200; i++) {
        label[i] = i % 20;
        x[i * 20 + (i + 7) % 20] = 1;
    }
    for (int j = 0; j < 20; j++)
        y[j * 20 + (j + 7) % 20] = 0.05;
    check_output(&(struct op_case){"confusion", .n_x = 2, .x = {{2, {200, 20}}, {1, {200}}},
                                   .x_data = {x, label}, .tolerance = 1e-12},
                 (struct shape){3, {1, 20, 20}}, y);
}

static void no_gradient_passes(void **state) {
    (void)state;
    assert_null(op_find("confusion")->backward);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(
        &(struct op_case){"confusion", .n_x = 2, .x = {{4, {8, 4, 4, 10}}, {4, {8, 4, 4, 10}}}},
        "confusion: logits are 8x4x4x10 and labels 8x4x4x10");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_labels_and_columns_guesses),
        cmocka_unit_test(ignored_labels_do_not_count),
        cmocka_unit_test(every_pixel_may_have_a_label),
        cmocka_unit_test(one_score_chooses_between_two_classes),
        cmocka_unit_test(forward_gives_the_sum_of_terms),
        cmocka_unit_test(a_batch_without_labels_gives_zeros),
        cmocka_unit_test(many_classes_and_rows),
        cmocka_unit_test(no_gradient_passes),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
