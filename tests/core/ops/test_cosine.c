#include "core/ops/loss_case.h"

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    struct op_case c = case_of_two("cosine", NULL);
    check_gradients(&c);
    check_gradients(&(struct op_case){"cosine", .n_x = 2, .x = {{2, {5, 7}}, {2, {5, 7}}}});
}

static void output_agrees_with_pytorch(void **state) {
    (void)state;
    const struct op_case c = case_of_two("cosine", NULL);
    check_number(c, 1.044440436759);
    check_count(&c, 8);
}

/* 1 - 24/25, and 1 for the zeros. */
static void a_vector_of_zeros_has_cosine_0(void **state) {
    (void)state;
    const act a[] = {3, 4, 0, 0}, b[] = {4, 3, 1, 2};
    const struct op_case c = {"cosine", .n_x = 2, .x = {{2, {2, 2}}, {2, {2, 2}}},
                              .x_data = {a, b}};
    check_number(c, (0.04 + 1) / 2);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"cosine", .n_x = 2, .x = {{2, {8, 10}}, {2, {8, 5}}}},
                  "cosine: the first input is 8x10 and the second 8x5, expected two alike of "
                  "samples x channels");
    check_refused(&(struct op_case){"cosine", .n_x = 2, .x = {{1, {8}}, {1, {8}}}},
                  "cosine: the first input is 8 and the second 8, expected two alike of samples x "
                  "channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(a_vector_of_zeros_has_cosine_0),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
