/* terms.h - what each sample of a validation adds to its means, kept until the end of it: how sure
 * a measure is, and which samples are the worst. Samples are what is independent, not their pixels.
 */
#pragma once
#include "core/graph/run.h"
#include "dist/comm.h"

/* Of one leaf: a list for each sample of its sums that are not 0, and how many terms it has. */
struct terms_leaf {
    bool kept; /* one number, or a tally of few */
    int64_t len;
    double *count; /* [n] */
    int64_t *end;  /* [n] where the sample's list ends; it begins at the end of the one before */
    int32_t *at;   /* which number of the leaf */
    real *value;
    int64_t room;
};

struct terms {
    struct plan *plan;
    struct terms_leaf *leaf; /* [plan->n_leaves] */
    int *shard;              /* [n] that the sample is of; 0 where there are none */
    int64_t n, room;         /* samples of this rank so far */
    int64_t first;           /* of the batch that is computed */
    real *sums;              /* of one sample */
    bool full;               /* there is no memory for more */
};

/* {0} before. Errors: ERR_IO for lack of memory. */
int terms_init(struct terms *t, struct plan *plan, struct err *err);

/* {0} is fine. */
void terms_release(struct terms *t);

/* Samples of that shard are computed next. */
void terms_begin(struct terms *t, int shard, int64_t n);

/* Take them from a leaf, as run_context.leaf tells of it. */
void terms_take(struct terms *t, int leaf);

/* Errors: ERR_IO where the memory ended on the way. */
int terms_check(const struct terms *t, struct err *err);

/* Sum of terms over their number, of a leaf that is one number: nan where there is none. */
double terms_mean(const struct terms *t, int leaf, int64_t sample);

/* The means that the terms of all ranks have made, as run_tail was told of them. */
struct terms_totals {
    const double *sums;  /* [plan_n_values] */
    const double *terms; /* [n_leaves] */
    int shards;          /* 0: none; sums over them are the same on any number of ranks */
};

/* The standard errors of nodes, means or computed from means: of a mean r of weighted terms
 * sqrt(sum over samples of (s - r w)^2) / sum of w, for shares sqrt(p (1 - p) / n); of others by
 * the delta method, of which the slopes are differences. nan where fewer than two samples count,
 * and where some mean was not kept. node   [n] error  [n] the same bits on all ranks After
 * run_tail. Collective. Errors: ERR_IO for lack of memory, the same on all ranks. */
int terms_errors(struct terms *t, const struct terms_totals *totals, struct comm *comm,
                 const int *node, int n, double *error, struct err *err);
