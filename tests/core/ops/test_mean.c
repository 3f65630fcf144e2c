#include "core/ops/loss_case.h"

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"mean", .n_x = 1, .x = {{4, {2, 3, 4, 2}}}});
}

/* The sum of the 24 logits is 9.1. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const struct op_case c = {"mean", .n_x = 1, .x = {case_shape}, .x_data = {case_logits}};
    check_number(c, 9.1 / 24);
    check_count(&c, 24);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_worked_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
