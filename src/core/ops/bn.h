/* bn.h - batch normalisation for the operators that compute something before or after it. */
#pragma once
#include "core/ops/parts/norm.h"

struct bn {
    double momentum, eps;
    struct ints sync;    /* one number of ranks, or a word */
    struct applied init; /* of the scale; word NULL: 1 */
};

/* Its normalisation of x. */
struct norm bn_norm(const struct bn *a, const struct shape *x);

/* Fill c->saved with the statistics of x[0], and move the running ones; or with the running ones
 * where c is not of training. */
void bn_statistics(const struct bn *a, const struct op_call *c);

extern const struct op op_bn;
