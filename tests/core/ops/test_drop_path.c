#include "support/op_check.h"
#include "core/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const double half = 0.5, always = 1; /* its arguments are one number */

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"drop_path", &half, .n_x = 1, .x = {{4, {5, 3, 2, 3}}}, .key = 7});
    check_gradients(
        &(struct op_case){"drop_path", &half, .n_x = 1, .x = {{2, {2, 3}}}, .evaluate = true});
}

static void whole_samples_are_dropped_where_their_draw_is_below_p(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    act out[16];
    int n_dropped = 0;

    for (uint64_t n = 0; n < 8; n++) { /* the second rank of two, which has samples 8 to 15 */
        const bool dropped = rng_uniform(99, 8 + n) < 0.5f;

        n_dropped += dropped;
        for (uint64_t i = 2 * n; i < 2 * n + 2; i++)
            out[i] = dropped ? 0 : 2 * in[i];
    }
    assert_true(n_dropped > 0 && n_dropped < 8);
    check_output(&(struct op_case){"drop_path", &half, .n_x = 1, .x = {{2, {8, 2}}}, .x_data = {in},
                                   .key = 99, .first = 8},
                 (struct shape){2, {8, 2}}, out);
}

static void evaluation_passes_everything(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4};
    check_output(&(struct op_case){"drop_path", &half, .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in},
                                   .evaluate = true},
                 (struct shape){2, {2, 2}}, in);
}

static void probability_one_leaves_nothing(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4}, out[4] = {0};
    check_output(
        &(struct op_case){"drop_path", &always, .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}},
        (struct shape){2, {2, 2}}, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(whole_samples_are_dropped_where_their_draw_is_below_p),
        cmocka_unit_test(evaluation_passes_everything),
        cmocka_unit_test(probability_one_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
