/* columns.h - sums over rows, one for each column: gradients of weights that belong to a channel.
 */
#pragma once
#include "core/ops/parts/share.h"

/* Bytes of scratch for sums of `rows` rows into n_sums numbers. */
size_t columns_bytes(int64_t rows, int64_t n_sums);

/* into[k][i] += what part adds to sums[k * width + i], over all rows, for 0 <= i < width; a NULL in
 * into [n_into] is left out. Rows are cut in blocks that do not depend on the number of threads and
 * are added in double in their order. Uses columns_bytes(rows, n_into * width) of c->scratch. */
void columns_add(const struct op_call *c, int64_t rows, int64_t width, int n_into,
                 void (*part)(const struct op_call *c, int64_t begin, int64_t end, real *sums),
                 real *const *into);
