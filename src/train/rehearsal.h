/* rehearsal.h - what a run needs and how fast it is, found by its first steps on its own data, of
 * which nothing is kept: no folder is made, no file is written. */
#pragma once
#include "dist/groups.h"
#include "train/feeds.h"
#include "train/gradients.h"
#include "train/step.h"

struct rehearsal {
    struct job *job;   /* borrowed */
    struct comm *comm; /* borrowed */
    struct groups *groups;
    struct feeds data;
    struct replica replica;
    struct gradients gradients;
    struct stepper stepper;
    double processor_rate; /* samples that a processor reads and augments in a second */
    double prepare_s; /* seconds until the slowest rank has read and augmented a step's share, with
                       * nothing else to do */
    double step_s;    /* of one step of training, the median */
    double wait_s;    /* of it waiting for data, the slowest rank's mean */
    struct rehearsal_memory {
        double host; /* bytes of all ranks of the host that holds most, what they share once */
        double data; /* of them data that is kept */
        double left; /* on the host that has least left; < 0: nobody says */
        double shared_left; /* likewise of what its ranks can share */
    } memory;               /* by the end */
};

/* Everything up to the first step. Collective.
 *   sinks  told what training would say of the data
 * Errors, the same on all ranks: those of training. */
int rehearsal_init(struct rehearsal *r, struct job *job, struct comm *comm, int threads,
                   const struct sinks *sinks, struct err *err);

/* Read some samples and some batches, then train on n >= 1 of them, by a learning rate that changes
 * nothing much. Collective. Errors, the same on all ranks: those of stepper_run. */
int rehearsal_run(struct rehearsal *r, int n, struct err *err);

/* Read and augment some samples of an open dataset as for training: *rate, how many a processor
 * does in a second. Collective. Errors, the same on all ranks: those of the loader. */
int rehearsal_samples(const struct job *job, struct dataset *ds, struct comm *comm, double *rate,
                      struct err *err);

/* {0} is fine. Collective. */
void rehearsal_release(struct rehearsal *r);
