#include "golden_detect.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct shape mean = {1, {1}}, list = {3, {2, 20, 4}};

static struct op_case rows(const char *with) {
    return (struct op_case){"box_loss",
                            .with = with,
                            .n_x = 3,
                            .x = {list, list, {3, {2, 20, 5}}},
                            .x_data = {golden_moves, golden_many, golden_match},
                            .constant = 6};
}

static const char *const all[] = {"weights=[10, 10, 5, 5]",
                                  "beta=0.111111111111111111, per=rows",
                                  "l1, per=samples",
                                  "iou",
                                  "giou",
                                  "ciou"};

/* Of ciou the share of the form is no constant in differences. */
static void gradient_agrees_with_differences(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) {
        const struct op_case c = rows(all[i]);
        check_gradients(&c);
    }
}

static void output_agrees_with_torch(void **state) {
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct op_case c = rows(all[i]);
        c.tolerance = i < 3 ? 1e-11 : 1e-8; /* theirs adds 1e-7 to areas, too, of iou and giou */
        check_output(&c, mean, &golden_box_losses[i]);
    }
}

/* Boxes of one form: the difference of forms is nothing, and its gradient, too. */
static void gradient_of_ciou_between_boxes_of_one_form(void **state) {
    (void)state;
    const act regions[] = {0, 0, 10, 20, 0, 0, 10, 20},
              deltas[] = {0.1, 0.2, 0.3, 0.3, 2, -3, -0.5, -0.5};
    const act target[] = {1, 2, 13, 26, 0, 1, 2, 13, 26, 0};
    check_gradients(&(struct op_case){"box_loss", .with = "ciou", .n_x = 3,
                                      .x = {{3, {1, 2, 4}}, {3, {1, 2, 4}}, {3, {1, 2, 5}}},
                                      .x_data = {deltas, regions, target}, .constant = 6});
}

static void deltas_are_those_of_the_class(void **state) {
    (void)state;
    const act regions[] = {0, 0, 10, 20}, deltas[] = {9, 9, 9, 9, 9, 9, 9, 9, 0.5, 0, 0, 0};
    const act target[] = {0, 0, 10, 20, 1};
    struct op_case c = {"box_loss",
                        .with = "l1, background=first",
                        .n_x = 3,
                        .x = {{3, {1, 1, 12}}, {3, {1, 1, 4}}, {3, {1, 1, 5}}},
                        .x_data = {deltas, regions, target},
                        .constant = 6};
    check_output(&c, mean, &(const act){0.5});
    check_gradients(&c);
    c.with = "l1";
    check_output(&c, mean, &(const act){36});
}

static void a_class_that_the_network_lacks_is_no_number(void **state) {
    (void)state;
    const act regions[] = {0, 0, 10, 20}, target[] = {0, 0, 10, 20, 2};
    struct op_case c = {"box_loss", .n_x = 3, .x = {{3, {1, 1, 8}}, {3, {1, 1, 4}}, {3, {1, 1, 5}}},
                        .x_data = {NULL, regions, target}};
    struct shape shape;
    act *y = forward_of(&c, &shape);

    assert_true(y[0] != y[0]);
    free(y);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = rows("weights=[1, 2, 3]");
    check_refused(&c, "box_loss: 3 weights, expected 1 or 4");
    c = rows(NULL);
    c.x[0] = (struct shape){3, {2, 20, 6}};
    check_refused(&c, "box_loss: deltas are 2x20x6, expected a list with 4 numbers for each box");
    c.x[0] = (struct shape){3, {2, 19, 4}};
    check_refused(&c, "box_loss: 19 deltas for 20 regions");
    c.x[0] = list;
    c.x[2] = list;
    check_refused(&c, "box_loss: targets are 2x20x4, expected a list with 5 numbers a row");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_torch),
        cmocka_unit_test(gradient_of_ciou_between_boxes_of_one_form),
        cmocka_unit_test(deltas_are_those_of_the_class),
        cmocka_unit_test(a_class_that_the_network_lacks_is_no_number),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
