#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const act guess[] = {1, 10, 2, 20, 4, 30}, target[] = {2, 10, 2, 22, 5, 31};

static struct op_case three_pairs(const char *with) {
    return (struct op_case){"residuals",
                            .with = with,
                            .n_x = 2,
                            .x = {{2, {3, 2}}, {2, {3, 2}}},
                            .x_data = {guess, target},
                            .tolerance = 1e-12};
}

/* Squares 1, 0, 1 and 0, 4, 1; targets 2, 2, 5 and 10, 22, 31. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act y[] = {2. / 3, 3, 11, 5. / 3, 21, 1545. / 3};
    const struct op_case c = three_pairs(NULL);
    check_output(&c, (struct shape){3, {1, 2, 3}}, y);
    check_count(&c, 3);
}

static void forward_gives_the_sum_of_terms_around_a_number(void **state) {
    (void)state;
    const act y[] = {2, -21, 64 + 64 + 25, 5, 33, 0 + 144 + 441};
    const struct op_case c = three_pairs("10");
    check_sum(&c, (struct shape){3, {1, 2, 3}}, y);
}

static void no_gradient_passes(void **state) {
    (void)state;
    assert_null(op_find("residuals")->backward);
}

static void other_numbers_of_targets_are_refused(void **state) {
    (void)state;
    struct op_case c = three_pairs(NULL);
    c.x[1] = (struct shape){2, {3, 1}};
    check_refused(&c, "residuals: the guess is 3x2 and the target 3x1, expected as many numbers");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(forward_gives_the_sum_of_terms_around_a_number),
        cmocka_unit_test(no_gradient_passes),
        cmocka_unit_test(other_numbers_of_targets_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
