#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const act in[] = {-1.5, 2.5, -3, 4};
    check_gradients(&(struct op_case){"square", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}});
}

/* Of both signs. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act in[] = {-1.5, 2.5, -3, 4};
    const act out[] = {2.25, 6.25, 9, 16};
    check_output(&(struct op_case){"square", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in},
                                   .tolerance = 1e-11},
                 (struct shape){2, {2, 2}}, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_worked_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
