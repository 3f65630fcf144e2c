#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const act target[] = {0, 0, 1, 1, -2, 0, 0, 2, 2, 1,  0, 0, 3, 3, -1,
                             0, 0, 4, 4, -1, 0, 0, 5, 5, -2, 0, 0, 6, 6, 0};

static struct op_case of(const char *with, int len, const act *x) {
    return (struct op_case){"chosen",
                            .with = with,
                            .n_x = 2,
                            .x = {{3, {2, 3, len}}, {3, {2, 3, 5}}},
                            .x_data = {x, target},
                            .constant = 2};
}

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    struct op_case c = of("2", 4, NULL);
    check_gradients(&c);
    c = of("1, positive=true", 3, NULL);
    check_gradients(&c);
}

static void rows_that_count_move_to_the_front(void **state) {
    (void)state;
    const act x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const act out[] = {3, 4, 5, 6, 0, 0, 7, 8, 11, 12, 0, 0};
    struct op_case c = of("3", 2, x);
    check_output(&c, (struct shape){3, {2, 3, 2}}, out);
    const act first[] = {3, 4, 7, 8}, positive[] = {3, 4, 0, 0, 11, 12, 0, 0};
    c = of("1", 2, x);
    check_output(&c, (struct shape){3, {2, 1, 2}}, first);
    c = of("2, positive=true", 2, x);
    check_output(&c, (struct shape){3, {2, 2, 2}}, positive);
}

static void targets_end_with_ignored_rows(void **state) {
    (void)state;
    const act out[] = {0, 0, 2, 2, 1,  0, 0, 3, 3, -1, 0, 0, 0, 0, -2,
                       0, 0, 4, 4, -1, 0, 0, 6, 6, 0,  0, 0, 0, 0, -2};
    const struct op_case c = of("3", 5, target);
    check_output(&c, (struct shape){3, {2, 3, 5}}, out);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = of("3", 2, NULL);
    c.x[0] = (struct shape){2, {2, 3}};
    check_refused(&c, "chosen: x is 2x3, expected a list");
    c = of("3", 2, NULL);
    c.x[0].dim[1] = 4;
    check_refused(&c, "chosen: 4 rows for 3 targets");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(rows_that_count_move_to_the_front),
        cmocka_unit_test(targets_end_with_ignored_rows),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
