/* norm.h - operators that normalise by statistics of their input over pixels: bn, group_norm,
 * instance_norm.
 *   y = (x - mean) / sqrt(var + eps) * weight + bias
 * or, in the same pass, y = then(that + x[1]), where there is an x[1] of the same shape.
 * x is [sets, rows, channels]: samples that are normalised together are one set, and so are
 * channels of one group. Weight w[0] and bias w[1] belong to a channel each, or are not planned.
 *
 * Memory decides the speed: forward and backward each read their inputs twice, once to sum and once
 * to normalise. Rows of few channels are taken several at a time (`width` numbers), with what
 * belongs to a channel repeated, so that the innermost loop is always long. */
#pragma once
#include "core/ops/parts/share.h"
#include "core/ops/parts/then.h"

struct norm {
    int64_t n_sets;   /* 1: the whole batch; or its samples */
    int64_t n_groups; /* of channels; divides their number */
    double eps;
    struct then then;
};

/* Fill y, memory and, where affine, weights 1 and biases 0. */
void norm_plan(const struct norm *n, const struct shape *x, bool affine, struct op_plan *plan);

/* Refuse to normalise what is one value alone, of which nothing is left: ERR_CONFIG, beginning with
 * name.
 *   whose  value it is: "a channel of a sample" */
int norm_refuse(const char *name, const char *whose, const struct shape *x, struct err *err);

/* What stays from forward to backward, 8-byte aligned: mean, 1 / sqrt(var + eps) and biased
 * variance of each group in each set, [n_sets, n_groups] reals each, one after the other; then how
 * many rows the statistics are of, over all ranks. */
size_t norm_saved_bytes(const struct norm *n);
double *norm_rows_saved(const struct norm *n, const struct op_call *c);

/* Fill c->saved. Where c->ranks says so, the statistics are those of the rows of all its ranks, of
 * which this one may have none: for one set whose groups are its channels. */
void norm_statistics(const struct norm *n, const struct op_call *c);

/* y, by mean and 1 / sqrt(var + eps) in c->saved. */
void norm_forward(const struct norm *n, const struct op_call *c);

/* Add to dx (which is overwritten where dx_first says so, and dx[0] where it is dy), dw[0] and
 * dw[1]. fixed: the statistics do not depend on x.
 * Gradients of x are those through the rows of all of c->ranks, dw[0] and dw[1] of this rank's.
 * Reads y only where there is an x[1] and something follows. */
void norm_backward(const struct norm *n, const struct op_call *c, bool fixed);
