/* allreduce.h - sums over all ranks that proceed while the caller computes. The algorithms are
 * words of the job language in a table, `[dist] allreduce = ring(chunk=512KiB)`. All vectors of one
 * reducer are planned together, collectively, and started once a step each; starting and
 * progressing allocate nothing. */
#pragma once
#include "core/base/pool.h"
#include "core/base/tensor.h"
#include "core/base/word.h"
#include "dist/comm.h"

/* A tensor of a vector as a matrix: elements [begin, begin + rows * cols), its last dimension side
 * by side. */
struct allreduce_tensor {
    int64_t begin, rows, cols;
};

/* One vector: gradients, which stay where they are. */
struct allreduce_vector {
    real *v;     /* [len], borrowed */
    int64_t len; /* elements; equal on all ranks; may be 0 */
    /* The memory of the host that v lies in, at the same place of it on all ranks; NULL: v is this
     * rank's alone. Ranks of a host may then read each other's v, and leave the sum in one of them.
     */
    const struct comm_shared *home;
    bool own; /* the sum is wanted in v, by a caller who writes there */
    /* How it travels between hosts, wire.h: of gradients alone, whose next ones carry what is lost.
     * Borrowed; NULL: as it is. Algorithms that do not pack send it so. */
    const struct applied *wire;
    /* [n_tensors] in order of begin, borrowed: of gradients, for algorithms that want them. */
    const struct allreduce_tensor *tensor;
    int n_tensors;
    /* For `fold` alone: the leaves of its tree, dist/fold.h; 0: ranks, one each. v is the last of
     * the pieces that this rank's leaves make up, the others are [len] each from `partial` on, at
     * that distance, and are not kept. */
    int shards;
    real *partial;
    int64_t partial_stride;
};

/* What every plan begins with; the rest belongs to its algorithm. */
struct allreduce {
    const struct allreduce_algorithm *algorithm;
    struct applied applied; /* the algorithm with its arguments: never one that measures */
    const char *choice;     /* what was measured to be best, as a job says it; NULL: nothing was */
    void *kept;             /* freed at last */
    struct comm *comm;      /* borrowed */
    const struct allreduce_vector *vector; /* [n], borrowed */
    int n;
};

struct allreduce_algorithm {
    struct word word; /* first: allreduce_find() gives its address */
    bool wants_home;  /* vectors had better lie in memory of the host */
    bool measures;    /* its plan is that of another one */

    /* Plan sums of all vectors; what *out begins with is zero, and set by the caller. Every rank
     * calls it, with vectors of the same lengths. Collective; ends in an agreement. */
    int (*plan)(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err);
    void (*start)(struct allreduce *a, int i);
    bool (*progress)(struct allreduce *a, int i);
    /* NULL: sums are in v, which nobody else reads. */
    const real *(*sum)(const struct allreduce *a, int i);
    void (*used)(struct allreduce *a, int i);
    bool (*writable)(struct allreduce *a, int i);
    void (*forget)(struct allreduce *a); /* NULL: there is nothing to */
    void (*free)(struct allreduce *a);   /* collective */
    bool packs;                          /* it heeds the wire of vectors */
    bool wants_tensors;                  /* it heeds the tensors of vectors */
};

/* The word (first member of its struct allreduce_algorithm) of that name, or NULL; the i-th, NULL
 * past the end. */
const struct word *allreduce_find(const char *name);
const struct word *allreduce_word(int i);

/* Does the algorithm heed the wire of vectors? */
bool allreduce_packs(const struct applied *algorithm);

/* Does it heed the tensors in vectors, which must then be whole? */
bool allreduce_wants_tensors(const struct applied *algorithm);

/* Had vectors better lie in memory of the host, for it or for an algorithm that it is applied to?
 */
bool allreduce_wants_home(const struct applied *algorithm);

/* The algorithm that needs no shared memory, with its usual arguments, which are in the pool. */
struct applied allreduce_plain(struct pool *pool);

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

/* Where that sum is, [len], to be read until allreduce_used: v, always so of vectors that are
 * `own`, or memory of the host. Once allreduce_progress has said true. Local. */
const real *allreduce_sum(const struct allreduce *a, int i);

/* This rank has read the sum; once after each allreduce_progress that said true. Local. */
void allreduce_used(struct allreduce *a, int i);

/* May v be written again, for the next sum? Others may still read it for the last one. Local. */
bool allreduce_writable(struct allreduce *a, int i);

/* Drop what packing has lost of the last vectors and would send with the next ones: who begins here
 * without it gets the same sums. Not while one is under way; every rank does so between the same
 * sums. Local. */
void allreduce_forget(struct allreduce *a);

/* Start, wait, and say that the sum is used, which is in v where vectors are `own`. Collective. */
void allreduce_run(struct allreduce *a, int i);

/* Likewise, and wait until v may be written again; seconds of both. Collective. */
double allreduce_time(struct allreduce *a, int i);
