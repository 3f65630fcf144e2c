#include "core/ops/confusion_case.h"

/* (2/3 + 2/5 + 0) / 3: class 2, which is guessed, counts and class 3 does not. */
static void output_worked_by_hand(void **state) {
    (void)state;
    check_measure("mean_iou", NULL, 16. / 45);
}

static void without_labels_it_says_nothing(void **state) {
    (void)state;
    check_edges("mean_iou");
}

static void it_is_a_metric_that_grows(void **state) {
    (void)state;
    check_is_metric("mean_iou");
}

static void other_tensors_are_refused(void **state) {
    (void)state;
    check_refuses_other_tensors("mean_iou");
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
