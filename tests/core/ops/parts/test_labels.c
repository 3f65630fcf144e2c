/* Labels that do not count: negative ones, and `ignore`, which need not be one of the classes. */
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const act logits[] = {1, 0, 2, 2, -1, 0.5, 0.3, 0.2, -0.1, -1, 2, 1};

/* golden/losses.py */
static void output_agrees_with_pytorch(void **state) {
    static const struct {
        const char *with;
        act ignored, loss;
    } cases[] = {{"ignore=-100", -100, 0.726758323893},
                 {"ignore=255", 255, 0.726758323893},
                 {"[1, 2, 5], smoothing=0.1, ignore=-100", -100, 0.616829120394}};

    (void)state;
    for (int i = 0; i < 3; i++) {
        const act label[] = {2, cases[i].ignored, 1, cases[i].ignored}, loss[] = {cases[i].loss};
        check_output(&(struct op_case){"cross_entropy", .with = cases[i].with, .n_x = 2,
                                       .x = {{2, {4, 3}}, {1, {4}}}, .x_data = {logits, label},
                                       .tolerance = 1e-11},
                     (struct shape){1, {1}}, loss);
        check_gradients(&(struct op_case){"cross_entropy", .with = cases[i].with, .n_x = 2,
                                          .x = {{2, {4, 3}}, {1, {4}}}, .x_data = {logits, label}});
    }
}

/* Rows 0 and 2 alone. */
static void the_rest_is_as_if_alone(void **state) {
    static const char *const ops[] = {"cross_entropy", "hinge", "focal", "accuracy", "confusion"};
    static const act few[] = {1, 0, 2, 0.3, 0.2, -0.1}, classes[] = {2, 1};
    static const act labels[][4] = {{2, -1, 1, -1}, {2, 255, 1, 255}, {2, -1, 1, 255}};

    (void)state;
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 3; k++) {
            struct op_case c = {ops[i], .with = "ignore=255", .n_x = 2,
                                .x = {{2, {4, 3}}, {1, {4}}}, .x_data = {logits, labels[k]}};
            const struct op_case alone = {ops[i], .n_x = 2, .x = {{2, {2, 3}}, {1, {2}}},
                                          .x_data = {few, classes}};
            struct shape shape;
            act *y = forward_of(&alone, &shape);
            check_output(&c, shape, y);
            check_count(&c, 2);
            free(y);
        }
}

/* Pixels 0 and 2 of the one sample, the others' logits gone. */
static void pixels_of_masks_are_left_out(void **state) {
    static const act mask[] = {2, 255, 1, -1}, few[] = {1, 0, 2, 0.3, 0.2, -0.1},
                     classes[] = {2, 1};
    const struct op_case c = {"dice", .with = "ignore=255", .n_x = 2,
                              .x = {{4, {1, 2, 2, 3}}, {3, {1, 2, 2}}}, .x_data = {logits, mask}};
    const struct op_case alone = {"dice", .n_x = 2, .x = {{4, {1, 1, 2, 3}}, {3, {1, 1, 2}}},
                                  .x_data = {few, classes}};
    struct shape shape;

    (void)state;
    act *y = forward_of(&alone, &shape);
    check_output(&c, shape, y);
    check_count(&c, 1);
    check_gradients(&c);
    free(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(the_rest_is_as_if_alone),
        cmocka_unit_test(pixels_of_masks_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
