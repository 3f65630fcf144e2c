#include "support/counted.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradients_agree_with_differences(void **state) {
    const char one[] = "1", uneven[] = "[3, 7]", deep[] = "[2, 1, 3]";

    (void)state;
    check_gradients(
        &(struct op_case){"adaptive_avgpool", .with = one, .n_x = 1, .x = {{4, {3, 4, 3, 3}}}});
    check_gradients(
        &(struct op_case){"adaptive_avgpool", .with = uneven, .n_x = 1, .x = {{4, {2, 5, 6, 2}}}});
    check_gradients(
        &(struct op_case){"adaptive_avgpool", .with = deep, .n_x = 1, .x = {{5, {2, 3, 2, 4, 2}}}});
}

/* Three windows of five pixels: 0..1, 1..3, 3..4. */
static void windows_overlap_where_the_size_does_not_divide(void **state) {
    const char a[] = "3";
    const act in[] = {1, 3, 5, 7, 11}, out[] = {2, 5, 9};

    (void)state;
    check_output(&(struct op_case){"adaptive_avgpool", .with = a, .n_x = 1, .x = {{3, {1, 5, 1}}},
                                   .x_data = {in}},
                 (struct shape){3, {1, 3, 1}}, out);
}

static void size_one_keeps_the_dimensions(void **state) {
    const char a[] = "1";
    const act in[] = {1, 10, 2, 20, 3, 30, 6, 40}, out[] = {3, 25};

    (void)state;
    check_output(&(struct op_case){"adaptive_avgpool", .with = a, .n_x = 1,
                                   .x = {{4, {1, 2, 2, 2}}}, .x_data = {in}},
                 (struct shape){4, {1, 1, 1, 2}}, out);
}

/* x counted with step 5; y from tests/golden/convolutions.py. */
static void check_golden(const char *a, struct shape x, struct shape y, const act *expected) {
    real in[64];

    assert_true(shape_len(&x) <= 64);
    check_output(&(struct op_case){"adaptive_avgpool", .with = a, .n_x = 1, .x = {x},
                                   .x_data = {counted(in, shape_len(&x), 5)}},
                 y, expected);
}

static void one_to_three_dimensions_as_pytorch(void **state) {
    const char three[] = "3", uneven[] = "[3, 6]", deep[] = "[2, 1, 3]";
    static const act one[] = {
        -0.75, 0.5,  0.166666666667,   0,     0.375, -0.5,
        1.125, 0.25, -0.0833333333333, -0.25, 0.125, -0.75,
    };
    static const act two[] = {
        -1.25,
        0,
        0,
        0.1875,
        1.25,
        0.375,
        -0.5,
        0.75,
        -0.3125,
        -0.125,
        -0.125,
        -1,
        -0.416666666667,
        -0.583333333333,
        0.125,
        -0.0416666666667,
        0.666666666667,
        0.5,
        0.333333333333,
        0.166666666667,
        0.166666666667,
        0,
        0,
        -0.166666666667,
        -1,
        0.25,
        -0.8125,
        0.4375,
        -0.625,
        0.625,
        -0.25,
        1,
        -0.0625,
        0.125,
        0.125,
        -0.75,
    };
    static const act volume[] = {
        0.03125, -0.0416666666667, 0.0625, 0.3125, 0.0625, -0.1875,
    };

    (void)state;
    check_golden(three, (struct shape){3, {2, 5, 2}}, (struct shape){3, {2, 3, 2}}, one);
    check_golden(uneven, (struct shape){4, {1, 5, 4, 2}}, (struct shape){4, {1, 3, 6, 2}}, two);
    check_golden(deep, (struct shape){5, {1, 3, 2, 5, 1}}, (struct shape){5, {1, 2, 1, 3, 1}},
                 volume);
}

static void what_makes_no_sense_is_refused(void **state) {
    const char a[] = "[1, 2, 3]";

    (void)state;
    check_refused(
        &(struct op_case){"adaptive_avgpool", .with = a, .n_x = 1, .x = {{4, {8, 5, 5, 1}}}},
        "adaptive_avgpool: size has 3 numbers, expected one, or height, width");
    check_refused(&(struct op_case){"adaptive_avgpool", .with = a, .n_x = 1, .x = {{2, {8, 10}}}},
                  "adaptive_avgpool: x is 8x10, expected images (samples x height x width x "
                  "channels), or one or three dimensions in place of height x width");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(windows_overlap_where_the_size_does_not_divide),
        cmocka_unit_test(size_one_keeps_the_dimensions),
        cmocka_unit_test(one_to_three_dimensions_as_pytorch),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
