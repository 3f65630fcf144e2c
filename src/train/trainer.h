/* trainer.h - a whole training run: data, replica, steps, validation, checkpoints, log. */
#pragma once
#include "dist/comm.h"
#include "train/job.h"

struct train_options {
    bool resume; /* go on from runs/NAME/last.h5 if it is there */
};

/* Train a job to its end.
 * Collective. Errors, the same on all ranks: those of every part; ERR_STOPPED when the job was
 * asked to stop and has saved where it is. */
int train(struct job *job, const struct train_options *options, struct comm *comm, struct err *err);

/* Threads of each rank: the job's, or the processors that this process may use, shared with the
 * other ranks of the host unless each is bound to its own. */
int train_threads(const struct job *job, const struct comm *comm);
