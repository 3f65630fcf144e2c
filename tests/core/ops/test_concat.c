#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){
        "concat", .n_x = 3, .x = {{4, {2, 2, 3, 1}}, {4, {2, 2, 3, 4}}, {4, {2, 2, 3, 2}}}});
}

static void channels_stand_side_by_side(void **state) {
    (void)state;
    const act a[] = {1, 2, 3, 4}, b[] = {10, 20};
    const act out[] = {1, 2, 10, 3, 4, 20};
    check_output(
        &(struct op_case){"concat", .n_x = 2, .x = {{2, {2, 2}}, {2, {2, 1}}}, .x_data = {a, b}},
        (struct shape){2, {2, 3}}, out);
}

/* Input i has one channel, which holds i; the outputs count. */
static void sixteen_inputs_stand_side_by_side(void **state) {
    (void)state;
    struct op_case c = {"concat", .n_x = OP_ANY_INPUTS};
    act in[OP_ANY_INPUTS][2], out[2 * OP_ANY_INPUTS];

    for (int i = 0; i < OP_ANY_INPUTS; i++) {
        in[i][0] = out[i] = i;
        in[i][1] = out[OP_ANY_INPUTS + i] = OP_ANY_INPUTS + i;
        c.x[i] = (struct shape){2, {2, 1}};
        c.x_data[i] = in[i];
    }
    check_output(&c, (struct shape){2, {2, OP_ANY_INPUTS}}, out);
    check_gradients(&c);
}

static void lists_stand_behind_each_other(void **state) {
    (void)state;
    const act a[] = {1, 2, 3, 4}, b[] = {10, 11, 12, 13, 20, 21, 22, 23};
    const act out[] = {1, 2, 10, 11, 12, 13, 3, 4, 20, 21, 22, 23};
    struct op_case c = {"concat", .with = "axis=1", .n_x = 2, .x = {{3, {2, 1, 2}}, {3, {2, 2, 2}}},
                        .x_data = {a, b}};

    check_output(&c, (struct shape){3, {2, 3, 2}}, out);
    check_gradients(&c);
    c.with = "axis=-2";
    check_output(&c, (struct shape){3, {2, 3, 2}}, out);
}

static void other_axes_are_refused(void **state) {
    (void)state;
    struct op_case c = {"concat", .with = "axis=3", .n_x = 2,
                        .x = {{3, {2, 1, 2}}, {3, {2, 2, 2}}}};

    check_refused(&c, "concat: x is 2x1x2, expected an axis of 1 to 2, not 3");
    c.with = "axis=-3";
    check_refused(&c, "concat: x is 2x1x2, expected an axis of 1 to 2, not -3");
    c.with = "axis=1";
    c.x[1].dim[2] = 3;
    check_refused(&c, "concat: input 2 is 2x2x3 and the first 2x1x2; only axis 1 may differ");
}

static void other_heights_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"concat", .n_x = 3,
                                    .x = {{4, {2, 4, 4, 1}}, {4, {2, 4, 4, 9}}, {4, {2, 3, 4, 1}}}},
                  "concat: input 3 is 2x3x4x1 and the first 2x4x4x1; only channels may differ");
}

static void other_ranks_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"concat", .n_x = 2, .x = {{4, {2, 4, 4, 1}}, {2, {2, 4}}}},
                  "concat: input 2 is 2x4 and the first 2x4x4x1; only channels may differ");
    check_refused(&(struct op_case){"concat", .n_x = 2, .x = {{1, {2}}, {1, {2}}}},
                  "concat: input 1 is 2 and the first 2; only channels may differ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(channels_stand_side_by_side),
        cmocka_unit_test(sixteen_inputs_stand_side_by_side),
        cmocka_unit_test(lists_stand_behind_each_other),
        cmocka_unit_test(other_axes_are_refused),
        cmocka_unit_test(other_heights_are_refused),
        cmocka_unit_test(other_ranks_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
