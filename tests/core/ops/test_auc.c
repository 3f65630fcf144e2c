#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* From the best: 5 of the class, 4 of both (a tie), 2 of the others, 1 of the class; and one that
 * does not count. */
static const act score[] = {4, 1, 9, 5, 2, 4}, label[] = {1, 1, -1, 1, 0, 0};

static struct op_case six(const char *with) {
    return (struct op_case){"auc",
                            .with = with,
                            .n_x = 2,
                            .x = {{2, {6, 1}}, {1, {6}}},
                            .x_data = {score, label},
                            .tolerance = 1e-9};
}

static void check(const char *with, act expected) {
    const struct op_case c = six(with);
    check_output(&c, (struct shape){1, {1}}, &expected);
}

/* Of 3 x 2 pairs: 5 before both, 4 ties with one and is before the other, 1 behind both. */
static void output_worked_by_hand(void **state) {
    (void)state;
    check(NULL, 3.5 / 6);
    check("class=1", 3.5 / 6);
}

/* The other class by the same score turned round; its labels are those that are not ignored. */
static void either_class_may_be_asked_for(void **state) {
    (void)state;
    check("class=0", 3.5 / 6);
}

/* Two channels are the score of class 1 less that of class 0. */
static void two_channels_are_one_score(void **state) {
    act logits[12];
    struct op_case c = six(NULL);
    const act expected = 3.5 / 6;

    (void)state;
    for (int i = 0; i < 6; i++)
        logits[2 * i] = 3 * i, logits[2 * i + 1] = score[i] + 3 * i;
    c.x[0] = (struct shape){2, {6, 2}};
    c.x_data[0] = logits;
    check_output(&c, (struct shape){1, {1}}, &expected);
}

/* Class 2 has no labels, and no part in the mean. */
static void the_mean_is_over_classes_that_can_be_told(void **state) {
    const act three[] = {0, 2, 0, 1, 0, 0, 0, 1, 0, 2, 0, 0}, labels[] = {1, 0, 1, 0}, one = 1;

    (void)state;
    check_output(
        &(struct op_case){"auc", .n_x = 2, .x = {{2, {4, 3}}, {1, {4}}}, .x_data = {three, labels}},
        (struct shape){1, {1}}, &one);
}

static void expect_nan(const act *scores, const act *labels) {
    struct op_case c = six(NULL);
    struct shape y;

    c.x_data[0] = scores, c.x_data[1] = labels;
    act *found = forward_of(&c, &y);
    assert_true(isnan(found[0]));
    free(found);
}

static void one_class_alone_is_nothing(void **state) {
    const act ones[] = {1, 1, 1, 1, 1, 1}, bad[] = {1, 2, (act)NAN, 3, 4, 5},
              labels[] = {1, 0, 1, 0, 1, 0};

    (void)state;
    expect_nan(score, ones);
    expect_nan(bad, labels);
}

static void it_is_of_all_samples_at_once(void **state) {
    (void)state;
    assert_true(op_find("auc")->meaning.whole);
    assert_int_equal(op_find("auc")->meaning.better, 1);
    assert_null(op_find("auc")->backward);
    const struct op_case c = six(NULL);
    check_count(&c, 1);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    const struct op_case c = six("class=2");

    check_refused(&c, "auc: class is 2, but there are only 2 classes");
    check_refused(&(struct op_case){"auc", .n_x = 2, .x = {{2, {4, 3}}, {1, {5}}}},
                  "auc: logits are 4x3 and labels 5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(either_class_may_be_asked_for),
        cmocka_unit_test(two_channels_are_one_score),
        cmocka_unit_test(the_mean_is_over_classes_that_can_be_told),
        cmocka_unit_test(one_class_alone_is_nothing),
        cmocka_unit_test(it_is_of_all_samples_at_once),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
