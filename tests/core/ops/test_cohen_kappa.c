#include "core/ops/confusion_case.h"

/* (9 * 6 - (25 + 12)) / (81 - (25 + 12)) */
static void output_worked_by_hand(void **state) {
    (void)state;
    check_measure("cohen_kappa", NULL, 17. / 44);
}

static void without_labels_it_says_nothing(void **state) {
    (void)state;
    check_edges("cohen_kappa");
}

/* All labels and all guesses of one class: there is nothing to compare. */
static void one_class_alone_measures_0(void **state) {
    const act one[16] = {1}, zero = 0;
    struct op_case c = nine_labels("cohen_kappa", NULL);

    (void)state;
    c.x_data[0] = one;
    check_output(&c, (struct shape){1, {1}}, &zero);
}

static void perfect_guesses_measure_1(void **state) {
    const act half[16] = {0.5, [5] = 0.5}, one = 1;
    struct op_case c = nine_labels("cohen_kappa", NULL);

    (void)state;
    c.x_data[0] = half;
    check_output(&c, (struct shape){1, {1}}, &one);
}

static void it_is_a_metric_that_grows(void **state) {
    (void)state;
    check_is_metric("cohen_kappa");
}

static void other_tensors_are_refused(void **state) {
    (void)state;
    check_refuses_other_tensors("cohen_kappa");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(without_labels_it_says_nothing),
        cmocka_unit_test(one_class_alone_measures_0),
        cmocka_unit_test(perfect_guesses_measure_1),
        cmocka_unit_test(it_is_a_metric_that_grows),
        cmocka_unit_test(other_tensors_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
