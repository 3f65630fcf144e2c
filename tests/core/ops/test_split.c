#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    for (int part = 0; part < 3; part++) {
        const char args[] = {'3', ',', (char)('0' + part), 0};
        check_gradients(
            &(struct op_case){"split", .with = args, .n_x = 1, .x = {{4, {2, 3, 2, 6}}}});
    }
}

static void parts_are_numbered_from_zero(void **state) {
    (void)state;
    const act in[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const act out[3][4] = {{0, 1, 6, 7}, {2, 3, 8, 9}, {4, 5, 10, 11}};

    for (int part = 0; part < 3; part++) {
        const char args[] = {'3', ',', (char)('0' + part), 0};
        check_output(
            &(struct op_case){"split", .with = args, .n_x = 1, .x = {{2, {2, 6}}}, .x_data = {in}},
            (struct shape){2, {2, 2}}, out[part]);
    }
}

static void unequal_parts_are_refused(void **state) {
    (void)state;
    const char four[] = "4, 0", third[] = "3, 3";
    check_refused(&(struct op_case){"split", .with = four, .n_x = 1, .x = {{2, {2, 6}}}},
                  "split: x is 2x6, expected channels in 4 equal parts");
    check_refused(&(struct op_case){"split", .with = third, .n_x = 1, .x = {{2, {2, 6}}}},
                  "split: part is 3, expected 0 to 2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(parts_are_numbered_from_zero),
        cmocka_unit_test(unequal_parts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
