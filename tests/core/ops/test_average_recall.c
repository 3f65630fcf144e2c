#include "core/ops/detection_check.h"

static void it_is_that_of_its_definition(void **state) {
    (void)state;
    check_golden_detection("average_recall");
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    check_detection_shapes("average_recall", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_that_of_its_definition),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
