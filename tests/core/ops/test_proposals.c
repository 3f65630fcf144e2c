#include "golden_regions.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct op_case levels(const char *with) {
    return (struct op_case){"proposals", .with = with, .n_x = 7,
                            .x = {{4, {1, 40, 48, 3}},
                                  {3, {1, 10, 1}},
                                  {3, {1, 10, 4}},
                                  {3, {1, 10, 4}},
                                  {3, {1, 4, 1}},
                                  {3, {1, 4, 4}},
                                  {3, {1, 4, 4}}},
                            .x_data = {NULL, golden_objectness, golden_moves,
                                       golden_anchors_of_levels, golden_objectness + 10,
                                       golden_moves + 40, golden_anchors_of_levels + 40}};
}

/* Behind what remains stand zeros. */
static void output_agrees_with_torchvision(void **state) {
    act out[12 * 4] = {0};

    (void)state;
    for (int i = 0; i < GOLDEN_KEPT * 4; i++)
        out[i] = golden_proposals[i];
    struct op_case c = levels("before=6, top=9, iou=0.2");
    assert_true(GOLDEN_KEPT > 3 && GOLDEN_KEPT <= 9);
    check_output(&c, (struct shape){3, {1, 9, 4}}, out);
    c = levels("before=6, top=12, iou=0.2");
    check_output(&c, (struct shape){3, {1, 12, 4}}, out);
    c = levels("before=6, top=3, iou=0.2");
    check_output(&c, (struct shape){3, {1, 3, 4}}, out);
}

/* The second of 10 x 10 leaves the picture by all but 1 pixel. */
static void small_regions_go(void **state) {
    (void)state;
    const act score[] = {1, 3, 2}, deltas[12] = {0};
    const act anchors[] = {0, 0, 10, 10, -9, 0, 1, 10, 12, 2, 20, 9};
    const act out[] = {12, 2, 20, 9, 0, 0, 10, 10, 0, 0, 0, 0};
    check_output(
        &(struct op_case){
            "proposals", .with = "top=3, smallest=2", .n_x = 4,
            .x = {{4, {1, 20, 20, 1}}, {3, {1, 3, 1}}, {3, {1, 3, 4}}, {3, {1, 3, 4}}},
            .x_data = {NULL, score, deltas, anchors}},
        (struct shape){3, {1, 3, 4}}, out);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = levels("");
    c.n_x = 6;
    check_refused(&c, "proposals: 6 inputs, expected an image and objectness, deltas and anchors "
                      "of each level");
    c = levels("");
    c.x[4].dim[2] = 2;
    check_refused(&c, "proposals: objectness are 1x4x2, expected a list with 1 numbers a row");
    c = levels("");
    c.x[5].dim[1] = 5;
    check_refused(&c, "proposals: 4 scores for 5 deltas");
    c = levels("");
    c.x[0] = (struct shape){3, {1, 40, 48}};
    check_refused(&c, "proposals: image is 1x40x48, expected images");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(small_regions_go),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
