#include "core/ops/confusion_case.h"

static void output_worked_by_hand(void **state) {
    (void)state;
    check_measure("dice_score", "0", 4. / 5);
    check_measure("dice_score", "1", 4. / 7);
}

static void the_class_is_1_unless_said(void **state) {
    (void)state;
    check_measure("dice_score", NULL, 4. / 7);
}

static void classes_without_labels_measure_0(void **state) {
    (void)state;
    check_measure("dice_score", "2", 0);
    check_measure("dice_score", "3", 0);
}

static void without_labels_it_says_nothing(void **state) {
    (void)state;
    check_edges("dice_score");
}

static void it_is_a_metric_that_grows(void **state) {
    (void)state;
    check_is_metric("dice_score");
}

static void other_tensors_are_refused(void **state) {
    (void)state;
    check_refuses_other_tensors("dice_score");
}

static void classes_past_the_last_are_refused(void **state) {
    (void)state;
    check_refuses_other_classes("dice_score");
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
