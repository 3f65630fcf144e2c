/* Tables as they are read: names of any alphabet, counts and shares. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "report/columns.h"
#include "report/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *name_of(const void *context, int64_t i) {
    return ((const char *const *)context)[i];
}

static void expect(int64_t rows, int64_t columns, const real *values, double terms,
                   const char *const *names, const char *expected) {
    const struct table_labels labels = {names ? name_of : NULL, names, names ? rows : 0};
    struct tensor t = {.shape = {3, {1, rows, columns}}};
    real copy[31];
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    memcpy(copy, values, (size_t)(rows * columns) * sizeof *copy);
    t.reals = copy;
    table_print(out, "c", &t, terms, &labels);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void a_number_for_each_class_is_a_line(void **state) {
    static const char *const names[] = {"cat", "elephant"};
    static const real v[] = {0.5, 1};

    (void)state;
    expect(2, 1, v, 0, names, "c\n  cat       0.5000\n  elephant  1.0000\n");
    expect(2, 1, v, 0, NULL, "c\n  0  0.5000\n  1  1.0000\n");
}

/* As a scatter chart, or the confusion of a thousand classes. */
static void a_matrix_too_wide_to_read_is_named(void **state) {
    static const real v[31] = {0};

    (void)state;
    expect(1, 31, v, 0, NULL, "c: 1 rows of 31 columns, too wide for a terminal\n");
}

/* 6 labels of class 0, 2 of class 1, none of class 2. */
static void counts_and_shares_of_rows_are_told(void **state) {
    static const char *const names[] = {"cat", "dog", "eel"};
    static const real v[] = {0.5, 0.25, 0, 0, 0.25, 0, 0, 0, 0};

    (void)state;
    expect(3, 3, v, 8, names,
           "c, how often (rows: the label; columns: what it was taken for)\n"
           "       cat  dog  eel\n"
           "  cat    4    2    0\n"
           "  dog    0    2    0\n"
           "  eel    0    0    0\n"
           "c, share of the row\n"
           "          cat     dog     eel\n"
           "  cat  0.6667  0.3333  0.0000\n"
           "  dog  0.0000  1.0000  0.0000\n"
           "  eel       -       -       -\n");
}

static void names_line_up_by_columns_not_by_bytes(void **state) {
    static const char *const names[] = {"\xc3\xa4pfel", "\xe7\x8c\xab"}; /* apples; a wide cat */
    static const real v[] = {0.5, 1};

    (void)state;
    expect(2, 1, v, 0, names, "c\n  \xc3\xa4pfel  0.5000\n  \xe7\x8c\xab     1.0000\n");
    assert_int_equal(columns_of("\xc3\xa4pfel"), 5);
    assert_int_equal(columns_of("\xe7\x8c\xab"), 2);
    assert_int_equal(columns_of("\xff!"), 2);
    assert_int_equal(columns_cut("\xe7\x8c\xab", 1), 0);
    assert_int_equal(columns_cut("a\xc3\xa4pfel", 2), 3);
}

static void long_names_are_cut(void **state) {
    static const char *const names[] = {"leatherback sea turtle", "b"};
    static const real v[] = {0.5, 1};

    (void)state;
    expect(2, 1, v, 0, names, "c\n  leatherback s...  0.5000\n  b                 1.0000\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_for_each_class_is_a_line),
        cmocka_unit_test(counts_and_shares_of_rows_are_told),
        cmocka_unit_test(a_matrix_too_wide_to_read_is_named),
        cmocka_unit_test(names_line_up_by_columns_not_by_bytes),
        cmocka_unit_test(long_names_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
