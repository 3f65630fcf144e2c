/* step.h - one training step over all ranks: forward, backward with its gradients summed on the
 * way, update. The same for real batches and for those of a benchmark. */
#pragma once
#include "dist/reducer.h"
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
    double *sums;   /* room for all leaves of all steps and two flags */
    double *local;  /* this rank's part of them */
    double *values; /* [2 * n_sums] room for the leaves of one graph, as sum and of a part */
    real **before;  /* [n_nets] running statistics before the step; the model's */
    int n_sums;
    /* What run.h says of a watch, with the number of the job's step; NULL: none. */
    void (*watch)(void *context, int step, int node, enum run_phase phase);
    void *watch_context;
};

struct step_input {
    const struct feed_batch *batch; /* fields as the replica's */
    int rc;                         /* nonzero: this rank could not read its batch, *err says why */
    int64_t step;
    const double *lr; /* [n_steps] */
    bool stop;        /* this rank was asked to stop */
};

struct step_output {
    bool ran[JOB_MAX_STEPS];    /* steps with every > 1 rest in between */
    double loss[JOB_MAX_STEPS]; /* of the whole batch, before the update */
    bool stop;                  /* some rank was asked to stop */
    struct step_times times;
};

/* Plan the communication. Errors: ERR_CONFIG for an unknown algorithm; ERR_IO. */
int stepper_init(struct stepper *s, struct replica *r, const struct job *job, struct comm *comm,
                 struct err *err);

/* {0} is fine. */
void stepper_release(struct stepper *s);

/* Collective. Errors, the same on all ranks: a batch could not be read; ERR_DATA when a loss is not
 * finite, naming step and rank. */
int stepper_run(struct stepper *s, const struct step_input *in, struct step_output *out,
                struct err *err);
