#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { LEN = 2 * 13 * 12 * 2 };

/* The images of tests/golden/images.py. */
static struct op_case two_images(const char *with) {
    static act a[LEN], b[LEN];

    for (int i = 0; i < LEN; i++) {
        a[i] = i * i * 37 % 101 / 100.;
        b[i] = 0.75 * a[i] + 0.25 * (i * 53 % 89) / 88.;
    }
    return (struct op_case){"ssim",           .with = with,
                            .n_x = 2,         .x = {{4, {2, 13, 12, 2}}, {4, {2, 13, 12, 2}}},
                            .x_data = {a, b}, .tolerance = 1e-11};
}

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    struct op_case c = two_images(NULL);
    c.tolerance = 0;
    c.every = 7;
    check_gradients(&c);
}

/* The slopes of random images are larger: nothing there hides behind the tolerance. */
static void gradient_of_random_images(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"ssim", .n_x = 2, .x = {{4, {1, 11, 14, 1}}, {4, {1, 11, 14, 1}}}});
}

static void output_agrees_with_numbers_from_elsewhere(void **state) {
    (void)state;
    const act similarity[] = {0.911632747944}, of_two[] = {0.913499246481};
    struct op_case c = two_images(NULL);
    check_output(&c, (struct shape){1, {1}}, similarity);
    check_count(&c, 2);
    c = two_images("2");
    check_output(&c, (struct shape){1, {1}}, of_two);
}

static void equal_images_are_similar(void **state) {
    (void)state;
    const act one[] = {1};
    struct op_case c = two_images(NULL);
    c.x_data[1] = c.x_data[0];
    check_output(&c, (struct shape){1, {1}}, one);
}

/* Constant images of 1 and 0: C1 / (1 + C1) = 0.0001 / 1.0001. */
static void black_and_white_are_not(void **state) {
    (void)state;
    const act black[121] = {0}, similarity[] = {0.0001 / 1.0001};
    act white[121];

    for (int i = 0; i < 121; i++)
        white[i] = 1;
    check_output(&(struct op_case){"ssim", .n_x = 2,
                                   .x = {{4, {1, 11, 11, 1}}, {4, {1, 11, 11, 1}}},
                                   .x_data = {white, black}, .tolerance = 1e-10},
                 (struct shape){1, {1}}, similarity);
}

static void larger_is_better(void **state) {
    (void)state;
    assert_int_equal(op_find("ssim")->meaning.better, 1);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = two_images("0");
    check_refused(&c, "ssim: max is 0, expected more than 0");
    c = two_images(NULL);
    c.x[1] = (struct shape){4, {2, 13, 12, 3}};
    check_refused(&c, "ssim: the first input is 2x13x12x2 and the second 2x13x12x3");
    check_refused(
        &(struct op_case){"ssim", .n_x = 2, .x = {{4, {8, 10, 32, 3}}, {4, {8, 10, 32, 3}}}},
        "ssim: x is 8x10x32x3, expected images of at least 11x11 pixels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_random_images),
        cmocka_unit_test(output_agrees_with_numbers_from_elsewhere),
        cmocka_unit_test(equal_images_are_similar),
        cmocka_unit_test(black_and_white_are_not),
        cmocka_unit_test(larger_is_better),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
