#include "golden_detect.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char weights[] = "[10, 10, 5, 5]";
static const struct shape list = {3, {2, 5, 4}};

static struct op_case boxes(const char *with) {
    return (struct op_case){"box_decode",
                            .with = with,
                            .n_x = 2,
                            .x = {list, list},
                            .x_data = {golden_deltas, golden_regions},
                            .constant = 2};
}

static struct op_case clipped(void) {
    struct op_case c = boxes(weights);

    c.n_x = 3;
    c.x[2] = (struct shape){4, {2, 40, 48, 1}};
    c.constant = 6;
    return c;
}

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    struct op_case c = boxes(weights);
    check_gradients(&c);
    c = clipped();
    check_gradients(&c);
    c = boxes("0.5, clip=1");
    check_gradients(&c);
}

static void output_agrees_with_torchvision(void **state) {
    (void)state;
    struct op_case c = boxes(weights);
    check_output(&c, list, golden_decoded);
    c = clipped();
    check_output(&c, list, golden_clipped);
}

static void boxes_of_each_class_stand_side_by_side(void **state) {
    (void)state;
    const act regions[] = {0, 0, 10, 20}, deltas[] = {0, 0, 0, 0, 1, -0.5, 0, 0};
    const act out[] = {0, 0, 10, 20, 10, -10, 20, 10};
    check_output(&(struct op_case){"box_decode", .n_x = 2, .x = {{3, {1, 1, 8}}, {3, {1, 1, 4}}},
                                   .x_data = {deltas, regions}},
                 (struct shape){3, {1, 1, 8}}, out);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"box_decode", .n_x = 2, .x = {{3, {1, 5, 6}}, {3, {1, 5, 4}}}},
                  "box_decode: deltas are 1x5x6, expected a list with 4 numbers for each box");
    check_refused(&(struct op_case){"box_decode", .n_x = 2, .x = {{3, {1, 5, 4}}, {3, {1, 5, 5}}}},
                  "box_decode: regions are 1x5x5, expected a list with 4 numbers a row");
    check_refused(&(struct op_case){"box_decode", .n_x = 2, .x = {{3, {1, 5, 4}}, {3, {1, 6, 4}}}},
                  "box_decode: 5 deltas for 6 regions");
    check_refused(&(struct op_case){"box_decode", .with = "[1, 2]", .n_x = 2, .x = {list, list}},
                  "box_decode: 2 weights, expected 1 or 4");
    check_refused(&(struct op_case){"box_decode", .n_x = 3, .x = {list, list, list}},
                  "box_decode: image is 2x5x4, expected an image");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(boxes_of_each_class_stand_side_by_side),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
