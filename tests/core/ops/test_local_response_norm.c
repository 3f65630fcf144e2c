#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const char odd[] = "5, alpha=2, beta=0.75, k=0.5", even[] = "4, alpha=2, beta=0.6, k=0.5";
    const char one[] = "1, alpha=1, beta=0.5, k=1";
    const char *const all[] = {odd, even, one};

    for (int i = 0; i < 3; i++) {
        check_gradients(&(struct op_case){"local_response_norm", .with = all[i], .n_x = 1,
                                          .x = {{4, {2, 2, 3, 9}}}});
        check_gradients(
            &(struct op_case){"local_response_norm", .with = all[i], .n_x = 1, .x = {{2, {3, 2}}}});
    }
}

/* 600 channels are taken in three blocks. */
static void gradient_of_many_channels(void **state) {
    (void)state;
    const char wide[] = "63, alpha=3, beta=0.75, k=1", narrow[] = "5, alpha=3, beta=0.75, k=1";
    check_gradients(
        &(struct op_case){"local_response_norm", .with = wide, .n_x = 1, .x = {{2, {2, 600}}}});
    check_gradients(
        &(struct op_case){"local_response_norm", .with = narrow, .n_x = 1, .x = {{2, {2, 600}}}});
}

/* From PyTorch: tests/golden/operators.py. */
static void output_agrees_with_pytorch(void **state) {
    (void)state;
    const char five[] = "5, alpha=2, beta=0.75, k=0.5", four[] = "4, alpha=2, beta=0.75, k=0.5";
    const act in[] = {0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8, 0.9, -1, 1.1, -1.2, 1.3, -1.4};
    const act out5[] = {0.155308028345, -0.286243892173, 0.383814945966, -0.447905249954,
                        0.485506445456, -0.598206276986, 0.733250131966, -0.596202373234,
                        0.542483329481, -0.497020969922, 0.487443071659, -0.477157403329,
                        0.567463777945, -0.696652337691};
    const act out4[] = {0.162136398703, -0.304876432497, 0.41441573539,  -0.486622233193,
                        0.527968233488, -0.547447425542, 0.674848156286, -0.687049330053,
                        0.597930469506, -0.530252908352, 0.517929561778, -0.50511096856,
                        0.49229304926,  -0.607347940228};
    check_output(&(struct op_case){"local_response_norm", .with = five, .n_x = 1,
                                   .x = {{2, {2, 7}}}, .x_data = {in}, .tolerance = 1e-11},
                 (struct shape){2, {2, 7}}, out5);
    check_output(&(struct op_case){"local_response_norm", .with = four, .n_x = 1,
                                   .x = {{2, {2, 7}}}, .x_data = {in}, .tolerance = 1e-11},
                 (struct shape){2, {2, 7}}, out4);
}

static void a_tensor_without_channels_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"local_response_norm", .n_x = 1, .x = {{1, {8}}}},
                  "local_response_norm: x is 8, expected samples with channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_many_channels),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(a_tensor_without_channels_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
