#include "support/op_check.h"
#include "core/ops/parts/convert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void indices_are_the_same_numbers(void **state) {
    (void)state;
    const act in[] = {0, -1, 7, 16777215};
    check_output(&(struct op_case){.internal = &op_acts_of_indices,
                                   .n_x = 1,
                                   .x = {{1, {4}}},
                                   .x_data = {in},
                                   .tolerance = 1e-15},
                 (struct shape){1, {4}}, in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices_are_the_same_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
