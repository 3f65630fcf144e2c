#include "core/ops/loss_case.h"

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const struct shape shapes[] = {{4, {2, 3, 4, 2}}, {3, {2, 5, 3}}, {5, {2, 3, 2, 4, 1}}};

    for (int i = 0; i < 3; i++)
        check_gradients(&(struct op_case){"total_variation", .n_x = 1, .x = {shapes[i]}});
}

static void output_agrees_with_pytorch(void **state) {
    (void)state;
    const struct op_case c = {"total_variation", .n_x = 1, .x = {case_shape},
                              .x_data = {case_logits}};
    check_number(c, 1.566666666667);
    check_count(&c, 24);
}

/* |5 - 1| + |2 - 5| over 3 elements. */
static void a_signal_varies_along_time(void **state) {
    (void)state;
    const act x[] = {1, 5, 2};
    const struct op_case c = {"total_variation", .n_x = 1, .x = {{3, {1, 3, 1}}}, .x_data = {x}};
    check_number(c, 7. / 3);
}

static void what_is_no_image_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"total_variation", .n_x = 1, .x = {{2, {8, 10}}}},
                  "total_variation: x is 8x10, expected images");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(a_signal_varies_along_time),
        cmocka_unit_test(what_is_no_image_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
