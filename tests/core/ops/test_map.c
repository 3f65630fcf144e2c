#include "core/ops/detection_check.h"

static void it_is_that_of_its_definition(void **state) {
    (void)state;
    check_golden_detection("map");
}

/* Two pictures of one class: in the first two are found at its one box, in the second one of two.
 */
static const act found[] = {0, 0, 10, 10, 0, 0.7, 0, 0, 9, 10, 0,  0.9,
                            0, 0, 8,  10, 0, 0.8, 0, 0, 0, 0,  -1, 0},
                 boxes[] = {0, 0, 10, 10, 0, 0, 0, 0, 0, -1, 0, 0, 10, 10, 0, 50, 50, 60, 60, 0};

static struct op_case two(const char *with) {
    return (struct op_case){"map",
                            .with = with,
                            .n_x = 2,
                            .x = {{3, {2, 2, 6}}, {3, {2, 2, 5}}},
                            .x_data = {found, boxes},
                            .tolerance = 1e-9};
}

static void check(const char *with, act expected) {
    const struct op_case c = two(with);
    check_output(&c, (struct shape){1, {1}}, &expected);
}

/* 0.9 and 0.8 are hits, 0.7 is one too many: precision 1 up to recall 2/3. */
static void output_worked_by_hand(void **state) {
    (void)state;
    check("iou=0.5", 67 / 101.);
    check("iou=0.5, kind=area", 2 / 3.);
    check("iou=0.5, kind=voc11", 7 / 11.);
    check("iou=0.85", 34 / 101.);
}

static void expect_nan(const act *f, const act *b) {
    struct op_case c = two(NULL);
    struct shape y;

    c.x_data[0] = f, c.x_data[1] = b;
    act *y_data = forward_of(&c, &y);
    assert_true(isnan((double)y_data[0]));
    free(y_data);
}

static void without_boxes_or_with_broken_scores_it_is_nothing(void **state) {
    act broken[24], none[20] = {0};

    (void)state;
    memcpy(broken, found, sizeof broken);
    broken[5] = (act)NAN;
    for (int i = 0; i < 4; i++)
        none[i * TRUTH + BOX] = -1;
    expect_nan(broken, boxes);
    expect_nan(found, none);
}

/* The same set with overlaps of its own says the same. */
static void overlaps_of_masks_take_the_place_of_those_of_boxes(void **state) {
    static struct detection_set set;
    static act overlap[SET_N][SET_K][SET_M];
    struct shape y;

    (void)state;
    set_make(&set);
    struct op_case c = detection_case(&set, "map", "", true, false);
    for (int s = 0; s < SET_N; s++)
        for (int k = 0; k < SET_K; k++)
            for (int m = 0; m < SET_M; m++)
                overlap[s][k][m] = (act)box_iou(set.found[s][k], set.boxes[s][m]);
    act *by_boxes = forward_of(&c, &y);
    c.n_x = 5, c.x[4] = (struct shape){3, {SET_N, SET_K, SET_M}}, c.x_data[4] = &overlap[0][0][0];
    act *by_masks = forward_of(&c, &y);
    assert_true(by_boxes[0] == by_masks[0]);
    memset(overlap, 0, sizeof overlap);
    act *by_nothing = forward_of(&c, &y);
    assert_true(by_nothing[0] == 0);
    free(by_boxes), free(by_masks), free(by_nothing);
}

static void it_is_of_all_samples_at_once(void **state) {
    const struct op_case c = two(NULL);

    (void)state;
    assert_true(op_find("map")->meaning.whole);
    assert_int_equal(op_find("map")->meaning.better, 1);
    check_count(&c, 1);
}

static void what_does_not_fit_is_refused(void **state) {
    struct op_case c = two("iou=[0.5, 0]");

    (void)state;
    check_detection_shapes("map", NULL);
    check_refused(&c, "map: iou is 0 in a list, expected above 0");
    c.with = "above=10, below=10";
    check_refused(&c, "map: below is 10, expected more than above, 10");
    c.with = NULL, c.n_x = 5;
    c.x[2] = c.x[3] = (struct shape){1, {1}}, c.x[4] = (struct shape){3, {2, 2, 3}};
    check_refused(&c, "map: overlap is 2x2x3, expected 2x2x2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_that_of_its_definition),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(without_boxes_or_with_broken_scores_it_is_nothing),
        cmocka_unit_test(overlaps_of_masks_take_the_place_of_those_of_boxes),
        cmocka_unit_test(it_is_of_all_samples_at_once),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
