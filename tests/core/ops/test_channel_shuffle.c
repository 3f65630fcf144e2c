#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const int three = 3; /* channel_shuffle's arguments are one number */

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"channel_shuffle", &three, .n_x = 1, .x = {{4, {2, 2, 3, 6}}}});
}

/* Groups (0, 1), (2, 3), (4, 5) are dealt out in turn. */
static void every_group_gives_one_in_turn(void **state) {
    (void)state;
    const act in[] = {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15};
    const act out[] = {0, 2, 4, 1, 3, 5, 10, 12, 14, 11, 13, 15};
    check_output(
        &(struct op_case){"channel_shuffle", &three, .n_x = 1, .x = {{2, {2, 6}}}, .x_data = {in}},
        (struct shape){2, {2, 6}}, out);
}

static void unequal_groups_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"channel_shuffle", &three, .n_x = 1, .x = {{4, {2, 4, 4, 8}}}},
                  "channel_shuffle: x is 2x4x4x8, expected channels in 3 equal groups");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(every_group_gives_one_in_turn),
        cmocka_unit_test(unequal_groups_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
