/* avx512.c - x86-64-v4; 28 of 32 registers hold the tile. */
#define VEC_BYTES 64
#define TILE_ROWS 14
#define OUTER_ROWS 8
#include "core/math/isa/peak_kernels.h"
#include "core/math/isa/depthwise_kernels.h"
#include "core/math/isa/tile_kernels.h"
#include "core/math/isa/winograd_kernels.h"

const struct isa isa_avx512 = {
    .name = "avx512",
    .vec_len = VEC_LEN,
    .tile_rows = TILE_ROWS,
    .outer_rows = OUTER_ROWS,
    .tile_cols = TILE_COLS,
    .product = product,
    .pack = pack,
    .packed_product = packed_product,
    .pack_columns = pack_columns,
    .outer = outer,
    .depthwise_pixels = depthwise_pixels,
    .depthwise_weights = depthwise_weights,
    .peak = peak,
    .winograd = WINOGRAD_KERNELS,
};
