#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const act a[] = {0, 0.5, 1, 0.25, 1, 0, 0, 1}, b[] = {0.1, 0.4, 0.9, 0.35, 0, 1, 0, 1};

static struct op_case two_images(const char *with) {
    return (struct op_case){"psnr",           .with = with,
                            .n_x = 2,         .x = {{4, {2, 2, 2, 1}}, {4, {2, 2, 2, 1}}},
                            .x_data = {a, b}, .tolerance = 1e-11};
}

/* Mean squares are 0.01 and 0.5: 20 dB and 10 log10(2) = 3.0103 dB. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act decibels[] = {(20 + 3.01029995664) / 2};
    const struct op_case c = two_images(NULL);
    check_output(&c, (struct shape){1, {1}}, decibels);
    check_count(&c, 2);
}

/* 10 log10(255^2) = 48.1308036087 dB more. */
static void the_peak_is_an_argument(void **state) {
    (void)state;
    const act decibels[] = {(20 + 3.01029995664) / 2 + 48.1308036087};
    const struct op_case c = two_images("255");
    check_output(&c, (struct shape){1, {1}}, decibels);
}

static void equal_images_have_no_noise(void **state) {
    (void)state;
    struct op_case c = two_images(NULL);
    struct shape y;
    c.x_data[1] = a;
    act *found = forward_of(&c, &y);
    assert_true(isinf(found[0]) && found[0] > 0);
    free(found);
}

static void it_is_a_metric_that_grows(void **state) {
    (void)state;
    assert_null(op_find("psnr")->backward);
    assert_int_equal(op_find("psnr")->meaning.better, 1);
}

static void what_does_not_match_is_refused(void **state) {
    (void)state;
    struct op_case c = two_images("0");
    check_refused(&c, "psnr: max is 0, expected more than 0");
    c = two_images(NULL);
    c.x[1] = (struct shape){4, {2, 2, 2, 3}};
    check_refused(&c,
                  "psnr: the first input is 2x2x2x1 and the second 2x2x2x3, expected images alike");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(the_peak_is_an_argument),
        cmocka_unit_test(equal_images_have_no_noise),
        cmocka_unit_test(it_is_a_metric_that_grows),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
