#include "support/op_args.h"
#include "support/op_check.h"
#include "core/ops/parts/init.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char args[] = "3, 2";

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const act in[] = {2, 0, 2, -1, 2, 1, 0};
    check_gradients(&(struct op_case){"embedding", .with = args, .n_x = 1, .x = {{1, {7}}},
                                      .x_data = {in}, .constant = 1});
}

/* A class that never comes keeps its gradient; one that comes twice gets both. */
static void each_class_gives_its_row(void **state) {
    (void)state;
    const act in[] = {2, -1, 0, 2};
    const real weight[] = {1, 2, 3, 4, 5, 6};
    const act out[] = {5, 6, 0, 0, 1, 2, 5, 6};
    check_output(&(struct op_case){"embedding", .with = args, .n_x = 1, .x = {{1, {4}}},
                                   .x_data = {in}, .w_data = {weight}},
                 (struct shape){2, {4, 2}}, out);
    check_output(&(struct op_case){"embedding", .with = args, .n_x = 1, .x = {{3, {1, 2, 2}}},
                                   .x_data = {in}, .w_data = {weight}},
                 (struct shape){4, {1, 2, 2, 2}}, out);
}

/* 40000 draws: the mean has a standard error of 0.005, the variance one of 0.007. */
static void weights_begin_standard_normal(void **state) {
    (void)state;
    enum { LEN = 40000 };
    const struct op_plan plan =
        plan_of(&(struct op_case){"embedding", .with = "400, 100", .n_x = 1, .x = {{1, {8}}}});
    real *v = malloc(LEN * sizeof *v), sum = 0, squares = 0;

    assert_non_null(v);
    assert_string_equal(plan.w[0].name, "weight");
    assert_int_equal(shape_len(&plan.w[0].shape), LEN);
    init_fill(&plan.w[0].init, plan.w[0].fan_in, plan.w[0].fan_out, 1, v, LEN);
    for (int i = 0; i < LEN; i++)
        sum += v[i], squares += v[i] * v[i];
    assert_true(fabs(sum / LEN) < 0.025 && fabs(squares / LEN - 1) < 0.035);
    free(v);
}

static void it_says_which_classes_it_takes(void **state) {
    const struct op *op = op_find("embedding");
    struct op_args three;
    struct err err = {0};

    (void)state;
    assert_int_equal(op_args_init(&three, op, args, &err), 0);
    assert_int_equal(op->meaning.index_limit(three.args), 3);
    op_args_release(&three);
}

static void too_many_dimensions_are_refused(void **state) {
    (void)state;
    check_refused(
        &(struct op_case){"embedding", .with = args, .n_x = 1, .x = {{5, {1, 2, 2, 2, 2}}}},
        "embedding: x is 1x2x2x2x2, expected class indices without channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(each_class_gives_its_row),
        cmocka_unit_test(weights_begin_standard_normal),
        cmocka_unit_test(it_says_which_classes_it_takes),
        cmocka_unit_test(too_many_dimensions_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
