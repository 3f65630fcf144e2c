/* gemm.h - matrix products; the only user of CBLAS. OpenBLAS runs single-threaded; callers
 * spread work over their own threads. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"

#include <stdbool.h>

/* Make sure that n_threads threads find the memory that OpenBLAS works in, before their first
 * product: where it gets none, it asks for ever. Once, before products of several threads. Errors:
 * ERR_IO when the system has no memory. */
int gemm_reserve(int n_threads, struct err *err);

/* C = beta * C + op(A) op(B), row-major.
 *   a  [m, k] with row stride lda, or [k, m] where trans_a
 *   b  [k, n] with row stride ldb, or [n, k] where trans_b
 *   c  [m, n] with row stride ldc
 * Strides in elements. beta is 0 (c is overwritten, whatever it holds) or 1.
 * May be called from several threads at once on disjoint c. */
void gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const real *a, int64_t lda,
          const real *b, int64_t ldb, real beta, real *c, int64_t ldc);

/* The same with activations by weights. */
void gemm_act(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const act *a,
              int64_t lda, const real *b, int64_t ldb, real beta, act *c, int64_t ldc);

/* The same with activations by activations, which is summed over samples. */
void gemm_sum(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const act *a,
              int64_t lda, const act *b, int64_t ldb, real beta, real *c, int64_t ldc);

/* The same in double, whatever real is. */
void gemm_double(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const double *a,
                 int64_t lda, const double *b, int64_t ldb, double beta, double *c, int64_t ldc);

/* What computes them, "OpenBLAS 0.3.21", its kernels for this processor, "Haswell", and with how
 * many threads of its own; into text of so many bytes. Local. */
enum { GEMM_TEXT = 64 };
void gemm_library(char library[GEMM_TEXT], char kernels[GEMM_TEXT], int *threads);
