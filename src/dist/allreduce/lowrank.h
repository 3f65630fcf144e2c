/* lowrank.h - a matrix m [rows][cols] as p q^T of a few columns each, p orthonormal: one step of
 * power iteration from the q of the last time. Columns are contiguous: p [rank][rows], q
 * [rank][cols]. Every function is a fixed order of additions: the same numbers give the same bits.
 * Source: Vogels et al. 2019, arXiv:1905.13727, algorithm 1 */
#pragma once
#include "core/base/tensor.h"

#include <stdbool.h>

/* The sizes; rows * cols > (rows + cols) * rank. */
struct lowrank {
    int64_t rows, cols;
    int rank;
};

/* p = m q. */
void lowrank_project(const struct lowrank *l, const real *m, const real *q, real *p);

/* Make columns v [n][len] orthonormal in order (Gram-Schmidt, sums in double). What remains of a
 * column that the others before it explain becomes 0, which stays it. */
void lowrank_orthonormalise(real *v, int n, int64_t len);

/* q = m^T p. */
void lowrank_back(const struct lowrank *l, const real *m, const real *p, real *q);

/* m becomes p q^T, and error the old m - p q^T / n_ranks, 0 where that is not finite. */
void lowrank_approximate(const struct lowrank *l, const real *p, const real *q, int n_ranks,
                         real *m, real *error);

/* Normal draws into those columns of q that are 0 or hold what is not finite:
 * from them nothing could come back.
 *   key, draw  the same give the same numbers */
void lowrank_refill(const struct lowrank *l, uint64_t key, uint64_t draw, real *q);
