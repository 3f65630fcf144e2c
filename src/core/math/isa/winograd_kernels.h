/* winograd_kernels.h - struct isa's winograd: the transforms of F(4x4, 3x3) and the matrix products
 * between them (Lavin & Gray 2015, arXiv:1509.09308), over channels in vectors. The points are
 * 0, +-5/8, +-3/2 and infinity: half the rounding error of 0, +-1, +-2, at the same cost, because
 * all products of them are exact and multiply-adds fused. */
#pragma once
#include "core/math/isa/vec.h"

#define WINOGRAD_A 0.625
#define WINOGRAD_B 1.5
#define WINOGRAD_A2 (WINOGRAD_A * WINOGRAD_A)
#define WINOGRAD_B2 (WINOGRAD_B * WINOGRAD_B)

/* One over the product of the differences to the other points. */
#define WINOGRAD_N0 (1 / (WINOGRAD_A2 * WINOGRAD_B2))
#define WINOGRAD_NA (1 / (2 * WINOGRAD_A2 * (WINOGRAD_A2 - WINOGRAD_B2)))
#define WINOGRAD_NB (1 / (2 * WINOGRAD_B2 * (WINOGRAD_B2 - WINOGRAD_A2)))

/* Six numbers, `step` apart: B^T of them. */
INLINE void winograd_input_1d(const vec *d, vec *o, int step) {
    const real a = (real)WINOGRAD_A, a2 = (real)WINOGRAD_A2;
    const real b = (real)WINOGRAD_B, b2 = (real)WINOGRAD_B2;
    const vec even_a = d[4] - b2 * d[2], odd_a = a * (d[3] - b2 * d[1]);
    const vec even_b = d[4] - a2 * d[2], odd_b = b * (d[3] - a2 * d[1]);

    o[0] = (a2 * b2) * d[0] + (d[4] - (a2 + b2) * d[2]);
    o[step] = even_a + odd_a;
    o[2 * step] = even_a - odd_a;
    o[3 * step] = even_b + odd_b;
    o[4 * step] = even_b - odd_b;
    o[5 * step] = (a2 * b2) * d[1] + (d[5] - (a2 + b2) * d[3]);
}

static void winograd_input(int64_t c, const real *const *x, real *v, int64_t step) {
    for (int64_t i = 0; i < c; i += VEC_LEN) {
        vec t[36];

        for (int q = 0; q < 6; q++) {
            vec d[6];

            for (int r = 0; r < 6; r++)
                d[r] = load(x[r * 6 + q] + i);
            winograd_input_1d(d, t + q, 6);
        }
        for (int r = 0; r < 6; r++) {
            vec o[6];

            winograd_input_1d(t + 6 * r, o, 1);
            for (int q = 0; q < 6; q++)
                store(v + (6 * r + q) * step + i, o[q]);
        }
    }
}

/* A^T of six numbers. */
INLINE void winograd_output_1d(const vec *m, vec *o, int step) {
    const real a = (real)WINOGRAD_A, a2 = (real)WINOGRAD_A2;
    const real b = (real)WINOGRAD_B, b2 = (real)WINOGRAD_B2;
    const vec sum_a = m[1] + m[2], dif_a = a * (m[1] - m[2]);
    const vec sum_b = m[3] + m[4], dif_b = b * (m[3] - m[4]);

    o[0] = m[0] + sum_a + sum_b;
    o[step] = dif_a + dif_b;
    o[2 * step] = a2 * sum_a + b2 * sum_b;
    o[3 * step] = a2 * dif_a + (b2 * dif_b + m[5]);
}

INLINE void winograd_output_of(bool add, int64_t k, const real *m, int64_t step, const real *bias,
                               real *const *y) {
    for (int64_t i = 0; i < k; i += VEC_LEN) {
        vec t[24];
        const vec init = bias ? load(bias + i) : (vec){0};

        for (int q = 0; q < 6; q++) {
            vec d[6];

            for (int r = 0; r < 6; r++)
                d[r] = load(m + (r * 6 + q) * step + i);
            winograd_output_1d(d, t + q, 6);
        }
        for (int r = 0; r < 4; r++) {
            vec o[4];

            winograd_output_1d(t + 6 * r, o, 1);
            for (int q = 0; q < 4; q++) {
                real *to = y[4 * r + q] + i;

                store(to, add ? load(to) + o[q] : o[q] + init);
            }
        }
    }
}

static void winograd_output(int64_t k, const real *m, int64_t step, const real *bias, bool add,
                            real *const *y) {
    if (add)
        winograd_output_of(true, k, m, step, NULL, y);
    else
        winograd_output_of(false, k, m, step, bias, y);
}

/* A of four numbers. */
INLINE void winograd_gradient_1d(const vec *d, vec *o, int step) {
    const real a = (real)WINOGRAD_A, a2 = (real)WINOGRAD_A2;
    const real b = (real)WINOGRAD_B, b2 = (real)WINOGRAD_B2;
    const vec even_a = d[0] + a2 * d[2], odd_a = a * (d[1] + a2 * d[3]);
    const vec even_b = d[0] + b2 * d[2], odd_b = b * (d[1] + b2 * d[3]);

    o[0] = d[0];
    o[step] = even_a + odd_a;
    o[2 * step] = even_a - odd_a;
    o[3 * step] = even_b + odd_b;
    o[4 * step] = even_b - odd_b;
    o[5 * step] = d[3];
}

static void winograd_gradient(int64_t k, const real *const *dy, real *v, int64_t step) {
    for (int64_t i = 0; i < k; i += VEC_LEN) {
        vec t[24];

        for (int q = 0; q < 4; q++) {
            vec d[4];

            for (int r = 0; r < 4; r++)
                d[r] = load(dy[r * 4 + q] + i);
            winograd_gradient_1d(d, t + q, 4);
        }
        for (int r = 0; r < 6; r++) {
            vec o[6];

            winograd_gradient_1d(t + 4 * r, o, 1);
            for (int q = 0; q < 6; q++)
                store(v + (6 * r + q) * step + i, o[q]);
        }
    }
}

/* G of three numbers. */
INLINE void winograd_filter_1d(const vec *g, vec *o, int step) {
    const real n0 = (real)WINOGRAD_N0, na = (real)WINOGRAD_NA, nb = (real)WINOGRAD_NB;
    const real na1 = (real)(WINOGRAD_A * WINOGRAD_NA), na2 = (real)(WINOGRAD_A2 * WINOGRAD_NA);
    const real nb1 = (real)(WINOGRAD_B * WINOGRAD_NB), nb2 = (real)(WINOGRAD_B2 * WINOGRAD_NB);
    const vec even_a = na * g[0] + na2 * g[2], odd_a = na1 * g[1];
    const vec even_b = nb * g[0] + nb2 * g[2], odd_b = nb1 * g[1];

    o[0] = n0 * g[0];
    o[step] = even_a + odd_a;
    o[2 * step] = even_a - odd_a;
    o[3 * step] = even_b + odd_b;
    o[4 * step] = even_b - odd_b;
    o[5 * step] = g[2];
}

static void winograd_filter(int64_t rows, const real *g, int64_t tap, int64_t ldg, real *u,
                            int64_t step) {
    for (int64_t i = 0; i < rows; i++, g += ldg, u += TILE_COLS) {
        for (int q = 0; q < 9; q++)
            __builtin_prefetch(g + q * tap + 2 * ldg); /* rows lie far apart */
        for (int j = 0; j < TILE_COLS; j += VEC_LEN) {
            vec t[18];

            for (int q = 0; q < 3; q++) {
                vec d[3];

                for (int r = 0; r < 3; r++)
                    d[r] = load(g + (r * 3 + q) * tap + j);
                winograd_filter_1d(d, t + q, 3);
            }
            for (int r = 0; r < 6; r++) {
                vec o[6];

                winograd_filter_1d(t + 3 * r, o, 1);
                for (int q = 0; q < 6; q++)
                    store(u + (6 * r + q) * step + j, o[q]);
            }
        }
    }
}

/* G^T of six numbers. */
INLINE void winograd_filter_back_1d(const vec *s, vec *o, int step) {
    const real n0 = (real)WINOGRAD_N0, na = (real)WINOGRAD_NA, nb = (real)WINOGRAD_NB;
    const real na1 = (real)(WINOGRAD_A * WINOGRAD_NA), na2 = (real)(WINOGRAD_A2 * WINOGRAD_NA);
    const real nb1 = (real)(WINOGRAD_B * WINOGRAD_NB), nb2 = (real)(WINOGRAD_B2 * WINOGRAD_NB);
    const vec sum_a = s[1] + s[2], dif_a = s[1] - s[2];
    const vec sum_b = s[3] + s[4], dif_b = s[3] - s[4];

    o[0] = n0 * s[0] + (na * sum_a + nb * sum_b);
    o[step] = na1 * dif_a + nb1 * dif_b;
    o[2 * step] = na2 * sum_a + (nb2 * sum_b + s[5]);
}

static void winograd_filter_back(int64_t rows, const real *s, int64_t step, real *dg, int64_t tap,
                                 int64_t ldg) {
    for (int64_t i = 0; i < rows; i++, dg += ldg, s += TILE_COLS) {
        for (int q = 0; q < 9; q++)
            __builtin_prefetch(dg + q * tap + 2 * ldg, 1);
        for (int j = 0; j < TILE_COLS; j += VEC_LEN) {
            vec t[18];

            for (int q = 0; q < 6; q++) {
                vec d[6];

                for (int r = 0; r < 6; r++)
                    d[r] = load(s + (r * 6 + q) * step + j);
                winograd_filter_back_1d(d, t + q, 6);
            }
            for (int r = 0; r < 3; r++) {
                vec o[3];

                winograd_filter_back_1d(t + 6 * r, o, 1);
                for (int q = 0; q < 3; q++) {
                    real *to = dg + (3 * r + q) * tap + j;

                    store(to, load(to) + o[q]);
                }
            }
        }
    }
}

/* rows and n_vec are constants where this is inlined, so that acc lives in registers. */
INLINE void winograd_product_of(int rows, int n_vec, int64_t depth, const real *a, int64_t lda,
                                const real *b, bool add, real *c) {
    vec acc[TILE_ROWS][2];

    for (int r = 0; r < rows; r++)
        for (int v = 0; v < n_vec; v++)
            acc[r][v] = (vec){0};
    UNROLL
    for (int64_t k = 0; k < depth; k++, b += TILE_COLS) {
        vec w[2];

        for (int v = 0; v < n_vec; v++) {
            w[v] = load(b + v * VEC_LEN);
            KEEP(w[v]);
        }
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < n_vec; v++)
                acc[r][v] += a[r * lda + k] * w[v];
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < n_vec; v++) {
            real *to = c + r * TILE_COLS + v * VEC_LEN;

            store(to, add ? load(to) + acc[r][v] : acc[r][v]);
        }
}

#define WINOGRAD_CASE(rows)                                                                        \
    case rows:                                                                                     \
        if (narrow)                                                                                \
            winograd_product_of(rows, 1, depth, a, lda, b, add, c);                                \
        else                                                                                       \
            winograd_product_of(rows, 2, depth, a, lda, b, add, c);                                \
        break;

/* Tiles of nearly equal height: one of few rows would wait for its own sums. */
static void winograd_product(int64_t rows, int64_t depth, const real *a, int64_t lda, const real *b,
                             bool narrow, bool add, real *c) {
    const int64_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;

    for (int64_t i = tiles; i > 0; i--) {
        const int height = (int)(rows / tiles) + (i <= rows % tiles);

        switch (height) {
            WINOGRAD_CASE(1)
            WINOGRAD_CASE(2)
            WINOGRAD_CASE(3)
            WINOGRAD_CASE(4)
            WINOGRAD_CASE(5)
            WINOGRAD_CASE(6)
#if TILE_ROWS > 6
            WINOGRAD_CASE(7)
            WINOGRAD_CASE(8)
            WINOGRAD_CASE(9)
            WINOGRAD_CASE(10)
            WINOGRAD_CASE(11)
            WINOGRAD_CASE(12)
            WINOGRAD_CASE(13)
            WINOGRAD_CASE(14)
#endif
        }
        a += height * lda;
        c += height * TILE_COLS;
    }
}
#undef WINOGRAD_CASE

INLINE void winograd_outer_of(int rows, int n_vec, int64_t n, const real *a, int64_t lda,
                              const real *b, real *c) {
    vec acc[OUTER_ROWS][2];

    for (int r = 0; r < rows; r++)
        for (int v = 0; v < n_vec; v++)
            acc[r][v] = (vec){0};
    UNROLL
    for (int64_t p = 0; p < n; p++, a += lda, b += TILE_COLS) {
        vec d[2];

        for (int v = 0; v < n_vec; v++) {
            d[v] = load(b + v * VEC_LEN);
            KEEP(d[v]);
        }
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < n_vec; v++)
                acc[r][v] += a[r] * d[v];
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < n_vec; v++)
            store(c + r * TILE_COLS + v * VEC_LEN, acc[r][v]);
}

#define WINOGRAD_CASE(rows)                                                                        \
    case rows:                                                                                     \
        if (narrow)                                                                                \
            winograd_outer_of(rows, 1, n, a, lda, b, c);                                           \
        else                                                                                       \
            winograd_outer_of(rows, 2, n, a, lda, b, c);                                           \
        break;

static void winograd_outer(int64_t rows, int64_t n, const real *a, int64_t lda, const real *b,
                           bool narrow, real *c) {
    const int64_t tiles = (rows + OUTER_ROWS - 1) / OUTER_ROWS;

    for (int64_t i = tiles; i > 0; i--) {
        const int height = (int)(rows / tiles) + (i <= rows % tiles);

        switch (height) {
            WINOGRAD_CASE(1)
            WINOGRAD_CASE(2)
            WINOGRAD_CASE(3)
            WINOGRAD_CASE(4)
            WINOGRAD_CASE(5)
            WINOGRAD_CASE(6)
#if OUTER_ROWS > 6
            WINOGRAD_CASE(7)
            WINOGRAD_CASE(8)
#endif
        }
        a += height;
        c += height * TILE_COLS;
    }
}
#undef WINOGRAD_CASE

#define WINOGRAD_KERNELS                                                                           \
    {                                                                                              \
        .input = winograd_input, .output = winograd_output, .gradient = winograd_gradient,         \
        .filter = winograd_filter, .filter_back = winograd_filter_back,                            \
        .product = winograd_product, .outer = winograd_outer,                                      \
    }
