/* clocks.h - by how much the clocks of ranks differ. */
#pragma once
#include "core/base/err.h"
#include "dist/comm.h"

/* By how much a rank's clock is ahead of rank 0's, and how wrong that may be, in seconds. */
struct clock_offset {
    double offset_s, error_s;
};

/* Compare clock_now of all ranks with rank 0's by messages to and fro, of which the fastest counts.
 *   offset  [size] on rank 0; else not looked at
 * Collective. Cost: 32 messages to and fro for each rank. Errors: those of comm_take_tags.
 * Source: Cristian 1989, doi:10.1007/BF01784024 */
int clocks_compare(struct comm *comm, struct clock_offset *offset, struct err *err);
