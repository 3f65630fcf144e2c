/* tile_kernels.h - struct isa's product(), outer() and what packs for them, over TILE_ROWS x 2 and
 * OUTER_ROWS x 2 vectors. */
#pragma once
#include "core/math/isa/vec.h"

/* n_vec and from_init are constants where this is inlined, so that acc lives in registers. */
INLINE void start_tile(int n_vec, bool from_init, const real *init, const real *c,
                       const int64_t *to, vec acc[TILE_ROWS][2]) {
    for (int r = 0; r < TILE_ROWS; r++)
        for (int v = 0; v < n_vec; v++)
            acc[r][v] = load((from_init ? init : c + to[r]) + v * VEC_LEN);
}

INLINE void store_tile(int n_vec, vec acc[TILE_ROWS][2], real *c, const int64_t *to) {
    for (int r = 0; r < TILE_ROWS; r++)
        for (int v = 0; v < n_vec; v++)
            store(c + to[r] + v * VEC_LEN, acc[r][v]);
}

INLINE void load_row(int n_vec, const real *b, vec w[2]) {
    for (int v = 0; v < n_vec; v++) {
        w[v] = load(b + v * VEC_LEN);
        KEEP(w[v]);
    }
}

INLINE void product_of(int n_vec, bool from_init, int n_taps, const int64_t *tap, int64_t len,
                       const real *a, const int64_t *at, const real *b, const real *init, real *c,
                       const int64_t *to) {
    vec acc[TILE_ROWS][2];

    start_tile(n_vec, from_init, init, c, to, acc);
    for (int s = 0; s < n_taps; s++) {
        const real *row[TILE_ROWS];

        for (int r = 0; r < TILE_ROWS; r++)
            row[r] = a + at[r] + tap[s];
        UNROLL
        for (int64_t k = 0; k < len; k++, b += TILE_COLS) {
            vec w[2];

            load_row(n_vec, b, w);
            for (int r = 0; r < TILE_ROWS; r++)
                for (int v = 0; v < n_vec; v++)
                    acc[r][v] += row[r][k] * w[v];
        }
    }
    store_tile(n_vec, acc, c, to);
}

static void product(int n_taps, const int64_t *tap, int64_t len, const real *a, const int64_t *at,
                    const real *b, const real *init, bool narrow, real *c, const int64_t *to) {
    if (narrow && init)
        product_of(1, true, n_taps, tap, len, a, at, b, init, c, to);
    else if (narrow)
        product_of(1, false, n_taps, tap, len, a, at, b, init, c, to);
    else if (init)
        product_of(2, true, n_taps, tap, len, a, at, b, init, c, to);
    else
        product_of(2, false, n_taps, tap, len, a, at, b, init, c, to);
}

typedef real quad __attribute__((vector_size(4 * sizeof(real))));
typedef real quad_in_array
    __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef real pair_in_array
    __attribute__((vector_size(2 * sizeof(real)), aligned(sizeof(real)), may_alias));

/* Four numbers of four rows, `step` apart in out. */
INLINE void interleave_quads(const real *const *row, int64_t k, int64_t step, real *out) {
    quad q[4], t[4];

    for (int r = 0; r < 4; r++)
        q[r] = *(const quad_in_array *)(row[r] + k);
    for (int r = 0; r < 4; r += 2) {
        t[r] = __builtin_shufflevector(q[r], q[r + 1], 0, 4, 1, 5);
        t[r + 1] = __builtin_shufflevector(q[r], q[r + 1], 2, 6, 3, 7);
    }
    for (int i = 0; i < 2; i++, out += 2 * step) {
        *(quad_in_array *)out = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 4, 5);
        *(quad_in_array *)(out + step) = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 6, 7);
    }
}

/* The same of two rows. */
INLINE void interleave_pairs(const real *const *row, int64_t k, int64_t step, real *out) {
    const quad a = *(const quad_in_array *)(row[0] + k), b = *(const quad_in_array *)(row[1] + k);
    const quad low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const quad high = __builtin_shufflevector(a, b, 2, 6, 3, 7);

    *(pair_in_array *)out = __builtin_shufflevector(low, low, 0, 1);
    *(pair_in_array *)(out + step) = __builtin_shufflevector(low, low, 2, 3);
    *(pair_in_array *)(out + 2 * step) = __builtin_shufflevector(high, high, 0, 1);
    *(pair_in_array *)(out + 3 * step) = __builtin_shufflevector(high, high, 2, 3);
}

/* out[k][r] = row[r][k]; n is a constant where this is inlined, and even. */
INLINE void interleave(int n, const real *const *row, int64_t len, real *out) {
    int64_t k = 0;

    for (; k + 4 <= len; k += 4, out += 4 * n) {
        for (int r = 0; r + 4 <= n; r += 4)
            interleave_quads(row + r, k, n, out + r);
        if (n % 4)
            interleave_pairs(row + n - 2, k, n, out + n - 2);
    }
    for (; k < len; k++, out += n)
        for (int r = 0; r < n; r++)
            out[r] = row[r][k];
}

static void pack(int n_taps, const int64_t *tap, int64_t len, const real *a, const int64_t *at,
                 real *out) {
    for (int s = 0; s < n_taps; s++, out += len * TILE_ROWS) {
        const real *row[TILE_ROWS];

        for (int r = 0; r < TILE_ROWS; r++)
            row[r] = a + at[r] + tap[s];
        interleave(TILE_ROWS, row, len, out);
    }
}

static void pack_columns(int64_t len, const real *w, int64_t step, real *out) {
    const real *column[TILE_COLS];

    for (int j = 0; j < TILE_COLS; j++)
        column[j] = w + j * step;
    interleave(TILE_COLS, column, len, out);
}

INLINE void packed_of(int n_vec, bool from_init, int64_t len, const real *a, const real *b,
                      const real *init, real *c, const int64_t *to) {
    vec acc[TILE_ROWS][2];

    start_tile(n_vec, from_init, init, c, to, acc);
    UNROLL
    for (int64_t k = 0; k < len; k++, a += TILE_ROWS, b += TILE_COLS) {
        vec w[2];

        load_row(n_vec, b, w);
        for (int r = 0; r < TILE_ROWS; r++)
            for (int v = 0; v < n_vec; v++)
                acc[r][v] += a[r] * w[v];
    }
    store_tile(n_vec, acc, c, to);
}

static void packed_product(int64_t len, const real *a, const real *b, const real *init, bool narrow,
                           real *c, const int64_t *to) {
    if (narrow && init)
        packed_of(1, true, len, a, b, init, c, to);
    else if (narrow)
        packed_of(1, false, len, a, b, init, c, to);
    else if (init)
        packed_of(2, true, len, a, b, init, c, to);
    else
        packed_of(2, false, len, a, b, init, c, to);
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
