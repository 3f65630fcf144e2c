#include "support/op_check.h"
#include "core/base/rng.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const double quarter = 0.25, always = 1; /* dropout's arguments are one number */

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"dropout", .n_x = 1, .x = {{4, {2, 3, 2, 3}}}, .key = 7});
    check_gradients(&(struct op_case){"dropout", .n_x = 1, .x = {{2, {2, 3}}}, .evaluate = true});
}

/* 10000 draws: standard error of the share 0.25 is sqrt(0.25 * 0.75 / 10000) = 0.0043. */
static void the_dropped_share_is_p_and_the_rest_makes_up_for_it(void **state) {
    (void)state;
    enum { LEN = 10000 };
    static act ones[LEN];
    struct shape y;
    int n_dropped = 0;

    for (int i = 0; i < LEN; i++)
        ones[i] = 1;
    act *out = forward_of(&(struct op_case){"dropout", .args = &quarter, .n_x = 1,
                                            .x = {{2, {100, 100}}}, .x_data = {ones}, .key = 3},
                          &y);
    for (int i = 0; i < LEN; i++) {
        assert_true(out[i] == 0 || fabs(out[i] - 4.0 / 3) < 1e-12);
        n_dropped += out[i] == 0;
    }
    assert_true(abs(n_dropped - 2500) < 5 * 43);
    free(out);
}

static void element_i_is_dropped_where_draw_i_is_below_p(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4, 5, 6, 7, 8};
    act out[8];

    for (int i = 0; i < 8; i++) /* the second rank of two, which has samples 4 to 7 */
        out[i] = rng_uniform(99, 4 * 2 + (uint64_t)i) < 0.5f ? 0 : 2 * in[i];
    check_output(&(struct op_case){"dropout", .n_x = 1, .x = {{2, {4, 2}}}, .x_data = {in},
                                   .key = 99, .first = 4},
                 (struct shape){2, {4, 2}}, out);
}

/* Longer than one stretch, from a place that is no multiple of four. */
static void long_tensors_are_drawn_element_by_element_too(void **state) {
    (void)state;
    enum { LEN = 1501 };
    static act ones[LEN], out[LEN];

    for (int i = 0; i < LEN; i++) {
        ones[i] = 1;
        out[i] = rng_uniform(99, 3 * LEN + (uint64_t)i) < 0.25f ? 0 : 4.0 / 3;
    }
    check_output(&(struct op_case){"dropout", .args = &quarter, .n_x = 1, .x = {{2, {1, LEN}}},
                                   .x_data = {ones}, .key = 99, .first = 3},
                 (struct shape){2, {1, LEN}}, out);
}

static void evaluation_passes_everything(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4};
    check_output(&(struct op_case){"dropout", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in},
                                   .evaluate = true},
                 (struct shape){2, {2, 2}}, in);
}

static void probability_one_leaves_nothing(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4}, out[4] = {0};
    check_output(
        &(struct op_case){"dropout", .args = &always, .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}},
        (struct shape){2, {2, 2}}, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(the_dropped_share_is_p_and_the_rest_makes_up_for_it),
        cmocka_unit_test(element_i_is_dropped_where_draw_i_is_below_p),
        cmocka_unit_test(long_tensors_are_drawn_element_by_element_too),
        cmocka_unit_test(evaluation_passes_everything),
        cmocka_unit_test(probability_one_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
