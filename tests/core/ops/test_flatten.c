#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"flatten", .n_x = 1, .x = {{4, {2, 3, 2, 2}}}});
    check_gradients(&(struct op_case){"flatten", .n_x = 1, .x = {{3, {2, 3, 35}}}});
}

/* 2x2 pixels of channels (1, 2), (3, 4), (5, 6), (7, 8): all of the first channel, then all of the
 * second, as torch.flatten(x, 1) of [n, c, h, w]. */
static void channels_come_before_pixels(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 9};
    const act out[] = {1, 3, 5, 7, 2, 4, 6, 8, 1, 3, 5, 7, 2, 4, 6, 9};
    check_output(&(struct op_case){"flatten", .n_x = 1, .x = {{4, {2, 2, 2, 2}}}, .x_data = {in}},
                 (struct shape){2, {2, 8}}, out);
    check_output(
        &(struct op_case){"flatten", .n_x = 1, .x = {{5, {2, 2, 1, 2, 2}}}, .x_data = {in}},
        (struct shape){2, {2, 8}}, out);
}

/* 35 channels of 3 pixels: number 35 p + ch goes to 3 ch + p. */
static void many_channels_keep_their_order(void **state) {
    act in[105], out[105];

    (void)state;
    for (int i = 0; i < 105; i++)
        in[i] = i, out[3 * (i % 35) + i / 35] = i;
    check_output(&(struct op_case){"flatten", .n_x = 1, .x = {{3, {1, 3, 35}}}, .x_data = {in}},
                 (struct shape){2, {1, 105}}, out);
}

static void rows_stay_as_they_are(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4, 5, 6};
    check_output(&(struct op_case){"flatten", .n_x = 1, .x = {{2, {2, 3}}}, .x_data = {in}},
                 (struct shape){2, {2, 3}}, in);
}

static void labels_become_one_channel(void **state) {
    (void)state;
    const act in[] = {3, 1, 2};
    check_output(&(struct op_case){"flatten", .n_x = 1, .x = {{1, {3}}}, .x_data = {in}},
                 (struct shape){2, {3, 1}}, in);
}

/* Two rows of 2 pixels and 2 channels in each of 2 samples. */
static void rows_of_lists_stay_apart(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 9};
    const act out[] = {1, 3, 2, 4, 5, 7, 6, 8, 1, 3, 2, 4, 5, 7, 6, 9};
    const struct op_case c = {"flatten", .with = "from=2", .n_x = 1, .x = {{5, {2, 2, 1, 2, 2}}},
                              .x_data = {in}};
    check_output(&c, (struct shape){3, {2, 2, 4}}, out);
    check_gradients(
        &(struct op_case){"flatten", .with = "from=2", .n_x = 1, .x = {{5, {2, 3, 2, 2, 3}}}});
    check_refused(&(struct op_case){"flatten", .with = "from=2", .n_x = 1, .x = {{2, {2, 4}}}},
                  "flatten: x is 2x4, expected a list with from=2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(channels_come_before_pixels),
        cmocka_unit_test(many_channels_keep_their_order),
        cmocka_unit_test(rows_stay_as_they_are),
        cmocka_unit_test(labels_become_one_channel),
        cmocka_unit_test(rows_of_lists_stay_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
