#include "support/op_check.h"
#include "core/ops/parts/convert.h"

#include <math.h>
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

static void what_is_no_whole_number_is_no_class(void **state) {
    (void)state;
    const act in[] = {0, 3, -2, 2147483647.0, 0.5, -0.5, (act)NAN, (act)INFINITY, 2147483648.0};
    const act out[] = {0, 3, -2, 2147483647.0, -1, -1, -1, -1, -1};
    check_output(&(struct op_case){.internal = &op_indices_of_acts,
                                   .n_x = 1,
                                   .x = {{2, {3, 3}}},
                                   .x_data = {in},
                                   .tolerance = 1e-15},
                 (struct shape){2, {3, 3}}, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices_are_the_same_numbers),
        cmocka_unit_test(what_is_no_whole_number_is_no_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
