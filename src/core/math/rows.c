#include "core/math/rows.h"

#include "core/math/isa/isa.h"

#include <string.h>

/* The weights that all tiles of rows meet, MAX_DEPTH x MAX_COLS, stay in the second-level cache; a
 * tile and a panel of them, MAX_DEPTH x tile_cols, in the first. */
enum { MAX_DEPTH = 128, MAX_COLS = 512 / sizeof(real), QUAD = 4 };

/* A block of the product: these terms of these columns, of all rows. */
struct row_block {
    const struct isa *isa;
    int64_t cols, depth;
    const real *init; /* of each column, or NULL to add to what c holds */
    real packed[MAX_DEPTH * MAX_COLS];
};

static int64_t min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Weights in the order in which tiles read them: panel after panel, zeros beyond the last column.
 * All tables' tile_cols are multiples of QUAD. */
static void pack_weights(struct row_block *block, const real *b, int64_t ldb) {
    const int64_t width = block->isa->tile_cols;

    for (int64_t p = 0; p < block->depth; p++, b += ldb)
        for (int64_t j = 0; j < block->cols; j += width) {
            real *row = block->packed + j * block->depth + p * width;
            const int64_t cols = min(block->cols - j, width);

            for (int64_t i = 0; cols == width && i < width; i += QUAD)
                memcpy(row + i, b + j + i, QUAD * sizeof *row);
            if (cols < width) {
                memcpy(row, b + j, (size_t)cols * sizeof *row);
                memset(row + cols, 0, (size_t)(width - cols) * sizeof *row);
            }
        }
}

/* Columns from j of a tile of rows, of which n are wanted; what is beyond them is computed aside
 * and dropped. */
static void panel(const struct row_block *block, int64_t n, int64_t j, const real *tile, act *c,
                  int64_t ldc) {
    const struct isa *isa = block->isa;
    const int64_t cols = min(block->cols - j, isa->tile_cols);
    const size_t bytes = (size_t)cols * sizeof(real);
    const bool narrow = cols <= isa->vec_len;
    const bool whole = n == isa->tile_rows && (cols == isa->vec_len || cols == isa->tile_cols);
    const real *b = block->packed + j * block->depth;
    real aside[ISA_MAX_ROWS * ISA_MAX_COLS], init[ISA_MAX_COLS] = {0};
    int64_t to[ISA_MAX_ROWS];

    for (int r = 0; r < isa->tile_rows; r++)
        to[r] = r * (whole ? ldc : ISA_MAX_COLS);
    if (block->init)
        memcpy(init, block->init + j, bytes);
    if (whole) {
        isa->packed_product(block->depth, tile, b, block->init ? init : NULL, narrow, c, to);
        return;
    }
    memset(aside, 0, sizeof aside);
    for (int64_t r = 0; r < n && !block->init; r++)
        memcpy(aside + to[r], c + r * ldc, bytes);
    isa->packed_product(block->depth, tile, b, block->init ? init : NULL, narrow, aside, to);
    for (int64_t r = 0; r < n; r++)
        memcpy(c + r * ldc, aside + to[r], bytes);
}

static void all_tiles(const struct row_block *block, int64_t m, const act *a, int64_t lda, act *c,
                      int64_t ldc) {
    static const int64_t tap[1];
    const struct isa *isa = block->isa;
    real tile[MAX_DEPTH * ISA_MAX_ROWS];
    int64_t at[ISA_MAX_ROWS];

    for (int64_t i = 0; i < m; i += isa->tile_rows) {
        const int64_t n = min(m - i, isa->tile_rows);

        for (int r = 0; r < isa->tile_rows; r++)
            at[r] = (r < n ? i + r : i) * lda;
        isa->pack(1, tap, block->depth, a, at, tile);
        for (int64_t j = 0; j < block->cols; j += isa->tile_cols)
            panel(block, n, j, tile, c + i * ldc + j, ldc);
    }
}

void rows_product(int64_t m, int64_t n, int64_t k, const act *a, int64_t lda, const real *b,
                  int64_t ldb, const real *bias, act *c, int64_t ldc) {
    static const real zeros[MAX_COLS];
    struct row_block block;

    block.isa = isa_get();
    for (int64_t j = 0; j < n; j += MAX_COLS)
        for (int64_t p = 0; p < k; p += MAX_DEPTH) {
            block.cols = min(n - j, MAX_COLS);
            block.depth = min(k - p, MAX_DEPTH);
            block.init = p ? NULL : bias ? bias + j : zeros;
            pack_weights(&block, b + p * ldb + j, ldb);
            all_tiles(&block, m, a + p, lda, c + j, ldc);
        }
}
