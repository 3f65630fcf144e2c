#include "core/ops/loss_case.h"

static const char weighted[] = "0.5, [1, 2, 0.5]", scores[] = "weights=[0.75, 0.25]";
static const char cross_entropy[] = "0", ignoring[] = "ignore=1";

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const char *const all[] = {NULL, weighted, cross_entropy, ignoring};

    for (int i = 0; i < 4; i++) {
        const struct op_case c = case_of_pixels("focal", all[i]);
        check_gradients(&c);
    }
}

static void gradient_of_scores(void **state) {
    (void)state;
    const char *const all[] = {NULL, scores, cross_entropy, ignoring};

    for (int i = 0; i < 4; i++) {
        struct op_case c = case_of_scores("focal", all[i]);
        check_gradients(&c);
    }
}

static void output_agrees_with_pytorch(void **state) {
    (void)state;
    check_number(case_of_pixels("focal", NULL), 0.373271952413);
    check_number(case_of_pixels("focal", weighted), 0.593589893820);
}

static void one_channel_is_the_score_of_class_1(void **state) {
    (void)state;
    check_number(case_of_scores("focal", scores), 0.550016436757);
    check_number(case_of_scores("focal", cross_entropy), 1.259077501176);
}

static void only_labels_count(void **state) {
    (void)state;
    const struct op_case c = case_of_pixels("focal", weighted);
    const struct op_case binary = case_of_scores("focal", ignoring);
    check_count(&c, 7);
    check_count(&binary, 3);
}

/* p is 1, and 0: -log p = 2000. No NaN from 0^(gamma - 1) on the way back. */
static void sure_logits_do_not_overflow(void **state) {
    (void)state;
    const act sure[] = {1000, 0, -1000, 1000, 0, -1000}, classes[] = {0, 2};
    const struct op_case c = {"focal", .with = "0.5", .n_x = 2, .x = {{2, {2, 3}}, {1, {2}}},
                              .x_data = {sure, classes}};
    check_number(c, 1000);
    check_gradients(&c);
}

static void a_batch_without_labels_costs_nothing(void **state) {
    (void)state;
    const act none[] = {-1, -1, -1, -1, -1, -1, -1, -1};
    struct op_case c = case_of_pixels("focal", NULL);
    c.x_data[1] = none;
    check_number(c, 0);
    check_gradients(&c);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = case_of_pixels("focal", scores);
    check_refused(&c, "focal: 2 weights for 3 classes");
    c = case_of_scores("focal", weighted);
    check_refused(&c, "focal: 3 weights for 2 classes");
    c.x[1] = (struct shape){1, {4}};
    check_refused(&c, "focal: logits are 2x2x2x1 and labels 4");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_scores),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(one_channel_is_the_score_of_class_1),
        cmocka_unit_test(only_labels_count),
        cmocka_unit_test(sure_logits_do_not_overflow),
        cmocka_unit_test(a_batch_without_labels_costs_nothing),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
