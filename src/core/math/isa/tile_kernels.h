/* tile_kernels.h - struct isa's product() and outer(), over TILE_ROWS x 2 and OUTER_ROWS x 2
 * vectors. */
#pragma once
#include "core/math/isa/vec.h"

/* n_vec and from_init are constants where this is inlined, so that acc lives in registers. */
INLINE void product_of(int n_vec, bool from_init, int n_taps, const int64_t *tap, int64_t len,
                       const real *const *a, const real *b, const real *init, real *const *c) {
    vec acc[TILE_ROWS][2];

    for (int r = 0; r < TILE_ROWS; r++)
        for (int v = 0; v < n_vec; v++)
            acc[r][v] = load((from_init ? init : c[r]) + v * VEC_LEN);
    for (int s = 0; s < n_taps; s++) {
        const real *row[TILE_ROWS];

        for (int r = 0; r < TILE_ROWS; r++)
            row[r] = a[r] + tap[s];
        UNROLL
        for (int64_t k = 0; k < len; k++, b += TILE_COLS) {
            vec w[2];
            for (int v = 0; v < n_vec; v++) {
                w[v] = load(b + v * VEC_LEN);
                KEEP(w[v]);
            }
            for (int r = 0; r < TILE_ROWS; r++)
                for (int v = 0; v < n_vec; v++)
                    acc[r][v] += row[r][k] * w[v];
        }
    }
    for (int r = 0; r < TILE_ROWS; r++)
        for (int v = 0; v < n_vec; v++)
            store(c[r] + v * VEC_LEN, acc[r][v]);
}

static void product(int n_taps, const int64_t *tap, int64_t len, const real *const *a,
                    const real *b, const real *init, bool narrow, real *const *c) {
    if (narrow && init)
        product_of(1, true, n_taps, tap, len, a, b, init, c);
    else if (narrow)
        product_of(1, false, n_taps, tap, len, a, b, init, c);
    else if (init)
        product_of(2, true, n_taps, tap, len, a, b, init, c);
    else
        product_of(2, false, n_taps, tap, len, a, b, init, c);
}

INLINE void outer_of(int rows, int n_vec, int64_t n, const int64_t *at, const real *a,
                     const real *b, real *c, int64_t ldc) {
    vec acc[OUTER_ROWS][2];

    for (int r = 0; r < rows; r++)
        for (int v = 0; v < n_vec; v++)
            acc[r][v] = (vec){0};
    UNROLL
    for (int64_t p = 0; p < n; p++, b += TILE_COLS) {
        const real *row = a + at[p];

        vec d[2];

        for (int v = 0; v < n_vec; v++) {
            d[v] = load(b + v * VEC_LEN);
            KEEP(d[v]);
        }
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < n_vec; v++)
                acc[r][v] += row[r] * d[v];
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < n_vec; v++)
            store(c + r * ldc + v * VEC_LEN, load(c + r * ldc + v * VEC_LEN) + acc[r][v]);
}

static void outer(int rows, int64_t n, const int64_t *at, const real *a, const real *b, bool narrow,
                  real *c, int64_t ldc) {
#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        if (narrow)                                                                                \
            outer_of(rows, 1, n, at, a, b, c, ldc);                                                \
        else                                                                                       \
            outer_of(rows, 2, n, at, a, b, c, ldc);                                                \
        return;
    switch (rows) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
#if OUTER_ROWS > 6
        CASE(7)
        CASE(8)
#endif
    }
#undef CASE
}
