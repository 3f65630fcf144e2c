#include "support/counted.h"
#include "support/op_check.h"

#include "core/ops/parts/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct window three = {.kernel = {1, {3}}, .stride = {1, {2}}, .pad = {1, {1}}};

static void gradients_agree_with_differences(void **state) {
    const struct window deep = {.kernel = {1, {2}}, .stride = {1, {0}}, .pad = {1, {0}}, .ceil = 1};

    (void)state;
    check_gradients(
        &(struct op_case){"max_unpool", .n_x = 2, .x = {{4, {2, 2, 2, 3}}, {4, {2, 4, 5, 3}}}});
    check_gradients(&(struct op_case){"max_unpool", .args = &deep, .n_x = 2,
                                      .x = {{5, {2, 2, 2, 1, 2}}, {5, {2, 4, 3, 2, 2}}}});
}

/* Windows that overlap may share a maximum. */
static void gradients_of_overlapping_windows(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"max_unpool", .args = &three, .n_x = 2,
                                      .x = {{4, {2, 3, 2, 70}}, {4, {2, 5, 4, 70}}}, .every = 7});
}

/* Windows of width 2 over 1 4 | 3 3 | 5: the last pixel is in none; of equals the first. */
static void output_worked_by_hand(void **state) {
    const act z[] = {10, 20}, x[] = {1, 4, 3, 3, 5}, y[] = {0, 10, 20, 0, 0};

    (void)state;
    check_output(&(struct op_case){"max_unpool", .n_x = 2, .x = {{3, {1, 2, 1}}, {3, {1, 5, 1}}},
                                   .x_data = {z, x}},
                 (struct shape){3, {1, 5, 1}}, y);
}

/* Windows of 3 around pixels 0, 2 and 4 of 1 9 2 8 3: the first two share the 9. */
static void numbers_that_meet_are_added(void **state) {
    const act z[] = {10, 20, 40}, x[] = {1, 9, 2, 8, 3}, y[] = {0, 30, 0, 40, 0};

    (void)state;
    check_output(&(struct op_case){"max_unpool", .args = &three, .n_x = 2,
                                   .x = {{3, {1, 3, 1}}, {3, {1, 5, 1}}}, .x_data = {z, x}},
                 (struct shape){3, {1, 5, 1}}, y);
}

/* z counted with step 3, x with step 5; y from tests/golden/convolutions.py. */
static void images_as_pytorch(void **state) {
    static const act y[] = {
        0,     0,    0, -1.25, 0,    0, -0.5, 0,    0, 0, -2, 0, 0, 0.25, 0, 0, 1, 0,     0, 0,
        -1.75, 0,    0, -1,    0,    0, 0,    1.75, 0, 0, 0,  0, 0, 0,    0, 0, 0, 0,     0, 0,
        -0.25, 0,    0, 0.5,   1.25, 0, 0,    2,    0, 0, 0,  0, 0, 0,    0, 0, 0, -0.75, 0, 0,
        0,     0.75, 0, 0,     -1.5, 0, 0,    0,    0, 0, 0,  0, 0, 0,    0, 0, 0, 0,     0, 0,
    };
    real z[16], x[80];

    (void)state;
    check_output(&(struct op_case){"max_unpool", .n_x = 2,
                                   .x = {{4, {2, 2, 2, 2}}, {4, {2, 5, 4, 2}}},
                                   .x_data = {counted(z, 16, 3), counted(x, 80, 5)}},
                 (struct shape){4, {2, 5, 4, 2}}, y);
}

static void what_was_not_pooled_so_is_refused(void **state) {
    (void)state;
    check_refused(
        &(struct op_case){"max_unpool", .n_x = 2, .x = {{4, {2, 2, 2, 8}}, {4, {2, 4, 4, 3}}}},
        "max_unpool: z is 2x2x2x8, expected 2x2x2x3: x, 2x4x4x3, pooled");
    check_refused(&(struct op_case){"max_unpool", .n_x = 2, .x = {{2, {2, 8}}, {2, {2, 8}}}},
                  "max_unpool: x is 2x8, expected images (samples x height x width x channels), "
                  "or one or three dimensions in place of height x width");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(gradients_of_overlapping_windows),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(numbers_that_meet_are_added),
        cmocka_unit_test(images_as_pytorch),
        cmocka_unit_test(what_was_not_pooled_so_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
