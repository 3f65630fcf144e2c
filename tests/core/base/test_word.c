#include "core/base/word.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void check_text(enum arg_kind kind, double v, const char *expected) {
    char text[ARG_TEXT];

    assert_string_equal(arg_text(kind, v, text), expected);
}

static void numbers_are_written_as_a_user_would(void **state) {
    (void)state;
    check_text(ARG_REAL, 0.1, "0.1");
    check_text(ARG_REAL, 0.1 + 0.2, "0.3");
    check_text(ARG_REAL, 1e-8, "1e-08");
    check_text(ARG_INT, 2147483647, "2147483647");
    check_text(ARG_REAL, 0.99999999999, "0.99999999999"); /* not 1 */
    check_text(ARG_REAL, INFINITY, "inf");
    check_text(ARG_BYTES, 512 * 1024, "512KiB");
    check_text(ARG_BYTES, 1000, "1000");
}

static void check_range(double min, double max, const char *expected) {
    char text[RANGE_TEXT];

    assert_string_equal(range_text(ARG_REAL, min, max, text), expected);
}

static void bounds_that_are_left_out_are_said_so(void **state) {
    (void)state;
    check_range(0, 1, "0 to 1");
    check_range(0, -1, "at least 0");
    check_range(1, INFINITY, "at least 1");
    check_range(0, ARG_BELOW_1, "at least 0 and below 1");
    check_range(ARG_ABOVE_0, INFINITY, "above 0");
    check_range(ARG_ABOVE_0, 5, "above 0 and at most 5");
    check_range(ARG_ABOVE_0, ARG_BELOW_1, "above 0 and below 1");
    assert_true(ARG_ABOVE_0 > 0 && ARG_BELOW_1 < 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_as_a_user_would),
        cmocka_unit_test(bounds_that_are_left_out_are_said_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
