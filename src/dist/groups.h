/* groups.h - groups of ranks for operators that talk to each other: fulfils core/base/ranks.h. */
#pragma once
#include "core/base/ranks.h"
#include "dist/comm.h"

struct groups;

/* All ranks of comm, as operators see them; no group is made yet.
 *   out   owned by the caller, ended by groups_free
 *   comm  borrowed until then
 *   folds whether sums follow one tree over the ranks of a group, dist/fold.h, so that their bits
 *         are the same on whatever hosts
 * Local. Errors: ERR_IO for lack of memory. */
int groups_new(struct groups **out, struct comm *comm, bool folds, struct err *err);

/* NULL is fine. Collective. */
void groups_free(struct groups *g);

/* Borrowed. */
const struct ranks *groups_all(const struct groups *g);
