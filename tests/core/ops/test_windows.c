#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct shape picture = {4, {1, 8, 12, 3}};

/* By hand: (8 - 4) / 3 + 1 = 2 rows, (12 - 6) / 3 + 1 = 3 columns. */
static void windows_lie_row_by_row(void **state) {
    (void)state;
    const act y[] = {0, 0, 6, 4, 3, 0, 9, 4, 6, 0, 12, 4, 0, 3, 6, 7, 3, 3, 9, 7, 6, 3, 12, 7};

    check_output(&(struct op_case){"windows", .with = "[4, 6], 3", .n_x = 1, .x = {picture}},
                 (struct shape){3, {1, 6, 4}}, y);
}

/* The picture of 4x6 holds one row of one window of 4x4, which is 8x8 of the whole. */
static void windows_of_a_smaller_picture_are_larger(void **state) {
    (void)state;
    const act y[] = {0, 0, 8, 8, 8, 0, 16, 8, 0, 0, 8, 8};

    check_output(&(struct op_case){"windows", .with = "4, scales=[0.5]", .n_x = 1,
                                   .x = {{4, {1, 8, 16, 1}}}},
                 (struct shape){3, {1, 2, 4}}, y);
    check_output(&(struct op_case){"windows", .with = "8, scales=[1, 1]", .n_x = 1,
                                   .x = {{4, {1, 8, 8, 1}}}},
                 (struct shape){3, {1, 2, 4}}, (const act[]){0, 0, 8, 8, 0, 0, 8, 8});
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    struct op_case c = {"windows", .with = "9", .n_x = 1, .x = {picture}};
    check_refused(&c, "windows: no window of 9x9 fits into the picture of 8x12 at scale 1");
    c.with = "[4, 4, 4]";
    check_refused(&c, "windows: size has 3 numbers, expected one or height, width");
    c.with = "4, stride=[1, 1, 1]";
    check_refused(&c, "windows: stride has 3 numbers, expected one or height, width");
    c.with = "4";
    c.x[0] = (struct shape){2, {1, 8}};
    check_refused(&c, "windows: the picture is 1x8, expected samples x height x width x channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_lie_row_by_row),
        cmocka_unit_test(windows_of_a_smaller_picture_are_larger),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
