#include "core/ops/parts/calibration.h"
#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* exp of it is 3 and 2. */
static const double third = 1.0986122886681098, second = 0.6931471805599453;

/* Confidence 1/2 (class 0 of equal ones), 3/4, 3/4 and 2/3; hit, missed, hit, does not count: the
 * bins end at 1/4, 1/2, 3/4 and 1, which belong to them. */
static void labels_are_sorted_by_confidence(void **state) {
    const act logits[] = {1, 1, third, 0, 0, third, second, 0}, label[] = {0, 1, 1, -1};
    const act y[] = {0, 0, 0, 1 / 3., 0.5 / 3, 1 / 3., 2 / 3., 1.5 / 3, 1 / 3., 0, 0, 0};
    const struct op_case c = {"calibration",
                              .with = "bins=4",
                              .n_x = 2,
                              .x = {{2, {4, 2}}, {1, {4}}},
                              .x_data = {logits, label},
                              .tolerance = 1e-9,
                              .internal = &op_calibration};

    (void)state;
    check_output(&c, (struct shape){3, {1, 4, 3}}, y);
    check_count(&c, 3);
}

/* One score: class 1 with 3/4, class 0 with 3/4. */
static void one_score_is_sure_of_either_class(void **state) {
    const act score[] = {third, -third}, label[] = {1, 1};
    const act y[] = {0, 0, 0, 1, 0.75, 0.5};

    (void)state;
    check_output(&(struct op_case){"calibration", .with = "bins=2", .n_x = 2,
                                   .x = {{2, {2, 1}}, {1, {2}}}, .x_data = {score, label},
                                   .tolerance = 1e-9, .internal = &op_calibration},
                 (struct shape){3, {1, 2, 3}}, y);
}

static void certainty_is_in_the_last_bin(void **state) {
    const act logits[] = {100, -100}, label[] = {0}, y[] = {0, 0, 0, 0, 0, 0, 1, 1, 1};

    (void)state;
    check_output(&(struct op_case){"calibration", .with = "bins=3", .n_x = 2,
                                   .x = {{2, {1, 2}}, {1, {1}}}, .x_data = {logits, label},
                                   .internal = &op_calibration},
                 (struct shape){3, {1, 3, 3}}, y);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"calibration", .n_x = 2, .x = {{2, {4, 3}}, {1, {5}}},
                                    .internal = &op_calibration},
                  "calibration: logits are 4x3 and labels 5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_sorted_by_confidence),
        cmocka_unit_test(one_score_is_sure_of_either_class),
        cmocka_unit_test(certainty_is_in_the_last_bin),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
