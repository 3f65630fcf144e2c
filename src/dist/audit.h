/* audit.h - are the replicas identical? */
#pragma once
#include "core/base/err.h"
#include "dist/comm.h"

#include <stddef.h>
#include <stdint.h>

/* A piece of memory that every rank should hold alike, and what its user calls it. */
struct audit_item {
    const char *span;   /* "weights of model" */
    const char *tensor; /* that part of it, or NULL: all of it */
    const void *data;   /* [bytes], borrowed */
    size_t bytes;
};

/* Compare n items of all ranks, bit by bit through 64-bit hashes (XXH3).
 *   item     [n] in the same order on all ranks
 *   scratch  [n + ranks] room for hashes
 *   differs  the first item that differs, or NULL where none does or nobody can tell which
 * Collective. Cost: one pass over memory and 8 bytes from each rank; where something differs, 8
 * bytes for each item.
 * Errors: ERR_DATA on all ranks, naming the first item that differs and the lowest rank, with its
 * host, that has something else than most have; where no more than half agree, than rank 0 has. */
int audit(struct comm *comm, const struct audit_item *item, int n, uint64_t *scratch,
          const struct audit_item **differs, struct err *err);
