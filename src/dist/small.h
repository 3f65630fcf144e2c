/* small.h - sums of a few numbers over all ranks, as fast as they can be: ranks of a host meet in
 * memory that they share, one of each host talks to the others. Private to comm. */
#pragma once
#include "dist/comm.h"

struct small;

/* What is needed for sums over comm, which is borrowed until small_free. Where some host has no
 * memory to share, every rank talks for itself.
 *   host  a number that the ranks of a host have in common, and no others
 * Collective. Lack of memory for itself ends the job. */
struct small *small_new(struct comm *comm, int host);

/* NULL is fine. Collective. */
void small_free(struct small *s);

/* v[n], in place, becomes the sum over ranks, and its last n_max numbers the largest of all; the
 * same bits on all ranks, and in every call the same order of additions: ranks of a host one by
 * one, hosts as a tree. Collective; any n. Cost: 2 (one host) or 3 hops in shared memory,
 * log2(hosts) messages. */
void small_sum(struct small *s, double *v, int n, int n_max);
