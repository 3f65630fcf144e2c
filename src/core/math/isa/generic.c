/* generic.c - portable C: vectors of 16 bytes, which every 64-bit processor has. */
#define VEC_BYTES 16
#define TILE_ROWS 6
#define OUTER_ROWS 6
#include "core/math/isa/peak_kernels.h"
#include "core/math/isa/depthwise_kernels.h"
#include "core/math/isa/tile_kernels.h"
#include "core/math/isa/winograd_kernels.h"

const struct isa isa_generic = {
    .name = "generic",
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
