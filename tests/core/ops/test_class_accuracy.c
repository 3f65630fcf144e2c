#include "core/ops/confusion_case.h"

static void output_worked_by_hand(void **state) {
    (void)state;
    const act found[] = {4. / 5, 1. / 2, 0, 0};
    const struct op_case c = nine_labels("class_accuracy", NULL);
    check_output(&c, (struct shape){2, {1, 4}}, found);
}

static void it_is_a_metric_that_grows(void **state) {
    (void)state;
    check_is_metric("class_accuracy");
}

static void other_tensors_are_refused(void **state) {
    (void)state;
    check_refuses_other_tensors("class_accuracy");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(it_is_a_metric_that_grows),
        cmocka_unit_test(other_tensors_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
