/* avx2.c - x86-64-v3: AVX2 and fused multiply-add; 12 of 16 registers hold the tile. */
#define VEC_BYTES 32
#define TILE_ROWS 6
#define OUTER_ROWS 6
#include "core/math/isa/peak_kernels.h"
#include "core/math/isa/depthwise_kernels.h"
#include "core/math/isa/tile_kernels.h"
#include "core/math/isa/winograd_kernels.h"

const struct isa isa_avx2 = {
    .name = "avx2",
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
