/* evaluate.h - one pass over the validation set, shared by all ranks, with exact sums and counts.
 */
#pragma once
#include "dist/comm.h"
#include "train/feed.h"
#include "train/replica.h"
#include "train/worst.h"

/* Measures of the last evaluation are run_value() of the validation's named nodes.
 *   feed     this rank's share; NULL on ranks that do not compute
 * Collective. Errors, the same on all ranks: reading failed. A measure without terms is nan. */
int evaluate(struct replica *r, struct feed *feed, struct comm *comm, struct err *err);

/* And which samples are the worst; worst may be NULL. */
int evaluate_worst(struct replica *r, struct feed *feed, struct comm *comm, struct worst *worst,
                   struct err *err);

/* The i-th measure: its name and value; the best-deciding one first, then in the job's order.
 * Returns false past the end. */
bool evaluate_measure(const struct replica *r, int i, const char **name, double *value);

/* The standard error of the i-th measure, over samples as what is independent; false where it has
 * none: it is computed from other things than means, or of fewer than two samples. */
bool evaluate_error(const struct replica *r, int i, double *error);

/* The i-th statement whose value is a table, such as a confusion matrix [1, K, K]; borrowed. */
bool evaluate_table(const struct replica *r, int i, const char **name, struct tensor *table);
