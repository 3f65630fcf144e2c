/* grouping.h - neighbouring pieces joined by likeness until one is left. */
#pragma once
#include "core/base/err.h"
#include "io/regions/likeness.h"

/* Join the pieces of label[height, width], the most alike first; of equal ones the first.
 *   piece  [2 n - 1]: 0 .. n - 1 are given, the others follow in the order in which they were made
 * Errors: ERR_IO without memory. */
int pieces_group(struct portion *piece, int64_t n, const int32_t *label, int64_t height,
                 int64_t width, unsigned which, struct err *err);
