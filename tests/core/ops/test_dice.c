#include "core/ops/loss_case.h"

static const char plain[] = "0", ignoring[] = "ignore=2";

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const char *const all[] = {NULL, plain, ignoring};

    for (int i = 0; i < 3; i++) {
        struct op_case c = case_of_pixels("dice", all[i]);
        check_gradients(&c);
        c = case_of_scores("dice", all[i]);
        check_gradients(&c);
    }
}

/* More pixels than a sample is cut into parts, and fewer. */
static void gradient_of_larger_masks(void **state) {
    (void)state;
    act mask[2 * 7 * 5];

    for (int i = 0; i < 70; i++)
        mask[i] = i * i % 7 - 1;
    check_gradients(&(struct op_case){"dice", .n_x = 2, .x = {{4, {2, 7, 5, 6}}, {4, {2, 7, 5, 1}}},
                                      .x_data = {NULL, mask}});
}

static void output_agrees_with_pytorch(void **state) {
    (void)state;
    check_number(case_of_pixels("dice", NULL), 0.334441956181);
    check_number(case_of_pixels("dice", plain), 0.480340004055);
}

static void one_channel_is_the_score_of_class_1(void **state) {
    (void)state;
    check_number(case_of_scores("dice", NULL), 0.401331680200);
}

static void samples_count(void **state) {
    (void)state;
    const struct op_case c = case_of_pixels("dice", NULL);
    check_count(&c, 2);
}

/* Right and sure of it: 0. Wrong and sure of it, without smoothing: 1. */
static void from_0_to_1(void **state) {
    (void)state;
    const act sure[] = {1000, -1000, -1000, 1000}, right[] = {1, 0, 0, 1}, wrong[] = {0, 1, 1, 0};
    struct op_case c = {"dice", .with = plain, .n_x = 2, .x = {{4, {1, 2, 2, 1}}, {3, {1, 2, 2}}},
                        .x_data = {sure, right}};
    check_number(c, 0);
    c.x_data[1] = wrong;
    check_number(c, 1);
}

static void a_sample_without_labels_costs_nothing(void **state) {
    (void)state;
    const act none[] = {-1, -1, -1, -1, -1, -1, -1, -1}, low[] = {-1e4, -1e4}, background[2] = {0};
    struct op_case c = case_of_pixels("dice", plain);
    c.x_data[1] = none;
    check_number(c, 0);
    check_gradients(&c);
    c = (struct op_case){"dice", .with = plain, .n_x = 2, .x = {{3, {1, 2, 1}}, {2, {1, 2}}},
                         .x_data = {low, background}};
    check_number(c, 0);
    check_gradients(&c);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"dice", .n_x = 2, .x = {{4, {8, 4, 4, 10}}, {3, {8, 4, 5}}}},
                  "dice: logits are 8x4x4x10 and labels 8x4x5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_larger_masks),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(one_channel_is_the_score_of_class_1),
        cmocka_unit_test(samples_count),
        cmocka_unit_test(from_0_to_1),
        cmocka_unit_test(a_sample_without_labels_costs_nothing),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
