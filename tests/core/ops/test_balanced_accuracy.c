#include "core/ops/confusion_case.h"

/* (4/5 + 1/2) / 2: classes 2 and 3 have no labels. */
static void output_worked_by_hand(void **state) {
    (void)state;
    check_measure("balanced_accuracy", NULL, 0.65);
}

static void without_labels_it_says_nothing(void **state) {
    (void)state;
    check_edges("balanced_accuracy");
}

static void it_is_a_metric_that_grows(void **state) {
    (void)state;
    check_is_metric("balanced_accuracy");
}

static void other_tensors_are_refused(void **state) {
    (void)state;
    check_refuses_other_tensors("balanced_accuracy");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(without_labels_it_says_nothing),
        cmocka_unit_test(it_is_a_metric_that_grows),
        cmocka_unit_test(other_tensors_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
