/* share.h - how an operator shares its loops among the threads of the call's team. */
#pragma once
#include "core/ops/op.h"

/* Run part over [0, n) cut into one contiguous range per thread; part must give the same numbers
 * wherever the cuts are. */
void share(const struct op_call *c, int64_t n,
           void (*part)(const struct op_call *c, int64_t begin, int64_t end));

/* The sum of part over [0, n), cut into ranges that do not depend on the number of threads and
 * added in their order: the same bits for every team. */
double share_sum(const struct op_call *c, int64_t n,
                 double (*part)(const struct op_call *c, int64_t begin, int64_t end));
