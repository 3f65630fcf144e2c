/* wire_sum.h - the sum of a vector over the ranks of a comm, packed on its way.
 * Each rank owns a piece of the vector. It packs the others' pieces and sends each to its owner;
 * the owner adds up what arrives, in order of rank and in float32, its own numbers as they are;
 * packs the sum, and sends that to all. Every rank, the owner too, takes the unpacked sum: the same
 * bits everywhere. What packing loses is added to what is packed at the same place in the next
 * step, at both stages. Cost: 2(P-1)/P * packed(len) bytes sent per rank, each number packed twice
 * at most on its way. Memory: residuals of len + len/P reals, and four times two rows of packed
 * chunks, at most 2 * packed(len) bytes. */
#pragma once
#include "dist/allreduce/wire.h"
#include "dist/comm.h"

/* Messages of one kind, completed in the order in which they are posted. */
struct wire_stream {
    int64_t posted, done;
    struct comm_request *request; /* [window] */
    char *slot;                   /* [window][slot_bytes], or of a row each */
};

struct wire_sum {
    struct comm *comm; /* borrowed */
    const struct wire_format *format;
    const void *args; /* of the format, borrowed */
    real *v;          /* [len], borrowed */
    int64_t len;      /* equal on all ranks; may be 0 */
    int tag;          /* of the first of two */
    int64_t chunk;    /* numbers of a message */
    int64_t n_chunks, n_messages;
    int64_t n_summed; /* chunks of this rank's piece */
    size_t slot_bytes;
    real *sent_lost;               /* [len] */
    real *sum_lost;                /* [longest piece] */
    real *unpacked;                /* [2][chunk]: of one rank, and the sum */
    struct wire_stream give, take; /* pieces, to and from their owners */
    struct wire_stream tell, hear; /* sums */
};

/* Plan; {0} before. Local, but all ranks plan the same ones in the same order.
 *   chunk_bytes  of numbers, unpacked, that travel in one message
 * Errors: ERR_IO. */
int wire_sum_init(struct wire_sum *s, const struct applied *wire, int64_t chunk_bytes,
                  struct comm *comm, real *v, int64_t len, struct err *err);

/* {0} is fine. Local. */
void wire_sum_release(struct wire_sum *s);

/* Drop what packing has lost so far. Not while a sum is under way. Local. */
void wire_sum_forget(struct wire_sum *s);

/* Begin; then progress until it says true. Local. */
void wire_sum_start(struct wire_sum *s);
bool wire_sum_progress(struct wire_sum *s);
