/* tile.h - the two innermost loops of convolution: tiles of a matrix product that stay in the
 * vector registers. The left factor is never copied into a matrix: its rows are read from an
 * image at offsets (Dukhan 2019, arXiv:1907.02129), so that a convolution needs no im2col. */
#pragma once
#include "core/base/tensor.h"

/* Vectors as wide as the processor's; a tile is TILE_ROWS x 2 of them. */
#ifdef __AVX512F__
enum { VEC_BYTES = 64, TILE_ROWS = 8 };
#elif defined(__AVX__)
enum { VEC_BYTES = 32, TILE_ROWS = 6 };
#else
enum { VEC_BYTES = 16, TILE_ROWS = 6 };
#endif
enum { VEC_LEN = VEC_BYTES / sizeof(real), TILE_COLS = 2 * VEC_LEN };

/* c[r][j] = init[j] + sum over s < n_taps, k < len of a[r][tap[s] + k] * b[s * len + k][j]
 *   tap   [n_taps] offsets, in elements
 *   a     [TILE_ROWS] rows of the image
 *   b     [n_taps * len, TILE_COLS] weights
 *   init  [TILE_COLS], or NULL to add to what c holds
 *   c     [TILE_ROWS] rows of TILE_COLS, or of TILE_COLS / 2 where `narrow` */
void tile_product(int n_taps, const int64_t *tap, int64_t len, const real *const a[TILE_ROWS],
                  const real *b, const real *init, bool narrow, real *const c[TILE_ROWS]);

/* c[r][j] += sum over p < n of a[at[p] + r] * b[p][j] for r < rows
 *   rows  1 .. TILE_ROWS
 *   at    [n] offsets, in elements
 *   b     [n, TILE_COLS]
 *   c     [rows, TILE_COLS] with row stride ldc, or of TILE_COLS / 2 where `narrow` */
void tile_outer(int rows, int64_t n, const int64_t *at, const real *a, const real *b, bool narrow,
                real *c, int64_t ldc);
