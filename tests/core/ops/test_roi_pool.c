#include "golden_regions.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct op_case three(const char *with) {
    return (struct op_case){"roi_pool",
                            .with = with,
                            .n_x = 2,
                            .x = {{3, {2, 3, 4}}, {4, {2, 6, 8, 3}}},
                            .x_data = {golden_rois},
                            .constant = 1};
}

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    struct op_case c = three("4, size=2");
    check_gradients(&c);
    c = three("4, size=7");
    check_gradients(&c);
}

static void output_agrees_with_torchvision(void **state) {
    (void)state;
    struct op_case c = three("4, size=2");
    c.x_data[1] = golden_feature;
    check_output(&c, (struct shape){5, {2, 3, 2, 2, 3}}, golden_pool);
}

static void what_lies_outside_is_zero(void **state) {
    (void)state;
    const act regions[] = {-9, -9, -5, -5, 0, 0, 0, 0}, feature[] = {1, 2, 3, 4}, zeros[2] = {0};
    check_output(&(struct op_case){"roi_pool", .with = "1, size=1", .n_x = 2,
                                   .x = {{3, {1, 2, 4}}, {4, {1, 2, 2, 1}}},
                                   .x_data = {regions, feature}},
                 (struct shape){5, {1, 2, 1, 1, 1}}, zeros);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = three("4");
    c.x[0].dim[2] = 5;
    check_refused(&c, "roi_pool: regions are 2x3x5, expected a list with 4 numbers a row");
    c = three("4");
    c.x[1] = (struct shape){3, {2, 6, 8}};
    check_refused(&c, "roi_pool: the feature map is 2x6x8, expected images");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(what_lies_outside_is_zero),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
