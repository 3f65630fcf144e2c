/* audit.h - are the replicas identical? */
#pragma once
#include "core/base/tensor.h"
#include "dist/comm.h"

/* Compare n spans with those of rank 0, bit by bit through a 64-bit hash (XXH3).
 *   span   [n] -> [len] reals, borrowed
 *   names  [n] what the user calls them
 * Collective; n, len and names equal on all ranks. Cost: one pass over memory, n * 8 bytes sent.
 * Errors: ERR_DATA on all ranks, naming the lowest rank that differs, its host and its first
 * span that does. */
int audit_spans(struct comm *comm, const real *const *span, const int64_t *len,
                const char *const *names, int n, struct err *err);
