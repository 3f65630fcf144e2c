/* trainer.h - a whole training run: data, replica, steps, validation, checkpoints. */
#pragma once
#include "dist/place.h"
#include "job/job.h"
#include "train/event.h"

struct train_options {
    bool resume;               /* go on from runs/NAME/last.h5 if it is there */
    double until;              /* epochs after which it ends, for now; 0: not before its end */
    double end;                /* seconds since 1970 when its time is over; 0 or HUGE_VAL: never */
    int64_t validate_steps;    /* batches that a validation is made of; 0: all */
    int threads;               /* of this rank */
    struct places *places;     /* borrowed: of all ranks, whose threads are kept to their cores */
    const struct sinks *sinks; /* of this rank, borrowed: who is told of what happens */
};

/* Train a job to its end.
 * Collective. Errors, the same on all ranks: those of every part; ERR_DATA when the ranks' replicas
 * are no longer the same; ERR_STOPPED when the job was asked to stop, or
 * its time is nearly over, and it has saved where it is. */
int train(struct job *job, const struct train_options *options, struct comm *comm, struct err *err);
