/* step.h - one training step over all ranks: forward, backward with its gradients summed on the
 * way, update. The same for real batches and for those of a benchmark. */
#pragma once
#include "dist/reducer.h"
#include "train/control.h"
#include "train/feed.h"
#include "train/replica.h"

/* Seconds of one step on this rank. */
struct step_times {
    double forward, backward, exposed_comm, optimizer, total;
};

struct stepper {
    struct replica *replica; /* borrowed */
    struct comm *comm;       /* borrowed */
    uint64_t seed;
    struct reducer *reducer[JOB_MAX_STEPS];
    bool in_parts; /* batches are computed in parts, whose terms must be known beforehand: */
    double *counts;
    int n_counts; /* of every leaf of every graph */
    /* Of the leaves of one graph, sums and then terms: of all ranks, of this rank, of one part. */
    double *sums, *local, *part;
    bool told;     /* what ranks say of themselves has gone with a sum of this step */
    real **before; /* [n_nets] running statistics before the step; the model's */
    /* What run.h says of a watch, with the number of the job's step; NULL: none. */
    void (*watch)(void *context, int step, int node, enum run_phase phase);
    void *watch_context;
};

struct step_input {
    const struct feed_batch *batch; /* fields as the replica's */
    int rc;                         /* nonzero: this rank could not read its batch, *err says why */
    int64_t step;
    const double *lr;              /* [n_steps] */
    bool stop;                     /* this rank was asked to stop */
    const struct control *control; /* rank 0's plan of what follows; NULL: on others, or none */
};

struct step_output {
    bool ran[JOB_MAX_STEPS];    /* steps with every > 1 rest in between */
    double loss[JOB_MAX_STEPS]; /* of the whole batch, before the update */
    bool stop;                  /* some rank was asked to stop */
    struct control control;     /* what rank 0 planned, and what stop makes of it */
    bool unread;                /* nothing is updated: some rank could not read its batch */
    struct step_times times;
};

/* Plan the communication.
 *   home  the memory of the host that gradients lie in; NULL: in that of this rank
 * Collective. Errors, the same on all ranks: those of reducer_new. */
int stepper_init(struct stepper *s, struct replica *r, const struct job *job, struct comm *comm,
                 const struct comm_shared *home, struct err *err);

/* {0} is fine. Collective. */
void stepper_release(struct stepper *s);

/* Collective. Errors, the same on all ranks: a batch could not be read; ERR_DATA when a loss is not
 * finite, naming step and rank; no weight has moved by it then, nor any statistic.
 * Ranks wait for each other once in each of the job's steps, beside the sum of gradients: before
 * backward for the losses, with which goes what they must know of each other; where batches are
 * computed in parts, also before forward for their terms. */
int stepper_run(struct stepper *s, const struct step_input *in, struct step_output *out,
                struct err *err);
