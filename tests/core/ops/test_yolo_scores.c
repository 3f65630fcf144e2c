#include "core/ops/yolo_case.h"

/* By tests/golden/yolo.py: rows 5 of both samples. */
static void scores_agree_with_the_paper(void **state) {
    (void)state;
    const act expected[2][3] = {{0.1533733844, 0.1914555581, 0.2276214957},
                                {0.0515510897, 0.1157876696, 0.0995918702}};
    const struct op_case c = {"yolo_scores", .with = "2", .n_x = 1, .x = {yolo_case_head},
                              .x_data = {yolo_case_numbers()}};
    struct shape y;
    act *found = forward_of(&c, &y);

    assert_true(shape_equal(&y, &(struct shape){3, {2, 12, 3}}));
    for (int n = 0; n < 2; n++)
        for (int k = 0; k < 3; k++)
            assert_true(fabs((double)(found[(n * 12 + 5) * 3 + k] - expected[n][k])) < 1e-6);
    free(found);
}

/* sigmoid(0) sigmoid(0), and 1 and 0 from what would overflow. */
static void scores_of_one_place(void **state) {
    (void)state;
    const act x[] = {0, 0, 0, 0, 0, 0, 1000, 9, 9, 9, 9, 1000, 1000, -1000};
    const act y[] = {0.25, 0.5, 1, 0};
    const struct op_case c = {"yolo_scores", .with = "2", .n_x = 1, .x = {{4, {1, 1, 1, 14}}},
                              .x_data = {x}};

    check_output(&c, (struct shape){3, {1, 2, 2}}, y);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    struct op_case c = {"yolo_scores", .n_x = 1, .x = {{4, {1, 2, 2, 15}}}};
    check_refused(&c, "yolo_scores: the head has 15 channels, expected 3 * (5 + classes)");
    c.x[0] = (struct shape){3, {1, 2, 18}};
    check_refused(&c,
                  "yolo_scores: the head is 1x2x18, expected samples x height x width x channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_agree_with_the_paper),
        cmocka_unit_test(scores_of_one_place),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
