#include "golden_detect.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct op_case rows(const char *with) {
    return (struct op_case){"hard_negatives", .with = with, .n_x = 2,
                            .x = {{3, {2, 20, 4}}, {3, {2, 20, 5}}},
                            .x_data = {golden_logits, golden_match}};
}

static void output_agrees_with_torchvision(void **state) {
    (void)state;
    const struct op_case c = rows("1.5");
    check_output(&c, (struct shape){3, {2, 20, 5}}, golden_hard);
}

static void sample(const char *with, const act *out) {
    const act logits[] = {0, 5, 0, 1, 0, 3, 0, 2},
              target[] = {0, 0, 0, 0, -2, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1};
    act y[20] = {0};

    for (int i = 0; i < 4; i++)
        y[5 * i + 4] = out[i];
    check_output(&(struct op_case){"hard_negatives", .with = with, .n_x = 2,
                                   .x = {{3, {1, 4, 2}}, {3, {1, 4, 5}}},
                                   .x_data = {logits, target}},
                 (struct shape){3, {1, 4, 5}}, y);
}

static void without_boxes_nothing_remains_but_what_is_asked_for(void **state) {
    (void)state;
    sample("3", (const act[]){-2, -2, -2, -2});
    sample("3, least=2", (const act[]){-2, -2, -1, -1});
    sample("3, sigmoid, least=1", (const act[]){-2, -2, -1, -2});
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = rows(NULL);
    c.x[0] = (struct shape){3, {2, 19, 4}};
    check_refused(&c, "hard_negatives: 19 logits for 20 targets");
    c.x[0] = (struct shape){2, {2, 19}};
    check_refused(&c, "hard_negatives: logits are 2x19, expected a list");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(without_boxes_nothing_remains_but_what_is_asked_for),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
