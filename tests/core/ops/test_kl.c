#include "core/ops/loss_case.h"

static const char warm[] = "4", frozen[] = "0";

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    struct op_case c = case_of_two("kl", NULL);
    check_gradients(&c);
    c = case_of_two("kl", warm);
    check_gradients(&c);
}

static void output_agrees_with_pytorch(void **state) {
    (void)state;
    const struct op_case c = case_of_two("kl", NULL);
    check_number(c, 0.723358115756);
    check_number(case_of_two("kl", warm), 0.960616910226);
    check_count(&c, 8);
}

/* p is (1, 0), q is (0, 1), log q = (-2000, 0): the divergence is 2000. */
static void large_logits_do_not_overflow(void **state) {
    (void)state;
    const act a[] = {-1000, 1000}, b[] = {1000, -1000};
    const struct op_case c = {"kl", .n_x = 2, .x = {{2, {1, 2}}, {2, {1, 2}}}, .x_data = {a, b}};
    check_number(c, 2000);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = case_of_two("kl", frozen);
    check_refused(&c, "kl: temperature is 0, expected more than 0");
    check_refused(&(struct op_case){"kl", .n_x = 2, .x = {{2, {8, 10}}, {1, {8}}}},
                  "kl: logits are 8x10 and target 8");
    check_refused(&(struct op_case){"kl", .n_x = 2, .x = {{2, {8, 1}}, {2, {8, 1}}}},
                  "kl: logits are 8x1, expected samples with a number per class");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(large_logits_do_not_overflow),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
