#include "support/op_check.h"
#include "core/ops/parts/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char two[] = "2, eps=1e-5";
static const act in[] = {0,   0.25, 1, 2.25, 4,    0.5,  3.25, 0.75, 4.5,  3, 2,    1.5,
                         1.5, 2,    3, 4.5,  0.75, 3.25, 0.5,  4,    2.25, 1, 0.25, 0};
static const real weight[] = {1, 2, -1, 0.5}, bias[] = {0, 1, 2, 3};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const char all[] = "6, eps=1e-3";
    check_gradients(&(struct op_case){"group_norm", .with = two, .n_x = 1, .x = {{4, {3, 2, 3, 6}}},
                                      .tolerance = 1e-6});
    check_gradients(&(struct op_case){"group_norm", .with = two, .n_x = 1, .x = {{3, {2, 5, 4}}},
                                      .evaluate = true, .tolerance = 1e-6});
    check_gradients(&(struct op_case){"group_norm", .with = all, .n_x = 1,
                                      .x = {{5, {2, 2, 2, 3, 6}}}, .tolerance = 1e-6});
    check_gradients(&(struct op_case){"group_norm", .with = two, .n_x = 1, .x = {{2, {3, 8}}},
                                      .tolerance = 1e-6});
}

/* 300 pixels of 300 channels are two chunks of each sample. */
static void gradient_of_samples_of_several_chunks(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"group_norm", .with = two, .n_x = 1,
                                      .x = {{3, {2, 300, 300}}}, .tolerance = 1e-5,
                                      .every = 17989});
}

/* From PyTorch: tests/golden/operators.py. */
static void output_agrees_with_pytorch(void **state) {
    (void)state;
    const act out[] = {-1.10314322847,  -0.936128931601, 2.94880790758,  3.27465492061,
                       1.05811697425,   -0.665971406261, 0.252195959726, 2.37578427133,
                       1.32827449959,   2.03560384714,   1.75031370853,  2.82521959597,
                       -0.349560808055, 1.49937258294,   1.48219807643,  3.66413724979,
                       -1.24843145734,  4.49560808055,   2.83298570313,  3.52905848712,
                       0.549309841229,  -0.897615815155, 2.9680644658,   2.44842838576};
    struct op_case c = {"group_norm",          .with = two,    .n_x = 1,
                        .x = {{3, {2, 3, 4}}}, .x_data = {in}, .w_data = {weight, bias},
                        .tolerance = 1e-10};
    check_output(&c, (struct shape){3, {2, 3, 4}}, out);
    c.evaluate = true;
    check_output(&c, (struct shape){3, {2, 3, 4}}, out);
}

static void weights_start_at_one_and_do_not_decay(void **state) {
    (void)state;
    const struct shape eight = {1, {8}};
    const struct op_plan plan =
        plan_of(&(struct op_case){"group_norm", .with = "4", .n_x = 1, .x = {{4, {2, 3, 3, 8}}}});
    real v[8];

    assert_string_equal(plan.w[0].name, "weight");
    assert_string_equal(plan.w[1].name, "bias");
    assert_true(shape_equal(&plan.w[0].shape, &eight) && shape_equal(&plan.w[1].shape, &eight));
    assert_true(!plan.w[0].decay && !plan.w[1].decay && plan.w[0].norm && plan.w[1].norm);
    init_fill(&plan.w[0].init, 1, 1, 1, v, 8);
    assert_true(v[0] == 1 && v[7] == 1);
    init_fill(&plan.w[1].init, 1, 1, 1, v, 8);
    assert_true(v[0] == 0 && v[7] == 0);
}

static void unequal_groups_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"group_norm", .n_x = 1, .x = {{4, {2, 4, 4, 48}}}},
                  "group_norm: x is 2x4x4x48, expected channels in 32 equal groups");
}

static void groups_of_one_value_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"group_norm", .with = "4", .n_x = 1, .x = {{4, {2, 1, 1, 4}}}},
                  "group_norm: x is 2x1x1x4, so a group of a sample has 1 value, which normalised "
                  "is always 0; expected at least 2 values");
    assert_int_equal(
        plan_of(&(struct op_case){"group_norm", .with = "2", .n_x = 1, .x = {{2, {2, 4}}}}).y.rank,
        2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_samples_of_several_chunks),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(weights_start_at_one_and_do_not_decay),
        cmocka_unit_test(unequal_groups_are_refused),
        cmocka_unit_test(groups_of_one_value_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
