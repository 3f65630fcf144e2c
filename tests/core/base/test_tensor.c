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

static void shapes_that_no_memory_holds_do_not_fit(void **state) {
    static const struct {
        struct shape shape;
        bool fits;
    } cases[] = {
        {{1, {1}}, true},
        {{3, {0, INT32_MAX, INT32_MAX}}, false}, /* with a sample it would be too large */
        {{2, {0, INT32_MAX}}, true},
        {{1, {INT32_MAX}}, true},
        {{1, {(int64_t)INT32_MAX + 1}}, false},
        {{2, {4, -1}}, false},
        {{3, {1 << 16, 1 << 15, 1 << 15}}, true}, /* 2^46 */
        {{3, {1 << 16, 1 << 15, (1 << 15) + 1}}, false},
        {{4, {8, INT32_MAX, INT32_MAX, 3}}, false}, /* beyond 2^64: not what is left of it */
        {{5, {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (shape_fits(&cases[i].shape) != cases[i].fits)
            fail_msg("case %zu", i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_products_of_dimensions),
        cmocka_unit_test(lengths_go_beyond_32_bits),
        cmocka_unit_test(shapes_are_equal_in_rank_and_dimensions),
        cmocka_unit_test(shapes_are_written_with_crosses),
        cmocka_unit_test(shapes_that_no_memory_holds_do_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
