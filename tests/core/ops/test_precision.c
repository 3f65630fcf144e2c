#include "core/ops/confusion_case.h"

static void output_worked_by_hand(void **state) {
    (void)state;
    check_measure("precision", "0", 4. / 5);
    check_measure("precision", "1", 2. / 3);
}

/* (4 / 5 + 2 / 3 + 0) / 3: class 2, which is guessed, counts and class 3 does not. */
static void the_mean_is_over_classes_that_occur(void **state) {
    (void)state;
    check_measure("precision", NULL, 22. / 45);
}

static void classes_without_labels_measure_0(void **state) {
    (void)state;
    check_measure("precision", "2", 0);
    check_measure("precision", "3", 0);
}

static void without_labels_it_says_nothing(void **state) {
    (void)state;
    check_edges("precision");
}

static void it_is_a_metric_that_grows(void **state) {
    (void)state;
    check_is_metric("precision");
}

static void other_tensors_are_refused(void **state) {
    (void)state;
    check_refuses_other_tensors("precision");
}

static void classes_past_the_last_are_refused(void **state) {
    (void)state;
    check_refuses_other_classes("precision");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(the_mean_is_over_classes_that_occur),
        cmocka_unit_test(classes_without_labels_measure_0),
        cmocka_unit_test(without_labels_it_says_nothing),
        cmocka_unit_test(it_is_a_metric_that_grows),
        cmocka_unit_test(other_tensors_are_refused),
        cmocka_unit_test(classes_past_the_last_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
