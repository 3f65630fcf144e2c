/* allreduce.h - sums over all ranks that proceed while the caller computes. The algorithms are
 * words of the job language in a table, `[dist] allreduce = ring(chunk=512KiB)`. All vectors of one
 * reducer are planned together, collectively, and started once a step each; starting and
 * progressing allocate nothing. */
#pragma once
#include "core/base/tensor.h"
#include "core/base/word.h"
#include "dist/comm.h"

/* One vector: gradients, which stay where they are. */
struct allreduce_vector {
    real *v;     /* [len], borrowed */
    int64_t len; /* elements; equal on all ranks; may be 0 */
};

/* What every plan begins with; the rest belongs to its algorithm. */
struct allreduce {
    const struct allreduce_algorithm *algorithm;
    struct comm *comm;                     /* borrowed */
    const struct allreduce_vector *vector; /* [n], borrowed */
    int n;
};

struct allreduce_algorithm {
    struct word word; /* first: allreduce_find() gives its address */

    /* Plan sums of all vectors; what *out begins with is set by the caller. Every rank calls it,
     * with vectors of the same lengths. Collective; ends in an agreement. */
    int (*plan)(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err);
    void (*start)(struct allreduce *a, int i);
    bool (*progress)(struct allreduce *a, int i);
    void (*free)(struct allreduce *a); /* collective */
};

/* The word (first member of its struct allreduce_algorithm) of that name, or NULL; the i-th, NULL
 * past the end. */
const struct word *allreduce_find(const char *name);
const struct word *allreduce_word(int i);

/* Plan sums of n vectors over all ranks.
 *   out        owned by the caller, ended by allreduce_free
 *   comm       borrowed until then
 *   algorithm  one of the table with its arguments, borrowed until then
 *   vector     [n], borrowed until then
 * Collective. Errors, the same on all ranks: ERR_IO for lack of memory or tags; ERR_CONFIG where
 * ranks plan other vectors or another algorithm, naming the lowest that differs from rank 0. */
int allreduce_new(struct allreduce **out, struct comm *comm, const struct applied *algorithm,
                  const struct allreduce_vector *vector, int n, struct err *err);

/* NULL is fine. Not while one is under way. Collective. */
void allreduce_free(struct allreduce *a);

/* Begin to sum vector i over all ranks, in place; every rank gets the same bits. It is borrowed
 * until allreduce_progress says true.
 * Local: ranks may start theirs at any time, and several ones in any order. */
void allreduce_start(struct allreduce *a, int i);

/* Do what can be done without waiting; true when vector i holds the sum. Local. */
bool allreduce_progress(struct allreduce *a, int i);

/* Start and wait. Collective. */
void allreduce_run(struct allreduce *a, int i);
