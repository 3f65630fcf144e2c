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

/* Windows of width 2 over 1 4 | 3 3 | 5: the last pixel is in none; of equals the first. */
static void output_worked_by_hand(void **state) {
    const act z[] = {10, 20}, x[] = {1, 4, 3, 3, 5}, y[] = {0, 10, 20, 0, 0};

    (void)state;
    check_output(&(struct op_case){"max_unpool", .n_x = 2, .x = {{3, {1, 2, 1}}, {3, {1, 5, 1}}},
                                   .x_data = {z, x}},
                 (struct shape){3, {1, 5, 1}}, y);
}

/* Windows of 3 around pixels 0, 2 and 4 of 1 9 2 8 3: the first two share the 9. From
 * tests/golden/convolutions.py: y, and what backward makes of 1 2 3 4 5. */
static void of_numbers_that_meet_the_last_stays_as_in_pytorch(void **state) {
    act z[] = {10, 20, 40}, x[] = {1, 9, 2, 8, 3}, dy[] = {1, 2, 3, 4, 5}, dz[] = {100, 100, 100};
    const act y[] = {0, 20, 0, 40, 0}, expected[] = {102, 102, 104};
    const struct shape small = {3, {1, 3, 1}}, large = {3, {1, 5, 1}};
    const struct op_case c = {"max_unpool", .args = &three, .n_x = 2, .x = {small, large},
                              .x_data = {z, x}};
    const struct tensor in[] = {{.shape = small, .data = z}, {.shape = large, .data = x}};
    const struct tensor dx[] = {{.shape = small, .data = dz}, {.shape = large}};
    int32_t saved[3];
    act out[5];
    struct op_call call = {.args = &three,
                           .n_x = 2,
                           .x = in,
                           .dx = dx,
                           .saved = saved,
                           .y = {.shape = large, .data = out},
                           .dy = {.shape = large, .data = dy}};

    (void)state;
    check_output(&c, large, y);
    op_find("max_unpool")->forward(&call);
    op_find("max_unpool")->backward(&call);
    for (int i = 0; i < 3; i++)
        assert_true(dz[i] == expected[i]);
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
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(of_numbers_that_meet_the_last_stays_as_in_pytorch),
        cmocka_unit_test(images_as_pytorch),
        cmocka_unit_test(what_was_not_pooled_so_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
