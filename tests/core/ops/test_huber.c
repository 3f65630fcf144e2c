#include "core/ops/loss_case.h"

static const act scores[] = {-2, 0.5, 3, -0.1}, target[] = {0, 1, 1, 0};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"huber", .n_x = 2, .x = {{4, {2, 2, 3, 2}}, {4, {2, 2, 3, 2}}}});
    check_gradients(&(struct op_case){"huber", .n_x = 2, .x = {{2, {5, 1}}, {1, {5}}}});
}

static void gradient_against_a_number(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"huber", .n_x = 2, .x = {{2, {5, 2}}, {1, {1}}}});
    check_gradients(&(struct op_case){"huber", .n_x = 2, .x = {{1, {1}}, {2, {5, 2}}}});
}

/* (1.5 + 0.125 + 1.5 + 0.005) / 4 */
static void output_worked_by_hand(void **state) {
    (void)state;
    const struct op_case c = {"huber", .n_x = 2, .x = {{2, {4, 1}}, {1, {4}}},
                              .x_data = {scores, target}};
    check_number(c, 0.7825);
    check_count(&c, 4);
}

/* (2.5 + 0.125 + 1.5 + 0.6) / 4: |-1.1| - 0.5 is 0.6. */
static void a_number_stands_for_all(void **state) {
    (void)state;
    const act one[] = {1};
    check_number(
        (struct op_case){"huber", .n_x = 2, .x = {{2, {4, 1}}, {1, {1}}}, .x_data = {scores, one}},
        (2.5 + 0.125 + 1.5 + 0.6) / 4);
}

/* torch.nn.functional.huber_loss, by tests/golden/losses.py. */
static void output_agrees_with_pytorch(void **state) {
    (void)state;
    const act b[] = {0, 1, 0.9, 0.3};
    struct op_case c = {"huber", .n_x = 2, .x = {{1, {4}}, {1, {4}}}, .x_data = {scores, b}};
    check_number(c, 0.826250000000);
    c.with = "2";
    check_number(c, 1.101250000000);
}

static void gradient_where_it_is_linear(void **state) {
    (void)state;
    const struct op_case c = {"huber", .with = "0.1", .n_x = 2, .x = {{2, {5, 2}}, {2, {5, 2}}}};
    check_gradients(&c);
}

static void a_delta_of_0_is_refused(void **state) {
    (void)state;
    check_refused(
        &(struct op_case){"huber", .with = "0", .n_x = 2, .x = {{2, {5, 2}}, {2, {5, 2}}}},
        "huber: delta is 0, expected more than 0");
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"huber", .n_x = 2, .x = {{4, {8, 4, 4, 3}}, {4, {8, 4, 4, 1}}}},
                  "huber: the first input is 8x4x4x3 and the second 8x4x4x1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_against_a_number),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(a_number_stands_for_all),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(gradient_where_it_is_linear),
        cmocka_unit_test(a_delta_of_0_is_refused),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
