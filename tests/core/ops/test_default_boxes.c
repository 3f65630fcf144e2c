#include "golden_detect.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct shape feature = {4, {1, 2, 3, 1}}, image = {4, {1, 40, 40, 3}};

static void output_agrees_with_torchvision(void **state) {
    (void)state;
    check_output(&(struct op_case){"default_boxes", .with = "0.4, 0.8, [2, 3], step=16", .n_x = 2,
                                   .x = {feature, image}},
                 (struct shape){3, {1, 36, 4}}, golden_default_boxes);
}

/* Places 20 pixels apart; squares of 0.5 and of 1 (sqrt(0.5 * 2)) of the sides. */
static void places_lie_evenly_over_the_image(void **state) {
    (void)state;
    const act out[] = {0,  10, 20, 30, -10, 0, 30, 40, -5, 12.5, 25, 27.5, 2.5,  5, 17.5, 35,
                       20, 10, 40, 30, 10,  0, 50, 40, 15, 12.5, 45, 27.5, 22.5, 5, 37.5, 35};
    /* of ratio 2.25: 1.5 and 1 / 1.5 times the side */
    act wide[32];

    for (int i = 0; i < 32; i++)
        wide[i] = out[i];
    for (int i = 0; i < 2; i++) {
        act *box = wide + 16 * i + 8;
        const act x = 10 + 20 * i, y = 20, half = 10;

        box[0] = x - half * 1.5, box[1] = y - half / 1.5, box[2] = x + half * 1.5,
        box[3] = y + half / 1.5;
        box[4] = x - half / 1.5, box[5] = y - half * 1.5, box[6] = x + half / 1.5,
        box[7] = y + half * 1.5;
    }
    check_output(&(struct op_case){"default_boxes", .with = "0.5, 2, 2.25", .n_x = 2,
                                   .x = {{4, {1, 1, 2, 1}}, image}},
                 (struct shape){3, {1, 8, 4}}, wide);
}

static void a_box_may_be_larger_than_the_image(void **state) {
    (void)state;
    const act out[] = {-20, -20, 60, 60, -20, -20, 60, 60, -20, -20, 60, 60, -20, -20, 60, 60};
    check_output(&(struct op_case){"default_boxes", .with = "2, 2, 1, clip=false", .n_x = 2,
                                   .x = {{4, {1, 1, 1, 1}}, image}},
                 (struct shape){3, {1, 4, 4}}, out);
}

static void what_is_no_image_is_refused(void **state) {
    (void)state;
    check_refused(
        &(struct op_case){"default_boxes", .with = "0.1, 0.2", .n_x = 2, .x = {{2, {1, 4}}, image}},
        "default_boxes: feature and image are 1x4 and 1x40x40x3, expected images");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(places_lie_evenly_over_the_image),
        cmocka_unit_test(a_box_may_be_larger_than_the_image),
        cmocka_unit_test(what_is_no_image_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
