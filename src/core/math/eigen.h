/* eigen.h - eigenvalues of symmetric matrices; the only user of LAPACK. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of work that eigen_symmetric needs for an [n, n] matrix. */
size_t eigen_work_bytes(int64_t n);

/* Eigenvalues of a symmetric matrix, rising, and its eigenvectors where wanted.
 *   a       [n, n]; overwritten: by the eigenvector of values[i] in row i, or by nothing of use
 *   values  [n], out
 *   work    eigen_work_bytes(n), aligned for doubles
 * Always in double, on the calling thread. Returns 0, or -1 where it does not converge or a is not
 * finite. Cost: 4/3 n^3 multiply-adds, with vectors up to 3 times as many. */
int eigen_symmetric(int64_t n, bool vectors, double *a, double *values, void *work);
