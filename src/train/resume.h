/* resume.h - going on with a run: its checkpoint is of the same thing, or says what is not. */
#pragma once
#include "train/event.h"
#include "train/identity.h"

struct resume {
    const char *file;          /* the checkpoint: runs/NAME/last.h5 */
    const char *folder;        /* of the run */
    const struct identity *id; /* what the job that goes on is of */
    const struct sinks *sinks; /* notes go there */
};

/* Is there such a file? 1, 0, or -1: it could not be told (ERR_IO). */
int resume_exists(const char *file, struct err *err);

/* Bring back replica and progress. Every key of the job that is not what it was is a note. Where
 * the best measure, or the data that it is taken on, is not what it was, its history begins anew,
 * and best.h5 is kept as best.1.h5, best.2.h5 ... A last checkpoint that is damaged or not there
 * is replaced by the latest of the run that is whole, as a warning says; a damaged one is kept as
 * last.damaged.h5. Local: rank 0 calls it.
 *   from  the file that was taken; of pool
 * Errors: ERR_CONFIG naming key, old and new value for what must not change: batch, accumulate,
 * seed, steps with their optimisers and averages, training data, networks; ERR_DATA where no file
 * is whole, naming all; ERR_IO where it cannot be read. */
int resume_load(const struct resume *resume, struct replica *r, struct progress *p,
                const char **from, struct pool *pool, struct err *err);
