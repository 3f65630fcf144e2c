#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"flatten", .n_x = 1, .x = {{4, {2, 3, 2, 2}}}});
}

static void numbers_keep_their_order(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4, 5, 6, 7, 8};
    check_output(&(struct op_case){"flatten", .n_x = 1, .x = {{4, {2, 1, 2, 2}}}, .x_data = {in}},
                 (struct shape){2, {2, 4}}, in);
}

static void labels_become_one_channel(void **state) {
    (void)state;
    const act in[] = {3, 1, 2};
    check_output(&(struct op_case){"flatten", .n_x = 1, .x = {{1, {3}}}, .x_data = {in}},
                 (struct shape){2, {3, 1}}, in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(numbers_keep_their_order),
        cmocka_unit_test(labels_become_one_channel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
