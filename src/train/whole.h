/* whole.h - metrics that are of all samples of a validation at once (op_meaning.whole): what they
 * read is kept batch after batch, and brought together at the end. */
#pragma once
#include "core/graph/run.h"
#include "dist/comm.h"

/* Samples of one input. */
struct whole_input {
    char *bytes;
    size_t len, room;
};

/* One leaf. */
struct whole_leaf {
    struct whole_input x[OP_ANY_INPUTS];
    struct whole_input at; /* int64_t[n]: where they stand among those of all ranks */
    int64_t n;             /* samples of this rank so far */
};

struct whole {
    struct plan *plan;
    struct whole_leaf *leaf; /* [plan->n_leaves]; empty of others */
    bool full;               /* there is no memory for more */
};

/* {0} before. Errors: ERR_IO for lack of memory. */
int whole_init(struct whole *w, struct plan *plan, struct err *err);

/* {0} is fine. */
void whole_release(struct whole *w);

/* Keep what a leaf reads, as run_context.leaf tells of it; nothing of one that is a mean.
 *   first  where its sample 0 stands in the pass: metrics see samples in this order, of any ranks
 */
void whole_take(struct whole *w, int leaf, int64_t first);

/* Errors: ERR_IO where the memory ended on the way. */
int whole_check(const struct whole *w, struct err *err);

/* Compute the metrics of what all ranks have kept, each as the sum of one term.
 *   sums, terms  [plan_n_values], [n_leaves] for run_tail; those of other leaves are left alone
 * Collective. Cost: memory for what is kept of all ranks, on each. Errors: ERR_IO for lack of it,
 * the same on all ranks. */
int whole_compute(const struct whole *w, struct comm *comm, double *sums, double *terms,
                  struct err *err);
