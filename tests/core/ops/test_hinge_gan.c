#include "core/ops/loss_case.h"

static const act scores[] = {-2, 0.5, 3, -0.1}, target[] = {0, 1, 1, 0};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"hinge_gan", .n_x = 2, .x = {{4, {2, 2, 3, 2}}, {4, {2, 2, 3, 2}}}});
    check_gradients(&(struct op_case){"hinge_gan", .n_x = 2, .x = {{2, {5, 1}}, {1, {5}}}});
}

static void gradient_against_a_number(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"hinge_gan", .n_x = 2, .x = {{2, {5, 2}}, {1, {1}}}});
    check_gradients(&(struct op_case){"hinge_gan", .n_x = 2, .x = {{1, {1}}, {2, {5, 2}}}});
}

/* (0 + 0.5 + 0 + 0.9) / 4: 1 - 3 and 1 - 2 are below 0. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const struct op_case c = {"hinge_gan", .n_x = 2, .x = {{2, {4, 1}}, {1, {4}}},
                              .x_data = {scores, target}};
    check_number(c, 0.35);
    check_count(&c, 4);
}

/* (3 + 0.5 + 0 + 1.1) / 4 */
static void a_number_stands_for_all(void **state) {
    (void)state;
    const act one[] = {1};
    check_number((struct op_case){"hinge_gan", .n_x = 2, .x = {{2, {4, 1}}, {1, {1}}},
                                  .x_data = {scores, one}},
                 (3 + 0.5 + 0 + 1.1) / 4);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(
        &(struct op_case){"hinge_gan", .n_x = 2, .x = {{4, {8, 4, 4, 3}}, {4, {8, 4, 4, 1}}}},
        "hinge_gan: scores is 8x4x4x3 and target 8x4x4x1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_against_a_number),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(a_number_stands_for_all),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
