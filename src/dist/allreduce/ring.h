/* ring.h - the sum of a vector over the ranks of a comm in a ring: each talks to its two neighbours
 * only, in 2(P-1) rounds of messages to the right.
 * Cost: 2(P-1)/P * len reals sent and (P-1)/P * len additions per rank; 2(P-1) latencies.
 * Memory: scratch of at most 4 chunks, and less than len reals.
 * Source: Patarasuk & Yuan 2009, doi:10.1016/j.jpdc.2008.09.002 */
#pragma once
#include "core/base/tensor.h"
#include "core/base/word.h"
#include "dist/comm.h"

enum {
    RING_WINDOW = 4,        /* messages under way in each direction */
    RING_CHUNK = 512 * 1024 /* bytes of one where nobody asks: they stay in cache until added */
};

struct ring_args {
    int64_t chunk; /* bytes */
};

extern const struct arg_spec ring_specs[];

struct ring {
    struct comm *comm; /* borrowed */
    real *v;           /* [len], borrowed */
    int64_t len;       /* equal on all ranks; may be 0 */
    int tag;
    real *scratch; /* [RING_WINDOW][slot_len] at most: arrived, not yet added */
    int64_t slot_len;
    int64_t n_chunks;          /* of a segment */
    int64_t n_add, n_messages; /* messages of the rounds that add; of all */
    int64_t send_posted, sent; /* messages */
    int64_t receive_posted, received;
    struct comm_request send[RING_WINDOW], receive[RING_WINDOW];
};

/* Plan; {0} before. Local, but all ranks plan the same ones in the same order. Errors: ERR_IO. */
int ring_init(struct ring *ring, const struct ring_args *args, struct comm *comm, real *v,
              int64_t len, struct err *err);

/* {0} is fine. Local. */
void ring_release(struct ring *ring);

/* Begin; then progress until it says true. Local. */
void ring_start(struct ring *ring);
bool ring_progress(struct ring *ring);
