#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const int three = 3; /* one_hot's arguments are one number */

static void each_class_has_a_channel(void **state) {
    (void)state;
    const act in[] = {2, 0, 1, -1};
    const act out[] = {0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0};
    check_output(&(struct op_case){"one_hot", &three, .n_x = 1, .x = {{1, {4}}}, .x_data = {in}},
                 (struct shape){2, {4, 3}}, out);
    check_output(
        &(struct op_case){"one_hot", &three, .n_x = 1, .x = {{3, {1, 2, 2}}}, .x_data = {in}},
        (struct shape){4, {1, 2, 2, 3}}, out);
    check_output(
        &(struct op_case){"one_hot", &three, .n_x = 1, .x = {{4, {1, 2, 2, 1}}}, .x_data = {in}},
        (struct shape){4, {1, 2, 2, 3}}, out);
}

static void it_says_which_classes_it_takes(void **state) {
    (void)state;
    assert_int_equal(op_find("one_hot")->meaning.index_limit(&three), 3);
}

static void no_gradient_passes(void **state) {
    (void)state;
    assert_null(op_find("one_hot")->backward);
}

static void too_many_dimensions_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"one_hot", &three, .n_x = 1, .x = {{5, {1, 2, 2, 2, 2}}}},
                  "one_hot: x is 1x2x2x2x2, expected class indices without channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_has_a_channel),
        cmocka_unit_test(it_says_which_classes_it_takes),
        cmocka_unit_test(no_gradient_passes),
        cmocka_unit_test(too_many_dimensions_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
