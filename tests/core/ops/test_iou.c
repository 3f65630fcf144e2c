#include "core/ops/confusion_case.h"

static void output_worked_by_hand(void **state) {
    (void)state;
    check_measure("iou", "0", 2. / 3);
    check_measure("iou", "1", 2. / 5);
}

static void the_class_is_1_unless_said(void **state) {
    (void)state;
    check_measure("iou", NULL, 2. / 5);
}

static void classes_without_labels_measure_0(void **state) {
    (void)state;
    check_measure("iou", "2", 0);
    check_measure("iou", "3", 0);
}

static void without_labels_it_says_nothing(void **state) {
    (void)state;
    check_edges("iou");
}

static void it_is_a_metric_that_grows(void **state) {
    (void)state;
    check_is_metric("iou");
}

static void other_tensors_are_refused(void **state) {
    (void)state;
    check_refuses_other_tensors("iou");
}

static void classes_past_the_last_are_refused(void **state) {
    (void)state;
    check_refuses_other_classes("iou");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(the_class_is_1_unless_said),
        cmocka_unit_test(classes_without_labels_measure_0),
        cmocka_unit_test(without_labels_it_says_nothing),
        cmocka_unit_test(it_is_a_metric_that_grows),
        cmocka_unit_test(other_tensors_are_refused),
        cmocka_unit_test(classes_past_the_last_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
