#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void numbers_pass_unchanged(void **state) {
    (void)state;
    const act in[] = {1, -2, 3, 4};
    check_output(&(struct op_case){"detach", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}},
                 (struct shape){2, {2, 2}}, in);
}

static void no_gradient_passes(void **state) {
    (void)state;
    assert_null(op_find("detach")->backward);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_pass_unchanged),
        cmocka_unit_test(no_gradient_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
