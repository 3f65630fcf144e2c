/* page_thin.h - less of what is too long for a page. Pure. */
#pragma once
#include <stddef.h>

/* Which points of a curve to keep so that it looks the same: the first, the last, and of each of
 * max / 4 buckets the lowest, the highest, the first that is no number and the first of all.
 *   v    [n] values; NAN: none there
 *   max  how many may be kept, at least 8; all are, where there are no more
 *   at   [min(n, max + 2)] filled: their numbers, rising
 * Returns how many. */
size_t page_thin_curve(const double *v, size_t n, size_t max, size_t *at);

/* The i-th of k numbers that are spread evenly over 0 .. n - 1, of which n - 1 is the last;
 * 1 <= k <= n. */
size_t page_thin_even(size_t i, size_t k, size_t n);
