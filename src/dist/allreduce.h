/* allreduce.h - sums over all ranks that proceed while the caller computes. The algorithms are a
 * table, found by name. Each all-reduce is planned once and started once a step; starting and
 * progressing allocate nothing. */
#pragma once
#include "core/base/tensor.h"
#include "dist/comm.h"

/* What every planned all-reduce begins with; the rest belongs to its algorithm. */
struct allreduce {
    const struct allreduce_algorithm *algorithm;
    struct comm *comm; /* borrowed */
    int64_t len;       /* elements; equal on all ranks */
    int tag;           /* its own */
};

struct allreduce_algorithm {
    const char *name;
    const char *help; /* one line */

    /* Plan sums of len elements; *out->algorithm, comm, len and tag are set by the caller. */
    int (*plan)(struct allreduce **out, const struct comm *comm, int64_t len, struct err *err);
    void (*start)(struct allreduce *a, real *v);
    bool (*progress)(struct allreduce *a);
    void (*free)(struct allreduce *a);
};

/* The i-th algorithm, NULL past the end. */
const struct allreduce_algorithm *allreduce_at(int i);

/* Plan all-reduces of len reals (may be 0) by the algorithm of that name.
 *   out   owned by the caller, ended by allreduce_free
 *   comm  borrowed until then
 * Local, but all ranks must plan the same ones in the same order.
 * Errors: ERR_CONFIG for a name that is not in the table, ERR_IO for lack of memory or tags. */
int allreduce_new(struct allreduce **out, struct comm *comm, const char *algorithm, int64_t len,
                  struct err *err);

/* NULL is fine. Not while one is under way. Local. */
void allreduce_free(struct allreduce *a);

/* Begin to sum v over all ranks, in place; every rank gets the same bits.
 *   v    [len] reals, borrowed until allreduce_progress says true
 * Local: ranks may start theirs at any time, and several ones in any order. */
void allreduce_start(struct allreduce *a, real *v);

/* Do what can be done without waiting; true when v holds the sum. Local. */
bool allreduce_progress(struct allreduce *a);

/* Start and wait. Collective. */
void allreduce_run(struct allreduce *a, real *v);
