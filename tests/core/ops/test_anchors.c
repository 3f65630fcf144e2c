#include "golden_detect.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct shape feature = {4, {1, 2, 3, 1}}, image = {4, {1, 37, 50, 3}};

static void output_agrees_with_torchvision(void **state) {
    (void)state;
    check_output(&(struct op_case){"anchors", .with = "[32, 45.25], [0.5, 1, 2]", .n_x = 2,
                                   .x = {feature, image}},
                 (struct shape){3, {1, 36, 4}}, golden_anchors);
}

static void all_samples_have_the_same(void **state) {
    (void)state;
    const act out[] = {-2, -2, 2, 2, -2, -2, 2, 2, -2, -2, 2, 2};
    check_output(&(struct op_case){"anchors", .with = "4", .n_x = 2,
                                   .x = {{4, {3, 1, 1, 8}}, {4, {3, 9, 9, 1}}}},
                 (struct shape){3, {3, 1, 4}}, out);
}

static void what_is_no_image_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"anchors", .with = "32", .n_x = 2, .x = {{2, {1, 4}}, image}},
                  "anchors: feature and image are 1x4 and 1x37x50x3, expected images");
    check_refused(&(struct op_case){"anchors", .with = "32", .n_x = 2, .x = {image, feature}},
                  "anchors: a feature of 1x37x50x3 is larger than an image of 1x2x3x1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(all_samples_have_the_same),
        cmocka_unit_test(what_is_no_image_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
