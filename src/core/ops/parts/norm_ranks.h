/* norm_ranks.h - batch statistics over the rows of several ranks, as Peng et al. 2018 (MegDet),
 * arXiv:1711.07240. */
#pragma once
#include "core/ops/parts/norm.h"

/* From statistics of this rank's rows in c->saved to those of all of c->ranks: one message, sums of
 * x - s and (x - s)^2 about the running mean s = c->state[0], which the ranks share, in double.
 * Where no rank has a row, mean and variance are 0. message  [1 + 2 * channels] Collective over
 * c->ranks. */
void norm_share_statistics(const struct norm *n, const struct op_call *c, double *message);
