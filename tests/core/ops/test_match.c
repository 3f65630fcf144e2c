#include "golden_detect.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct op_case matched(const char *with) {
    return (struct op_case){"match", .with = with, .n_x = 2, .x = {{3, {1, 40, 4}}, {3, {1, 5, 5}}},
                            .x_data = {golden_many, golden_truth}};
}

static void output_agrees_with_torchvision(void **state) {
    (void)state;
    struct op_case c = matched("0.35, 0.2");
    check_output(&c, (struct shape){3, {1, 40, 5}}, golden_match);
    c = matched("0.35, 0.2, best=false");
    check_output(&c, (struct shape){3, {1, 40, 5}}, golden_match_false);
    c = matched("0.35, 0.35, best=one");
    check_output(&c, (struct shape){3, {1, 40, 5}}, golden_match_one);
}

/* The second box shares most with the first region, whose own best box is the first. */
static void a_region_may_be_the_best_of_two_boxes(void **state) {
    (void)state;
    const act regions[] = {0, 0, 10, 10, 50, 50, 60, 60, 7, 7, 7, 9};
    const act boxes[] = {0, 0, 10, 8, 3, 8, 0, 18, 10, 1};
    const act own[] = {0, 0, 10, 8, 3, 0, 0, 0, 0, -1, 0, 0, 0, 0, -2};
    const act one[] = {8, 0, 18, 10, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -2};
    struct op_case c = {"match", .with = "0.9, 0.9", .n_x = 2,
                        .x = {{3, {1, 3, 4}}, {3, {1, 2, 5}}}, .x_data = {regions, boxes}};

    check_output(&c, (struct shape){3, {1, 3, 5}}, own);
    c.with = "0.9, 0.9, best=one";
    check_output(&c, (struct shape){3, {1, 3, 5}}, one);
}

static void without_boxes_all_is_background(void **state) {
    (void)state;
    const act regions[] = {0, 0, 10, 10}, boxes[] = {0, 0, 10, 10, -1};
    const act out[] = {0, 0, 0, 0, -1};
    check_output(&(struct op_case){"match", .n_x = 2, .x = {{3, {1, 1, 4}}, {3, {1, 1, 5}}},
                                   .x_data = {regions, boxes}},
                 (struct shape){3, {1, 1, 5}}, out);
}

static void a_box_beside_all_regions_is_nobodys(void **state) {
    (void)state;
    const act regions[] = {0, 0, 10, 10}, boxes[] = {20, 0, 30, 10, 0};
    const act out[] = {0, 0, 0, 0, -1};
    check_output(&(struct op_case){"match", .n_x = 2, .x = {{3, {1, 1, 4}}, {3, {1, 1, 5}}},
                                   .x_data = {regions, boxes}},
                 (struct shape){3, {1, 1, 5}}, out);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = matched("0.3, 0.5");
    check_refused(&c, "match: low=0.5 is above high=0.3");
    c = matched(NULL);
    c.x[1] = (struct shape){2, {1, 5}};
    check_refused(&c, "match: boxes are 1x5, expected a list with 5 numbers a row");
    c.x[0] = (struct shape){3, {1, 40, 5}};
    check_refused(&c, "match: regions are 1x40x5, expected a list with 4 numbers a row");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(a_region_may_be_the_best_of_two_boxes),
        cmocka_unit_test(without_boxes_all_is_background),
        cmocka_unit_test(a_box_beside_all_regions_is_nobodys),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
