#include "golden_detect.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct shape mean = {1, {1}};

static struct op_case rows(const char *with) {
    return (struct op_case){"class_loss",
                            .with = with,
                            .n_x = 2,
                            .x = {{3, {2, 20, 4}}, {3, {2, 20, 5}}},
                            .x_data = {golden_logits, golden_match},
                            .constant = 2};
}

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const char *const all[] = {NULL,
                               "per=samples",
                               "background=none, per=rows",
                               "focal, per=samples",
                               "focal, alpha=0.6, gamma=0.5",
                               "sigmoid, per=rows"};

    for (int i = 0; i < 6; i++) {
        const struct op_case c = rows(all[i]);
        check_gradients(&c);
    }
}

static void output_agrees_with_torch(void **state) {
    (void)state;
    const char *const all[] = {NULL, "per=rows", "focal, per=samples", "sigmoid"};

    for (int i = 0; i < 4; i++) {
        struct op_case c = rows(all[i]);
        c.tolerance = 1e-11;
        check_output(&c, mean, &golden_class_losses[i]);
    }
}

static void what_is_counted(void **state) {
    (void)state;
    const char *const all[] = {"per=positives", "per=samples", "per=rows"};
    double found[2] = {0};

    for (int i = 0; i < 40; i++) {
        found[0] += golden_match[i * 5 + 4] >= 0;
        found[1] += golden_match[i * 5 + 4] >= -1;
    }
    for (int i = 0; i < 3; i++) {
        const struct op_case c = rows(all[i]);
        check_count(&c, i == 1 ? 2 : found[i / 2]);
    }
}

/* Of one channel every class is that: whether there is something. */
static void one_channel_is_of_any_class(void **state) {
    (void)state;
    const act logits[] = {0, 2}, target[] = {0, 0, 1, 1, 7, 0, 0, 0, 0, -1};
    check_output(&(struct op_case){"class_loss", .with = "sigmoid, per=rows", .n_x = 2,
                                   .x = {{3, {1, 2, 1}}, {3, {1, 2, 5}}},
                                   .x_data = {logits, target}},
                 mean, &(const act){(0.69314718055994531 + 2.1269280110429727) / 2});
}

/* Reading beyond the logits would be the alternative. */
static void a_class_that_the_network_lacks_is_no_number(void **state) {
    (void)state;
    const act logits[] = {0, 2, 1}, target[] = {0, 0, 1, 1, 2};
    struct op_case c = {"class_loss", .n_x = 2, .x = {{3, {1, 1, 3}}, {3, {1, 1, 5}}},
                        .x_data = {logits, target}};
    struct shape shape;
    act *y = forward_of(&c, &shape);

    assert_true(y[0] != y[0]);
    free(y);
}

static void a_batch_without_rows_costs_nothing(void **state) {
    (void)state;
    act none[200] = {0};
    struct op_case c = rows(NULL);

    for (int i = 0; i < 40; i++)
        none[i * 5 + 4] = -2;
    c.x_data[1] = none;
    check_output(&c, mean, &(const act){0});
    check_gradients(&c);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = rows("focal, first");
    check_refused(&c, "class_loss: kind=focal has no background");
    c = rows(NULL);
    c.x[0] = (struct shape){3, {2, 20, 1}};
    check_refused(&c, "class_loss: 2x20x1 has no class beside the background");
    c.x[0] = (struct shape){3, {2, 19, 4}};
    check_refused(&c, "class_loss: 19 logits for 20 targets");
    c.x[0] = (struct shape){2, {2, 19}};
    check_refused(&c, "class_loss: logits are 2x19, expected a list");
    c = rows(NULL);
    c.x[1] = (struct shape){3, {2, 20, 4}};
    check_refused(&c, "class_loss: targets are 2x20x4, expected a list with 5 numbers a row");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_torch),
        cmocka_unit_test(what_is_counted),
        cmocka_unit_test(one_channel_is_of_any_class),
        cmocka_unit_test(a_class_that_the_network_lacks_is_no_number),
        cmocka_unit_test(a_batch_without_rows_costs_nothing),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
