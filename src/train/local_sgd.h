/* local_sgd.h - ranks that go on apart for some steps, each by the gradients of its own samples,
 * and then become the mean of all: local SGD, or post-local SGD where the first steps sum
 * gradients. Weights, running statistics, averages of weights and moments of optimisers are
 * averaged, each rank counting 1/P: momentum is part of where a rank is going. (PyTorch's
 * PostLocalSGDOptimizer averages weights alone; ranks of it hold other moments, of which a
 * checkpoint keeps one rank's.) Source: Lin et al. 2018, arXiv:1808.07217; with momentum averaged,
 * Yu et al. 2019, arXiv:1905.03817
 */
#pragma once
#include "dist/allreduce/allreduce.h"
#include "dist/sync.h"
#include "train/event.h"
#include "train/replica.h"

struct local_sgd {
    const struct local_sgd_args *args; /* NULL: ranks are always the same */
    struct comm *comm;                 /* borrowed */
    struct allreduce_vector *vector;   /* [n] what is averaged; of the replica's pool */
    int n;
    struct allreduce *sums;
    bool apart; /* ranks may differ */
};

/* Can steps of the job's graphs be computed apart? Errors: ERR_CONFIG where an operator talks to
 * other ranks, with its place. */
int local_sgd_check(const struct replica *r, const struct job *job, struct err *err);

/* Plan the averages of an allocated replica, which is borrowed, as the job; {0} before. Where its
 * algorithm cannot be had, as without room in shared memory, a ring takes its place, which is said.
 * Collective. Errors: those of allreduce_new. */
int local_sgd_init(struct local_sgd *l, struct replica *r, const struct job *job, struct comm *comm,
                   const struct sinks *sinks, struct err *err);

/* {0} is fine. Collective. */
void local_sgd_release(struct local_sgd *l);

/* Does this step, counted from 0, leave each rank to its own gradients? They are apart then. Local.
 */
bool local_sgd_part(struct local_sgd *l, int64_t step);

/* All become the mean of all where they are apart, the same bits everywhere. Collective. */
void local_sgd_meet(struct local_sgd *l);

/* Is it time for that, when so many steps of the job are done? The same on all ranks. Local. */
bool local_sgd_is_due(const struct local_sgd *l, int64_t steps);
