#include "golden_detect.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct op_case whole(const char *with) {
    return (struct op_case){"nms", .with = with, .n_x = 2, .x = {{3, {1, 40, 4}}, {3, {1, 40, 3}}},
                            .x_data = {golden_many, golden_scores}};
}

static void output_agrees_with_torchvision(void **state) {
    (void)state;
    struct op_case c = whole("0.3, 0.6, 40");
    check_output(&c, (struct shape){3, {1, 40, 6}}, golden_found);
    c = whole("0.2, 0.3, 12, 5, each=class");
    check_output(&c, (struct shape){3, {1, 12, 6}}, golden_found_classes);
    c = (struct op_case){
        "nms", .with = "0.3, 0.3, 8, 10", .n_x = 4,
        .x = {{3, {1, 24, 4}}, {3, {1, 24, 3}}, {3, {1, 16, 4}}, {3, {1, 16, 3}}},
        .x_data = {golden_many, golden_scores, golden_many + 96, golden_scores + 72}};
    check_output(&c, (struct shape){3, {1, 8, 6}}, golden_found_levels);
}

/* Two boxes that share 50 of 150 pixels, one of no extent, one elsewhere. */
static const act regions[] = {0, 0, 10, 10, 5, 0, 15, 10, 3, 3, 3, 9, 50, 50, 52, 60};

static void check(const char *with, int channels, const act *scores, int top, const act *out) {
    check_output(&(struct op_case){"nms", .with = with, .n_x = 2,
                                   .x = {{3, {1, 4, 4}}, {3, {1, 4, channels}}},
                                   .x_data = {regions, scores}},
                 (struct shape){3, {1, top, 6}}, out);
}

static void a_score_falls_beside_a_better_box(void **state) {
    (void)state;
    const act scores[] = {0.9, 0.8, 1, 0.7};
    const act soft[] = {0,  0, 10,  10, 0, 0.9, 50, 50, 52,
                        60, 0, 0.7, 5,  0, 15,  10, 0,  0.8 * 0.80073740291680804};
    const act linear[] = {0,  0, 10,  10, 0, 0.9, 50, 50, 52,
                          60, 0, 0.7, 5,  0, 15,  10, 0,  0.8 * 2 / 3};
    const act left[] = {0, 0, 10, 10, 0, 0.9, 50, 50, 52, 60, 0, 0.7, 0, 0, 0, 0, -1, 0};

    check("top=3, kind=soft", 1, scores, 3, soft);
    check("0.3, top=3, kind=linear", 1, scores, 3, linear);
    check("0.3, 0.6, top=3, kind=linear", 1, scores, 3, left);
}

static void boxes_of_other_classes_stay_unless_all_count(void **state) {
    (void)state;
    const act own[] = {0,  0,  10, 10, 0, 0.9, 5, 0, 15, 10, 0, 0.8,
                       50, 50, 52, 60, 1, 0.7, 5, 0, 15, 10, 1, 0.1};
    const act all[] = {0, 0, 10, 10, 0,  0.9, 50, 50, 52, 60, 1,  0.7,
                       0, 0, 0,  0,  -1, 0,   0,  0,  0,  0,  -1, 0};
    act first[12] = {0};

    for (int i = 0; i < 4; i++) /* background, which wins nowhere */
        first[3 * i] = 1;
    first[1] = 0.9, first[4] = 0.8, first[5] = 0.1, first[11] = 0.7;
    check("0.4, top=4, background=first", 3, first, 4, own);
    check("0.3, top=4, background=first, classes=all", 3, first, 4, all);
}

static void small_boxes_are_left_out(void **state) {
    (void)state;
    const act scores[] = {0.9, 0.8, 1, 0.7};
    const act out[] = {0, 0, 10, 10, 0, 0.9, 5, 0, 15, 10, 0, 0.8, 0, 0, 0, 0, -1, 0};
    check("top=3, smallest=3", 1, scores, 3, out);
}

static void each_class_may_have_boxes_of_its_own(void **state) {
    (void)state;
    const act two[] = {0, 0, 10, 10, 20, 0, 30, 10, 40, 0, 50, 10, 60, 0, 70, 10},
              scores[] = {0.1, 0.9, 0.8, 0.2};
    const act out[] = {20, 0, 30, 10, 1, 0.9, 40, 0, 50, 10, 0, 0.8, 60, 0, 70, 10, 1, 0.2};
    check_output(&(struct op_case){"nms", .with = "top=3", .n_x = 2,
                                   .x = {{3, {1, 2, 8}}, {3, {1, 2, 2}}}, .x_data = {two, scores}},
                 (struct shape){3, {1, 3, 6}}, out);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = whole(NULL);
    c.x[1] = (struct shape){3, {1, 39, 3}};
    check_refused(&c, "nms: 40 regions for 39 scores");
    c.x[0] = (struct shape){3, {1, 39, 8}};
    check_refused(&c, "nms: regions of 1x39x8 are neither 4 nor 4 * 3 numbers a row");
    c.x[0] = (struct shape){2, {1, 39}};
    check_refused(&c, "nms: regions and scores are 1x39 and 1x39x3, expected lists");
    c = whole(NULL);
    c.n_x = 3;
    check_refused(&c, "nms: 3 inputs, expected pairs of regions and scores");
    c.n_x = 4;
    c.x[2] = c.x[0];
    c.x[3] = (struct shape){3, {1, 40, 2}};
    check_refused(&c, "nms: scores 2 are of 2 classes and the first of 3");
    c = whole("background=first");
    c.x[1] = (struct shape){3, {1, 40, 1}};
    check_refused(&c, "nms: scores are 1x40x1, without a class beside the background");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(a_score_falls_beside_a_better_box),
        cmocka_unit_test(boxes_of_other_classes_stay_unless_all_count),
        cmocka_unit_test(small_boxes_are_left_out),
        cmocka_unit_test(each_class_may_have_boxes_of_its_own),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
