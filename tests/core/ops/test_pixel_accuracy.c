#include "core/ops/confusion_case.h"

/* 6 hits of 9 labels. */
static void output_worked_by_hand(void **state) {
    (void)state;
    check_measure("pixel_accuracy", NULL, 2. / 3);
}

static void without_labels_it_says_nothing(void **state) {
    (void)state;
    check_edges("pixel_accuracy");
}

static void it_is_a_metric_that_grows(void **state) {
    (void)state;
    check_is_metric("pixel_accuracy");
}

static void other_tensors_are_refused(void **state) {
    (void)state;
    check_refuses_other_tensors("pixel_accuracy");
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
