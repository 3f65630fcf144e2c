/* ranks.h - the ranks that compute the same graph, as an operator sees them: declared here for
 * operators, fulfilled by whoever has ranks (dist/groups.h). An operator that talks to other ranks
 * says so in its plan; then it is called on all of them, equally often and in the same order, with
 * no samples where a rank has none. */
#pragma once
#include <stdint.h>

/* Whom an operator talks to. */
enum ranks_kind {
    RANKS_NONE, /* nobody */
    RANKS_ALL,
    RANKS_HOST, /* ranks of the same host */
    RANKS_EVERY /* groups of n consecutive ranks, counted from rank 0 */
};

struct ranks_group {
    enum ranks_kind kind;
    int n; /* of RANKS_EVERY; divides the number of ranks unless that is 1 */
};

struct ranks {
    int rank, size; /* this one among those of the group, and their number */
    /* Sum v[n] over the group, in place; every rank of it gets the same bits. Collective over the
     * group. NULL where size is 1. */
    void (*sum)(const struct ranks *ranks, double *v, int64_t n);
    /* The group of that kind around this rank, the same at each call. Of all ranks only, and
     * collective over them. NULL where size is 1. */
    const struct ranks *(*group)(const struct ranks *all, struct ranks_group group);
    void *context; /* of whoever made it */
};
