#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* From the best: 5 of the class, 4 of both (a tie), 2 of the others, 1 of the class; and one that
 * does not count. */
static const act score[] = {4, 1, 9, 5, 2, 4}, label[] = {1, 1, -1, 1, 0, 0};

static struct op_case six(const char *with) {
    return (struct op_case){"roc",
                            .with = with,
                            .n_x = 2,
                            .x = {{2, {6, 1}}, {1, {6}}},
                            .x_data = {score, label},
                            .tolerance = 1e-9};
}

/* Corners: (0, 1/3), (1/2, 2/3), (1, 2/3), and up to (1, 1). */
static void output_worked_by_hand(void **state) {
    const act y[] = {0, 1 / 3., 0.25, 0.5, 0.5, 2 / 3., 0.75, 2 / 3., 1, 1};
    const struct op_case c = six("points=5");

    (void)state;
    check_output(&c, (struct shape){3, {1, 5, 2}}, y);
}

static void perfect_scores_reach_the_corner(void **state) {
    const act scores[] = {1, 2, 3, 4, 5, 6}, labels[] = {0, 0, 0, 1, 1, 1}, y[] = {0, 1, 1, 1};
    struct op_case c = six("points=2");

    (void)state;
    c.x_data[0] = scores, c.x_data[1] = labels;
    check_output(&c, (struct shape){3, {1, 2, 2}}, y);
}

static void one_class_alone_is_nothing(void **state) {
    const act ones[] = {1, 1, 1, 1, 1, 1};
    struct op_case c = six(NULL);
    struct shape y;

    (void)state;
    c.x_data[1] = ones;
    act *found = forward_of(&c, &y);
    assert_true(shape_equal(&y, &(struct shape){3, {1, 21, 2}}));
    for (int i = 0; i < 42; i++)
        assert_true(isnan(found[i]));
    free(found);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    const struct op_case c = six("class=2");

    check_refused(&c, "roc: class is 2, but there are only 2 classes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(perfect_scores_reach_the_corner),
        cmocka_unit_test(one_class_alone_is_nothing),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
