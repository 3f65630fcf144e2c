#include "core/ops/yolo_case.h"

static struct op_case case_of(const char *with) {
    return (struct op_case){"yolo_loss",
                            .with = with,
                            .n_x = 3,
                            .constant = 6,
                            .x = {yolo_case_head, {3, {2, 4, 5}}, yolo_case_image},
                            .x_data = {yolo_case_numbers(), yolo_case_truth}};
}

#define WITH YOLO_CASE_ANCHORS ", ignore=0.3"

static const char *const all[] = {WITH, WITH ", kind=mse", WITH ", kind=iou", WITH ", kind=giou",
                                  WITH ", kind=ciou"};
static const char weighted[] =
    WITH ", kind=giou, box_weight=5, object_weight=2, background_weight=0.5, class_weight=3";

/* Not that of ciou, whose alpha is taken for a constant in the slope, as in the paper. */
static void gradient_agrees_with_differences(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        const struct op_case c = case_of(all[i]);
        check_gradients(&c);
    }
    const struct op_case c = case_of(weighted), per = case_of(WITH ", per=positives");
    check_gradients(&c);
    check_gradients(&per);
}

/* By tests/golden/yolo.py. */
static void output_agrees_with_pytorch_and_torchvision(void **state) {
    (void)state;
    const act sums[5][1] = {{65.908336524748},
                            {49.287638028207},
                            {38.298832619112},
                            {39.075079755099},
                            {38.784407898283}},
              heavy[] = {80.210163597642};

    for (int i = 0; i < 5; i++) {
        const struct op_case c = case_of(all[i]);
        check_sum(&c, (struct shape){1, {1}}, sums[i]);
    }
    const struct op_case c = case_of(weighted);
    check_sum(&c, (struct shape){1, {1}}, heavy);
}

static void fewer_boxes_are_ignored_where_they_must_overlap_more(void **state) {
    (void)state;
    const act sum[] = {67.964070539943};
    const struct op_case c = case_of(YOLO_CASE_ANCHORS);

    check_sum(&c, (struct shape){1, {1}}, sum);
}

/* Of seven truths one is of another level's anchor, and two have one place. */
static void it_is_a_mean_over_images_or_over_truths_of_this_head(void **state) {
    (void)state;
    const struct op_case images = case_of(YOLO_CASE_ANCHORS),
                         positives = case_of(YOLO_CASE_ANCHORS ", per=positives");
    check_count(&images, 2);
    check_count(&positives, 5);
}

/* 24 boxes that are all background: log(1 + exp(x)) of x = 0. */
static void pictures_without_boxes_teach_background(void **state) {
    (void)state;
    static const act x[YOLO_CASE_NUMBERS],
        none[40] = {
            [4] = -1, [9] = -1, [14] = -1, [19] = -1, [24] = -1, [29] = -1, [34] = -1, [39] = -1};
    const act sum[] = {24 * 0.693147180559945};
    struct op_case c = case_of(YOLO_CASE_ANCHORS);

    c.x_data[0] = x;
    c.x_data[1] = none;
    check_sum(&c, (struct shape){1, {1}}, sum);
    check_gradients(&c);
}

static void huge_numbers_do_not_overflow(void **state) {
    (void)state;
    static act x[YOLO_CASE_NUMBERS];
    struct shape shape;
    struct op_case c = case_of(WITH ", kind=ciou");

    for (int i = 0; i < YOLO_CASE_NUMBERS; i++)
        x[i] = i % 8 == 2 || i % 8 == 3 ? -900 : i % 3 ? 900 : -900;
    c.x_data[0] = x;
    act *y = forward_of(&c, &shape);
    assert_true(isfinite((double)y[0]));
    free(y);
}

static void a_class_that_the_head_lacks_is_seen(void **state) {
    (void)state;
    static act truth[40];
    struct shape shape;
    struct op_case c = case_of(YOLO_CASE_ANCHORS);

    for (int i = 0; i < 40; i++)
        truth[i] = yolo_case_truth[i];
    truth[4] = 3;
    c.x_data[1] = truth;
    act *y = forward_of(&c, &shape);
    assert_true(isnan((double)y[0]));
    free(y);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    struct op_case c = case_of("anchors=[4, 6, 10]");
    check_refused(&c, "yolo_loss: anchors are 3 numbers, expected a width and a height of each");
    c.with = "anchors=[4, 6, 10, 8], own=[1, 2]";
    check_refused(&c, "yolo_loss: own has 2, expected numbers of anchors: 0 to 1");
    c.with = "anchors=[4, 6, 10, 8], own=0.5";
    check_refused(&c, "yolo_loss: own has 0.5, expected numbers of anchors: 0 to 1");
    c.with = "anchors=[4, 6, 10, 8, 20, 16]";
    check_refused(&c, "yolo_loss: the head has 16 channels, expected 3 * (5 + classes)");
    c.with = YOLO_CASE_ANCHORS;
    c.x[1] = (struct shape){3, {2, 4, 4}};
    check_refused(&c, "yolo_loss: boxes are 2x4x4, expected samples x boxes x 5 (x1, y1, x2, y2, "
                      "class)");
    c.x[0] = (struct shape){2, {2, 96}};
    check_refused(&c, "yolo_loss: the head is 2x96, expected samples x height x width x channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_pytorch_and_torchvision),
        cmocka_unit_test(fewer_boxes_are_ignored_where_they_must_overlap_more),
        cmocka_unit_test(it_is_a_mean_over_images_or_over_truths_of_this_head),
        cmocka_unit_test(pictures_without_boxes_teach_background),
        cmocka_unit_test(huge_numbers_do_not_overflow),
        cmocka_unit_test(a_class_that_the_head_lacks_is_seen),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
