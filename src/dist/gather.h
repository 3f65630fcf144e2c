/* gather.h - what rank 0 collects of all ranks, now and then: their bytes, and by how much their
 * clocks differ. */
#pragma once
#include "core/base/err.h"
#include "dist/comm.h"

/* Every rank's bytes at rank 0, in the order of ranks.
 *   mine  [bytes] borrowed; any number on each rank
 *   at    [size + 1] on rank 0, where each rank's begin in *all; else not looked at
 *   all   on rank 0 to be freed; NULL elsewhere
 * Collective. Errors, the same on all ranks: ERR_IO where rank 0 has no memory; those of
 * comm_take_tags. */
int gather_bytes(struct comm *comm, const void *mine, size_t bytes, size_t *at, char **all,
                 struct err *err);

/* By how much a rank's clock is ahead of rank 0's, and how wrong that may be, in seconds. */
struct gather_clock {
    double offset_s, error_s;
};

/* Compare clock_now of all ranks with rank 0's by messages to and fro, of which the fastest counts.
 *   clock  [size] on rank 0; else not looked at
 * Collective. Cost: 32 messages to and fro for each rank. Errors: those of comm_take_tags.
 * Source: Cristian 1989, doi:10.1007/BF01784024 */
int gather_clocks(struct comm *comm, struct gather_clock *clock, struct err *err);
