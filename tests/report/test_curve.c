/* Curves, by the letters that draw them. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "report/curve.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void expect(const struct curve *c, int columns, int rows, bool utf8, const char *expected) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    curve_print(out, c, columns, rows, utf8);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void a_fall_is_drawn_between_the_largest_and_the_least(void **state) {
    static const double x[] = {0, 1, 2, 3}, y[] = {4, 3, 2, 1};
    const struct curve c = {x, y, 4, 0, 4};

    (void)state;
    expect(&c, CURVE_LABEL + 4, 2, false,
           "       4 |'.  \n"
           "       1 |  '.\n");
    expect(&c, CURVE_LABEL + 2, 1, true, "       4 │⠑⢄\n");
}

/* Values far apart are joined; there is nothing before the first. */
static void gaps_are_joined(void **state) {
    static const double x[] = {2, 5}, y[] = {1, 2};
    const struct curve c = {x, y, 2, 0, 6};

    (void)state;
    expect(&c, CURVE_LABEL + 6, 2, false,
           "       2 |    .'\n"
           "       1 |  .'  \n");
}

static void what_cannot_be_drawn_is_left_out(void **state) {
    static const double x[] = {0, 1, 2}, y[] = {NAN, 5, INFINITY};
    const struct curve one = {x, y, 3, 0, 2}, none = {x, y, 1, 0, 2}, empty = {0};

    (void)state;
    expect(&one, CURVE_LABEL + 2, 1, false, "       5 | .\n");
    expect(&none, CURVE_LABEL + 2, 1, false, "");
    expect(&empty, CURVE_LABEL + 2, 1, true, "");
    expect(&one, CURVE_LABEL, 3, true, ""); /* no column is left */
    expect(&one, 1, 3, true, "");
}

/* Of many values at one place the mean; x may be outside of what is shown. */
static void many_values_are_one_dot(void **state) {
    double x[3000], y[3000];
    const struct curve c = {x, y, 3000, 0, 2};

    (void)state;
    for (int i = 0; i < 3000; i++) {
        x[i] = i / 1000;
        y[i] = i < 1000 ? i % 2 : i < 2000 ? 1 : 2;
    }
    expect(&c, CURVE_LABEL + 2, 1, false, "     1.5 |.'\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fall_is_drawn_between_the_largest_and_the_least),
        cmocka_unit_test(gaps_are_joined),
        cmocka_unit_test(what_cannot_be_drawn_is_left_out),
        cmocka_unit_test(many_values_are_one_dot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
