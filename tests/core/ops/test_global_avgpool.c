#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"global_avgpool", .n_x = 1, .x = {{4, {3, 3, 2, 5}}}});
    check_gradients(&(struct op_case){"global_avgpool", .n_x = 1, .x = {{3, {2, 7, 3}}}});
    check_gradients(&(struct op_case){"global_avgpool", .n_x = 1, .x = {{5, {2, 2, 3, 2, 3}}}});
}

static void output_worked_by_hand(void **state) {
    (void)state;
    const act in[] = {1, 10, 2, 20, 3, 30, 6, 40, -1, 0, -1, 0, -1, 0, -1, 4},
              out[] = {3, 25, -1, 1};
    check_output(
        &(struct op_case){"global_avgpool", .n_x = 1, .x = {{4, {2, 2, 2, 2}}}, .x_data = {in}},
        (struct shape){2, {2, 2}}, out);
}

/* More pixels and channels than one block: channel ch of pixel p holds p + 1000 ch; the mean of
 * 0 .. 90 is 45. */
static void blocks_add_up(void **state) {
    (void)state;
    enum { PIXELS = 91, CHANNELS = 70 };
    act in[PIXELS * CHANNELS], out[CHANNELS];

    for (int i = 0; i < PIXELS * CHANNELS; i++)
        in[i] = i / CHANNELS + 1000 * (i % CHANNELS);
    for (int ch = 0; ch < CHANNELS; ch++)
        out[ch] = 45 + 1000 * ch;
    check_output(&(struct op_case){"global_avgpool", .n_x = 1, .x = {{4, {1, 7, 13, CHANNELS}}},
                                   .x_data = {in}},
                 (struct shape){2, {1, CHANNELS}}, out);
}

static void a_tensor_without_pixels_is_refused(void **state) {
    (void)state;
    check_refused(
        &(struct op_case){"global_avgpool", .n_x = 1, .x = {{2, {8, 10}}}},
        "global_avgpool: x is 8x10, expected images (samples x height x width x channels)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(blocks_add_up),
        cmocka_unit_test(a_tensor_without_pixels_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
