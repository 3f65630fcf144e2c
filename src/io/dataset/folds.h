/* folds.h - rows cut into parts that have the same mixture of classes. */
#pragma once
#include "core/base/err.h"

#include <stdint.h>

/* Deal rows 0 .. n - 1 to k folds: their sizes, and within each class too, differ by 1 at most.
 *   label  [n] classes, below 0: none; NULL: all rows are of one class
 *   fold   [n] gets 0 .. k - 1: a function of the labels, k and the seed
 * Errors: ERR_IO without memory. */
int folds_deal(const int32_t *label, int64_t n, int k, uint64_t seed, int32_t *fold,
               struct err *err);

/* Hold `held` of the rows 0 .. n - 1 out, of each class in proportion, of none all.
 *   held_out  [n] gets 1 for those, otherwise 0
 * Returns how many there are, which is less where classes have too few rows, or -1: ERR_IO. */
int64_t folds_hold_out(const int32_t *label, int64_t n, int64_t held, uint64_t seed,
                       int32_t *held_out, struct err *err);
