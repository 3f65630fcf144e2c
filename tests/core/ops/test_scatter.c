#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const act guess[] = {0.1, 0.6, -9, 99}, target[] = {0.1, 0.9, 0.6, 1};

static struct op_case four_pairs(const char *with) {
    return (struct op_case){"scatter",
                            .with = with,
                            .n_x = 2,
                            .x = {{2, {4, 1}}, {2, {4, 1}}},
                            .x_data = {guess, target},
                            .tolerance = 1e-12};
}

/* Parts 0 .. 0.5 and 0.5 .. 1; what lies beyond counts at the edge. Rows are targets. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act y[] = {0.25, 0, 0.25, 0.5};
    const struct op_case c = four_pairs("0, 1, bins=2");
    check_output(&c, (struct shape){3, {1, 2, 2}}, y);
    check_count(&c, 4);
}

static void what_is_not_a_number_is_nowhere(void **state) {
    (void)state;
    static const act bad[] = {NAN, 0.6, INFINITY, 0.2};
    const act y[] = {0, 0, 1, 2};
    struct op_case c = four_pairs("0, 1, bins=2");
    c.x_data[0] = bad;
    check_sum(&c, (struct shape){3, {1, 2, 2}}, y);
}

static void no_gradient_passes(void **state) {
    (void)state;
    assert_null(op_find("scatter")->backward);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = four_pairs("1, 1");
    check_refused(&c, "scatter: high is 1, expected more than low, 1");
    c = four_pairs("0, 1");
    c.x[1] = (struct shape){2, {4, 2}};
    check_refused(&c, "scatter: the guess is 4x1 and the target 4x2, expected as many numbers");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(what_is_not_a_number_is_nowhere),
        cmocka_unit_test(no_gradient_passes),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
