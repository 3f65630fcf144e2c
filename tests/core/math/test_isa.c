#include "core/math/isa/isa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LEN = 70, MAX_TABLES = 4 };

#ifdef HAVE_ISA_WIDE
extern const struct isa isa_wide; /* avx512 without its instructions */
#endif

/* All tables that can be run here; returns their number. */
static int tables(const struct isa *all[MAX_TABLES]) {
    int n;
    const struct isa *const *table = isa_table(&n);

    for (int i = 0; i < n; i++)
        all[i] = table[i];
#ifdef HAVE_ISA_WIDE
    if (isa_table(&n)[n - 1] != &isa_generic)
        all[n++] = &isa_wide;
#endif
    return n;
}

/* Small whole numbers: every sum is exact, in whatever order. */
static real number(int64_t i) {
    return (real)((i * 37 + i / 7) % 13 - 6);
}

static void fill(real *v, int64_t n, int64_t from) {
    for (int64_t i = 0; i < n; i++)
        v[i] = number(from + i);
}

/* By product(), or by pack() and packed_product(). */
static void check_product(const struct isa *isa, int n_taps, int64_t len, bool init, bool narrow,
                          bool packed) {
    static real image[ISA_MAX_ROWS * 8 + 3 * 200 + MAX_LEN], b[3 * MAX_LEN * ISA_MAX_COLS];
    static real c[ISA_MAX_ROWS][ISA_MAX_COLS], tile[3 * MAX_LEN * ISA_MAX_ROWS + 1];
    const int64_t tap[] = {0, 5, 200}, packed_len = n_taps * len * isa->tile_rows;
    const int cols = narrow ? isa->vec_len : isa->tile_cols;
    int64_t at[ISA_MAX_ROWS], to[ISA_MAX_ROWS];
    real start[ISA_MAX_COLS];

    fill(image, (int64_t)(sizeof image / sizeof *image), 1);
    fill(b, n_taps * len * isa->tile_cols, 2);
    fill(start, ISA_MAX_COLS, 3);
    for (int r = 0; r < isa->tile_rows; r++) {
        at[r] = 7 * r;
        to[r] = (int64_t)(ISA_MAX_COLS * (size_t)r);
        fill(c[r], ISA_MAX_COLS, 4 + r);
    }
    tile[packed_len] = 1000;
    if (packed) {
        isa->pack(n_taps, tap, len, image, at, tile);
        isa->packed_product(n_taps * len, tile, b, init ? start : NULL, narrow, c[0], to);
    } else {
        isa->product(n_taps, tap, len, image, at, b, init ? start : NULL, narrow, c[0], to);
    }
    assert_true(tile[packed_len] == 1000);
    for (int r = 0; r < isa->tile_rows; r++)
        for (int j = 0; j < ISA_MAX_COLS; j++) {
            real sum = init ? start[j] : number(4 + r + j);

            for (int s = 0; s < n_taps; s++)
                for (int64_t k = 0; k < len; k++)
                    sum += image[at[r] + tap[s] + k] * b[(s * len + k) * isa->tile_cols + j];
            assert_true(c[r][j] == (j < cols ? sum : number(4 + r + j)));
        }
}

static void check_outer(const struct isa *isa, int rows, int64_t n, bool narrow) {
    static real image[11 * MAX_LEN + ISA_MAX_ROWS], b[MAX_LEN * ISA_MAX_COLS];
    static real c[ISA_MAX_ROWS * (ISA_MAX_COLS + 3)];
    const int64_t ldc = isa->tile_cols + 3;
    const int cols = narrow ? isa->vec_len : isa->tile_cols;
    int64_t at[MAX_LEN];

    fill(image, (int64_t)(sizeof image / sizeof *image), 1);
    fill(b, n * isa->tile_cols, 2);
    fill(c, isa->outer_rows * ldc, 3);
    for (int64_t p = 0; p < n; p++)
        at[p] = (p * 29) % n * 11;
    isa->outer(rows, n, at, image, b, narrow, c, ldc);
    for (int64_t i = 0; i < isa->outer_rows * ldc; i++) {
        real sum = number(3 + i);

        for (int64_t p = 0; p < n && i / ldc < rows && i % ldc < cols; p++)
            sum += image[at[p] + i / ldc] * b[p * isa->tile_cols + i % ldc];
        assert_true(c[i] == sum);
    }
}

static void products_are_sums(void **state) {
    const int64_t lens[] = {1, 2, 3, 16, 17, MAX_LEN};
    const struct isa *table[MAX_TABLES];
    const int n = tables(table);

    (void)state;
    for (int i = 0; i < n; i++)
        for (int taps = 1; taps <= 3; taps++)
            for (int l = 0; l < 6; l++)
                for (int mode = 0; mode < 8; mode++)
                    check_product(table[i], taps, lens[l], mode & 1, mode & 2, mode & 4);
}

static void outer_products_are_added(void **state) {
    const int64_t lens[] = {1, 2, 7, MAX_LEN};
    const struct isa *table[MAX_TABLES];
    const int n = tables(table);

    (void)state;
    for (int i = 0; i < n; i++)
        for (int rows = 1; rows <= table[i]->outer_rows; rows++)
            for (int l = 0; l < 4; l++)
                for (int narrow = 0; narrow < 2; narrow++)
                    check_outer(table[i], rows, lens[l], narrow);
}

static void columns_become_rows(void **state) {
    const int64_t lens[] = {1, 3, 4, 9, MAX_LEN};
    const struct isa *table[MAX_TABLES];
    const int n = tables(table);
    static real w[(MAX_LEN + 3) * ISA_MAX_COLS], packed[MAX_LEN * ISA_MAX_COLS + 1];

    (void)state;
    fill(w, (int64_t)(sizeof w / sizeof *w), 5);
    for (int i = 0; i < n; i++)
        for (int l = 0; l < 5; l++) {
            const int64_t len = lens[l], step = len + 3, cols = table[i]->tile_cols;

            packed[len * cols] = 1000;
            table[i]->pack_columns(len, w, step, packed);
            assert_true(packed[len * cols] == 1000);
            for (int64_t k = 0; k < len; k++)
                for (int64_t j = 0; j < cols; j++)
                    assert_true(packed[k * cols + j] == w[j * step + k]);
        }
}

static void tables_keep_to_the_limits(void **state) {
    const struct isa *table[MAX_TABLES];
    const int n = tables(table);

    (void)state;
    assert_true(n >= 1);
    assert_string_equal(table[0]->name, "generic");
    for (int i = 0; i < n; i++) {
        assert_true(table[i]->tile_rows <= ISA_MAX_ROWS);
        assert_true(table[i]->outer_rows <= ISA_MAX_ROWS);
        assert_true(table[i]->tile_cols <= (int)ISA_MAX_COLS);
        assert_int_equal(table[i]->tile_cols, 2 * table[i]->vec_len);
    }
}

static void the_environment_chooses(void **state) {
    struct err err = {0};
    const char *wish = getenv("DLTRAIN_ISA");

    (void)state;
    if (wish)
        assert_string_equal(isa_get()->name, wish);
    assert_int_equal(setenv("DLTRAIN_ISA", "generic", 1), 0);
    assert_int_equal(isa_check(&err), 0);
    assert_int_equal(setenv("DLTRAIN_ISA", "sse9", 1), 0);
    assert_int_equal(isa_check(&err), -1);
    assert_non_null(strstr(err.msg, "DLTRAIN_ISA=sse9: expected generic, avx2 or avx512"));
}

int main(void) {
    struct err err = {0};

    if (isa_check(&err)) {
        printf("skipped: %s\n", err.msg);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_sums),       cmocka_unit_test(outer_products_are_added),
        cmocka_unit_test(columns_become_rows),     cmocka_unit_test(tables_keep_to_the_limits),
        cmocka_unit_test(the_environment_chooses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
