#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char three[] = "3";
static const act a[] = {-2, 0.5, 3, -0.1}, b[] = {0, 1, 0.9, 0.3};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"bce", .n_x = 2, .x = {{4, {2, 2, 3, 2}}, {4, {2, 2, 3, 2}}}});
    check_gradients(&(struct op_case){"bce", .n_x = 2, .x = {{2, {5, 1}}, {1, {5}}}});
}

static void gradient_against_a_number(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"bce", .n_x = 2, .x = {{2, {5, 2}}, {1, {1}}}});
    check_gradients(&(struct op_case){"bce", .n_x = 2, .x = {{1, {1}}, {2, {5, 2}}}});
}

/* numpy: p = 1 / (1 + exp(-a)), mean of -b log(p) - (1 - b) log(1 - p). */
static void output_agrees_with_numbers_from_elsewhere(void **state) {
    (void)state;
    const act loss[] = {0.405997251718};
    const struct op_case c = {"bce", .n_x = 2, .x = {{2, {2, 2}}, {2, {2, 2}}}, .x_data = {a, b},
                              .tolerance = 1e-9};
    check_output(&c, (struct shape){1, {1}}, loss);
    check_count(&c, 4);
}

static void a_number_stands_for_all(void **state) {
    (void)state;
    const act number[] = {0.9}, loss[] = {0.883497251718};
    check_output(&(struct op_case){"bce", .n_x = 2, .x = {{2, {2, 2}}, {1, {1}}},
                                   .x_data = {a, number}, .tolerance = 1e-9},
                 (struct shape){1, {1}}, loss);
}

/* torch.nn.functional.binary_cross_entropy_with_logits, by tests/golden/losses.py. */
static void positive_is_pos_weight_of_pytorch(void **state) {
    (void)state;
    const act loss[] = {0.776559551027};
    const struct op_case c = {"bce",
                              .with = three,
                              .n_x = 2,
                              .x = {{2, {2, 2}}, {2, {2, 2}}},
                              .x_data = {a, b},
                              .tolerance = 1e-11};
    check_output(&c, (struct shape){1, {1}}, loss);
    const act inner[] = {0.1, 1, 0.9, 0.3};
    const struct op_case positive = {"bce", .with = three, .n_x = 2,
                                     .x = {{2, {2, 2}}, {2, {2, 2}}}, .x_data = {NULL, inner}};
    check_gradients(&positive);
}

/* (log 2 + log 2) / 4: two pixels have no class. */
static void pixels_without_class_cost_nothing(void **state) {
    (void)state;
    const act logits[] = {0, 5, 0, -5}, mask[] = {0, -1, 1, -1}, loss[] = {0.34657359028};
    const struct op_case c = {"bce", .n_x = 2, .x = {{4, {1, 2, 2, 1}}, {3, {1, 2, 2}}},
                              .x_data = {logits, mask}, .tolerance = 1e-11};
    check_output(&c, (struct shape){1, {1}}, loss);
    const struct op_case constant = {"bce", .n_x = 2, .x = {{4, {1, 2, 2, 1}}, {3, {1, 2, 2}}},
                                     .x_data = {logits, mask}, .constant = 2};
    check_gradients(&constant);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"bce", .n_x = 2, .x = {{4, {8, 4, 4, 3}}, {4, {8, 4, 4, 1}}}},
                  "bce: logits is 8x4x4x3 and target 8x4x4x1");
}

/* -log sigmoid(1000) = 0 and -log(1 - sigmoid(1000)) = 1000. */
static void large_logits_do_not_overflow(void **state) {
    (void)state;
    const act logits[] = {1000, -1000, 1000, -1000}, target[] = {1, 0, 0, 1}, loss[] = {500};
    check_output(&(struct op_case){"bce", .n_x = 2, .x = {{2, {2, 2}}, {2, {2, 2}}},
                                   .x_data = {logits, target}},
                 (struct shape){1, {1}}, loss);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_against_a_number),
        cmocka_unit_test(output_agrees_with_numbers_from_elsewhere),
        cmocka_unit_test(a_number_stands_for_all),
        cmocka_unit_test(positive_is_pos_weight_of_pytorch),
        cmocka_unit_test(pixels_without_class_cost_nothing),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
        cmocka_unit_test(large_logits_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
