#include "core/ops/parts/calibration.h"
#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* Two bins with labels, of shares 1/4 and 3/4, and one without. */
static const act sums[] = {0.25, 0.15, 0.25, 0, 0, 0, 0.75, 0.6, 0.5};

static void output_worked_by_hand(void **state) {
    const act y[] = {0.25, 0.6, 1, 0, 0, 0, 0.75, 0.8, 2. / 3};

    (void)state;
    check_output(&(struct op_case){"reliability", .n_x = 1, .x = {{3, {1, 3, 3}}}, .x_data = {sums},
                                   .tolerance = 1e-9},
                 (struct shape){3, {1, 3, 3}}, y);
}

static void it_is_made_of_logits_and_labels(void **state) {
    (void)state;
    assert_ptr_equal(op_find("reliability")->meaning.sums, &op_calibration);
    assert_int_equal(op_find("reliability")->min_x, 2);
}

static void other_tensors_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"reliability", .n_x = 1, .x = {{2, {3, 3}}}},
                  "reliability: x is 3x3, expected logits and labels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(it_is_made_of_logits_and_labels),
        cmocka_unit_test(other_tensors_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
