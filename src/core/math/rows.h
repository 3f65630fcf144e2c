/* rows.h - products of samples by weights in which no sample's numbers depend on the others. */
#pragma once
#include "core/base/tensor.h"

/* c = bias + a b, row-major, k >= 1. The bits of a row of c are the same wherever it stands and
 * however many rows there are, which BLAS does not promise: OpenBLAS' kernels for AVX2 round the
 * sums of some rows elsewhere, by their place and number.
 *   a     [m, k] with row stride lda
 *   b     [k, n] with row stride ldb
 *   bias  [n], or NULL
 *   c     [m, n] with row stride ldc
 * May be called from several threads at once on disjoint c. */
void rows_product(int64_t m, int64_t n, int64_t k, const act *a, int64_t lda, const real *b,
                  int64_t ldb, const real *bias, act *c, int64_t ldc);
