#include "core/base/tensor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct shape images = {4, {16, 32, 24, 3}}, scalar = {1, {1}}, none = {0};

static void lengths_are_products_of_dimensions(void **state) {
    (void)state;
    assert_int_equal(shape_len(&images), 36864);
    assert_int_equal(shape_sample_len(&images), 2304);
    assert_int_equal(shape_channels(&images), 3);
    assert_int_equal(shape_len(&scalar), 1);
    assert_int_equal(shape_len(&none), 0);
    assert_int_equal(shape_channels(&none), 0);
}

static void lengths_go_beyond_32_bits(void **state) {
    const struct shape large = {3, {1 << 20, 1 << 20, 4}};

    (void)state;
    assert_true(shape_len(&large) == (int64_t)1 << 42);
}

static void shapes_are_equal_in_rank_and_dimensions(void **state) {
    const struct shape row = {2, {1, 4}}, column = {2, {4, 1}}, line = {1, {1}};

    (void)state;
    assert_true(shape_equal(&images, &images));
    assert_false(shape_equal(&row, &column));
    assert_false(shape_equal(&row, &line));
}

static void shapes_are_written_with_crosses(void **state) {
    const struct shape longest = {5, {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
    char text[SHAPE_TEXT];

    (void)state;
    assert_string_equal(shape_text(&images, text), "16x32x24x3");
    assert_string_equal(shape_text(&scalar, text), "1");
    assert_string_equal(shape_text(&none, text), "");
    assert_int_equal(strlen(shape_text(&longest, text)), SHAPE_TEXT - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_products_of_dimensions),
        cmocka_unit_test(lengths_go_beyond_32_bits),
        cmocka_unit_test(shapes_are_equal_in_rank_and_dimensions),
        cmocka_unit_test(shapes_are_written_with_crosses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
