#include "core/ops/yolo_case.h"

static struct op_case case_of(const char *with) {
    return (struct op_case){"yolo_boxes", .with = with, .n_x = 2,
                            .x = {yolo_case_head, yolo_case_image},
                            .x_data = {yolo_case_numbers()}};
}

/* By tests/golden/yolo.py: rows 5 of both samples. */
static void boxes_agree_with_the_paper(void **state) {
    (void)state;
    const act expected[2][4] = {{39.0586295285, 3.7578113952, 43.7904364660, 7.9324625493},
                                {0.8749261260, 6.0382976163, 89.8696679966, 17.8384351673}};
    const struct op_case c = case_of(YOLO_CASE_ANCHORS ", clip=false");
    struct shape y;
    act *found = forward_of(&c, &y);

    assert_true(shape_equal(&y, &(struct shape){3, {2, 12, 4}}));
    for (int n = 0; n < 2; n++)
        for (int k = 0; k < 4; k++)
            assert_true(fabs((double)(found[(n * 12 + 5) * 4 + k] - expected[n][k])) < 1e-4);
    free(found);
}

/* One box at each of 1x2 places of a picture of 8x16: centres (4, 4) and (12, 4). */
static void boxes_end_where_the_picture_does(void **state) {
    (void)state;
    static const act x[12] = {0};
    const act whole[] = {-1, 1, 9, 7, 7, 1, 17, 7}, cut[] = {0, 1, 9, 7, 7, 1, 16, 7};
    struct op_case c = {"yolo_boxes", .with = "[10, 6], clip=false", .n_x = 2,
                        .x = {{4, {1, 1, 2, 6}}, {4, {1, 8, 16, 3}}}, .x_data = {x}};

    check_output(&c, (struct shape){3, {1, 2, 4}}, whole);
    c.with = "[10, 6]";
    check_output(&c, (struct shape){3, {1, 2, 4}}, cut);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    struct op_case c = case_of("anchors=[4, 6, 10, 8, 20, 16]");
    check_refused(&c, "yolo_boxes: the head has 16 channels, expected 3 * (5 + classes)");
    c.with = YOLO_CASE_ANCHORS;
    c.x[1] = (struct shape){2, {2, 3}};
    check_refused(&c,
                  "yolo_boxes: the picture is 2x3, expected samples x height x width x channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_agree_with_the_paper),
        cmocka_unit_test(boxes_end_where_the_picture_does),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
