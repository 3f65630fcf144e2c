/* ring.h - the ring all-reduce: each rank talks to its two neighbours only. */
#pragma once
#include "dist/allreduce.h"

/* Sum over all ranks in 2(P-1) rounds of messages to the right neighbour.
 * Cost: 2(P-1)/P * len reals sent and (P-1)/P * len additions per rank; 2(P-1) latencies.
 * Memory: scratch of at most 2 MiB, and less than len reals.
 * Source: Patarasuk & Yuan 2009, doi:10.1016/j.jpdc.2008.09.002 */
extern const struct allreduce_algorithm allreduce_ring;
