/* copies.h - sums taken in parts, a number that the shapes fix, each into a copy of its own, which
 * are then added in order: so a sum is spread over threads without depending on how many there
 * are. */
#pragma once
#include "core/base/parallel.h"
#include "core/base/tensor.h"

struct copies {
    int64_t n, rows, cols; /* n copies of a matrix [rows, cols] */
    real *first;           /* copies_bytes() of memory, 64-byte aligned */
};

/* Memory of all copies; 0 where there is one, for which the sum itself serves. */
size_t copies_bytes(const struct copies *c);

/* Copy i. */
real *copies_at(const struct copies *c, int64_t i);

/* sum[rows, cols] += copy 0, then copy 1 and so on. ld: elements from one row of sum to the next.
 */
void copies_add(const struct copies *c, struct team *team, real *sum, int64_t ld);
