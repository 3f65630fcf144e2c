#include "golden_regions.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* Rows find box 1, 0, 1, as class 1, 0, 1; the last row of 4 finds nothing. */
static const act boxes[] = {1, 1, 9, 8, 0, 2, 0, 11, 9, 1};
static const act target[] = {2, 0, 11, 9, 1, 1, 1, 9, 8, 0, 2, 0, 11, 9, 1, 0, 0, 0, 0, -1};

static struct op_case of(act *logits, act *regions) {
    for (int i = 0; i < 4 * 32; i++)
        logits[i] = i < 3 * 32 ? golden_mask_logits[i] : 5;
    for (int i = 0; i < 16; i++)
        regions[i] = i < 12 ? golden_mask_regions[i] : 1;
    return (struct op_case){"mask_loss", .n_x = 5,
                            .x = {{5, {1, 4, 4, 4, 2}},
                                  {3, {1, 4, 5}},
                                  {3, {1, 4, 4}},
                                  {3, {1, 2, 5}},
                                  {4, {1, 2, 10, 12}}},
                            .x_data = {logits, target, regions, boxes, golden_masks},
                            .constant = 30};
}

static void gradient_agrees_with_differences(void **state) {
    act logits[4 * 32], regions[16];

    (void)state;
    const struct op_case c = of(logits, regions);
    check_gradients(&c);
}

static void output_agrees_with_torchvision(void **state) {
    act logits[4 * 32], regions[16];

    (void)state;
    const struct op_case c = of(logits, regions);
    check_output(&c, (struct shape){1, {1}}, golden_mask_loss);
    check_count(&c, 3 * 16);
}

/* log 2 of each pixel, whatever the class. */
static void one_channel_is_of_any_class(void **state) {
    act logits[4 * 32], regions[16], zeros[4 * 16] = {0};
    const act loss[] = {0.69314718056};

    (void)state;
    struct op_case c = of(logits, regions);
    c.x[0].dim[4] = 1;
    c.x_data[0] = zeros;
    check_output(&c, (struct shape){1, {1}}, loss);
}

static void a_box_that_is_not_there_makes_it_no_number(void **state) {
    act logits[4 * 32], regions[16];
    const act others[] = {1, 1, 9, 8, 0, 2, 0, 11, 9, 0};
    struct shape shape;

    (void)state;
    struct op_case c = of(logits, regions);
    c.x_data[3] = others;
    act *y = forward_of(&c, &shape);
    assert_true(y[0] != y[0]);
    free(y);
}

static void what_does_not_match_is_refused(void **state) {
    act logits[4 * 32], regions[16];

    (void)state;
    struct op_case c = of(logits, regions);
    c.x[0].dim[3] = 5;
    check_refused(&c, "mask_loss: logits are 1x4x4x5x2, expected square pictures of regions");
    c = of(logits, regions);
    c.x[4].dim[1] = 3;
    check_refused(&c, "mask_loss: masks are 1x3x10x12 and boxes 1x2x5, expected a mask for each "
                      "box");
    c = of(logits, regions);
    c.x[2].dim[1] = 3;
    check_refused(&c, "mask_loss: 4 logits for 3 regions");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(one_channel_is_of_any_class),
        cmocka_unit_test(a_box_that_is_not_there_makes_it_no_number),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
