#include "golden_regions.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct op_case three(const char *with) {
    return (struct op_case){"roi_align",
                            .with = with,
                            .n_x = 2,
                            .x = {{3, {2, 3, 4}}, {4, {2, 6, 8, 3}}},
                            .x_data = {golden_rois, golden_feature},
                            .constant = 1};
}

static struct op_case levels(void) {
    return (struct op_case){
        "roi_align",
        .with = "[16, 32, 64], size=2",
        .n_x = 4,
        .x = {{3, {1, 5, 4}}, {4, {1, 16, 16, 2}}, {4, {1, 8, 8, 2}}, {4, {1, 4, 4, 2}}},
        .x_data = {golden_levels, golden_map0, golden_map1, golden_map2},
        .constant = 1};
}

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    struct op_case c = three("4, size=2");
    check_gradients(&c);
    c = three("4, size=3, sampling=0, aligned=true");
    check_gradients(&c);
    c = levels();
    check_gradients(&c);
}

/* More channels than a thread adds gradients to at a time. */
static void gradient_of_many_channels(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"roi_align", .with = "4, size=2", .n_x = 2,
                                      .x = {{3, {2, 3, 4}}, {4, {2, 4, 4, 35}}},
                                      .x_data = {golden_rois}, .constant = 1, .every = 7});
}

static void output_agrees_with_torchvision(void **state) {
    const struct shape y = {5, {2, 3, 2, 2, 3}};

    (void)state;
    struct op_case c = three("4, size=2");
    check_output(&c, y, golden_align);
    c = three("4, size=2, aligned=true");
    check_output(&c, y, golden_aligned);
    c = three("4, size=2, sampling=0");
    check_output(&c, y, golden_adaptive);
}

static void regions_are_read_from_the_map_of_their_extent(void **state) {
    (void)state;
    const struct op_case c = levels();
    check_output(&c, (struct shape){5, {1, 5, 2, 2, 2}}, golden_by_level);
}

static void regions_of_no_extent_give_zeros(void **state) {
    (void)state;
    const act regions[] = {0, 0, 0, 0, 3, 3, 2, 9}, feature[] = {1, 2, 3, 4}, zeros[2] = {0};
    check_output(&(struct op_case){"roi_align", .with = "1, size=1", .n_x = 2,
                                   .x = {{3, {1, 2, 4}}, {4, {1, 2, 2, 1}}},
                                   .x_data = {regions, feature}},
                 (struct shape){5, {1, 2, 1, 1, 1}}, zeros);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = three("4");
    c.x[0].dim[2] = 5;
    check_refused(&c, "roi_align: regions are 2x3x5, expected a list with 4 numbers a row");
    c = three("[4, 8]");
    check_refused(&c, "roi_align: stride has 2 numbers for 1 feature maps");
    c = levels();
    c.with = "[16, 64, 32]";
    check_refused(&c, "roi_align: stride 32 follows 64, expected a larger one");
    c = levels();
    c.x[2].dim[3] = 3;
    check_refused(&c, "roi_align: feature maps are 1x16x16x2 and 1x8x8x3, expected images of as "
                      "many channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_many_channels),
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(regions_are_read_from_the_map_of_their_extent),
        cmocka_unit_test(regions_of_no_extent_give_zeros),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
