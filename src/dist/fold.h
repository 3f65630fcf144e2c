/* fold.h - sums in an order that depends on nothing but how many terms there are: along one binary
 * tree over leaves 0 .. n - 1, of which a rank has some that follow each other. Leaf 2k and leaf
 * 2k + 1 are added, then the sums of pairs, and so on; what has no neighbour stays as it is, as if
 * the tree went on to the next power of two with leaves that are nothing. For n = 6:
 *
 *   0   1   2   3   4   5
 *    \ /     \ /     \ /
 *     *       *       *
 *       \   /         |
 *         *           |
 *           \________/
 *
 * A piece is a subtree. A rank folds its leaves into the fewest pieces that they make up, others
 * go on with these. Pure: no messages. */
#pragma once
#include "core/base/tensor.h"

/* Leaves [begin, begin + width), of which those that there are count; width is a power of two and
 * divides begin. */
struct fold_piece {
    int64_t begin, width;
};

enum { FOLD_MAX_PIECES = 64, FOLD_MAX_LEAVES = 1 << 20 };

/* The first leaf of a rank, of `leaves` over `size` ranks, 0 < size <= leaves: it has [fold_first(
 * leaves, rank, size), fold_first(leaves, rank + 1, size)), one at least. */
int fold_first(int leaves, int rank, int size);

/* The fewest pieces that are leaves [begin, end), from left to right; returns how many. Behind the
 * last leaf come such that are nothing: the last piece may reach beyond. */
int fold_pieces(int leaves, int begin, int end, struct fold_piece out[FOLD_MAX_PIECES]);

/* Leaves from `first` on are added one by one: how many of the last pieces does `leaf` complete? It
 * is folded into these, from right to left, and they are one piece then. */
int fold_completes(int leaves, int first, int leaf);

/* How many pieces stand beside the leaf that is computed, at most, while a rank goes through
 * [begin, end). */
int fold_depth(int leaves, int begin, int end);

/* Are these two, side by side, halves of one piece? */
bool fold_fit(const struct fold_piece *left, const struct fold_piece *right);

/* to[i] = piece[0][i] + (.. + (piece[(n - 1) * stride + i] + leaf[i])), for i < len; without pieces
 * the leaf itself. `to` may be any of them. */
void fold_into(const real *leaf, const real *piece, int64_t stride, int n, int64_t len, real *to);

/* Fold rows [leaves][len] into the first. What was -0 may be 0, so that zeros that are no terms,
 * added before, change nothing. */
void fold_rows(double *rows, int leaves, int64_t len);
