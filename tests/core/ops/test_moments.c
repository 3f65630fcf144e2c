#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const act x[] = {1, 2, 3, -4};

/* Means of (1, 3) and (2, -4); of 1 and 9, of 2 and -12, of 4 and 16. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act y[] = {2, -1, 5, -5, -5, 10};
    const struct op_case c = {"moments", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {x},
                              .tolerance = 1e-12};
    check_output(&c, (struct shape){3, {1, 3, 2}}, y);
    check_count(&c, 2);
}

static void forward_gives_the_sum_of_terms(void **state) {
    (void)state;
    const act y[] = {4, -2, 10, -10, -10, 20};
    check_sum(&(struct op_case){"moments", .n_x = 1, .x = {{4, {2, 1, 1, 2}}}, .x_data = {x}},
              (struct shape){3, {1, 3, 2}}, y);
}

/* Sample i is 1 in channel i and in the last one, of 300: more than one piece. */
static void many_channels(void **state) {
    (void)state;
    enum { N = 300 };
    static act ones[N * N], y[(N + 1) * N];

    for (int i = 0; i < N; i++) {
        ones[i * N + i] = ones[i * N + N - 1] = 1;
        y[i] = y[(1 + i) * N + i] = y[(1 + i) * N + N - 1] = y[N * N + i] = 1. / N;
    }
    y[N - 1] = y[N * N + N - 1] = 1;
    check_output(&(struct op_case){"moments", .n_x = 1, .x = {{2, {N, N}}}, .x_data = {ones},
                                   .tolerance = 1e-12},
                 (struct shape){3, {1, N + 1, N}}, y);
}

static void no_gradient_passes(void **state) {
    (void)state;
    assert_null(op_find("moments")->backward);
}

static void images_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"moments", .n_x = 1, .x = {{4, {8, 4, 4, 3}}}},
                  "moments: x is 8x4x4x3, expected samples x channels; put flatten or "
                  "global_avgpool before it");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand), cmocka_unit_test(forward_gives_the_sum_of_terms),
        cmocka_unit_test(many_channels),         cmocka_unit_test(no_gradient_passes),
        cmocka_unit_test(images_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
