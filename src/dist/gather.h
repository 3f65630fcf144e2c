/* gather.h - bytes of any length from all ranks to the first. */
#pragma once
#include "dist/comm.h"

/* {0} is releasable. */
struct gather {
    struct comm *comm; /* borrowed */
    int tag;
    unsigned char *bytes; /* rank 0: all ranks' in order of rank, until the next gathering */
    size_t len, room;
    int64_t *lens; /* [size] */
};

/* Collective. Errors, the same on all ranks: ERR_IO. */
int gather_init(struct gather *g, struct comm *comm, struct err *err);

/* Rank 0 gets mine[len] of all ranks, of at most 1 GiB each; others get nothing.
 * Collective. Errors, the same on all ranks: ERR_IO where rank 0 has no memory for them, or one of
 * them is too long. */
int gather_bytes(struct gather *g, const void *mine, size_t len, struct err *err);

/* {0} is fine. Local. */
void gather_release(struct gather *g);
