/* fault_state.h - fault.h5, which a step can be computed again from without the data: a checkpoint
 * with the weights, running statistics and moments that were there, and beside them
 *   /batch/FIELD  the samples of one rank as its networks saw them; classes as numbers
 *   meta.fault    whose they are, which step of the job, and what was found */
#pragma once
#include "train/identity.h"
#include "train/probe.h"

/* All borrowed. */
struct fault_state {
    const struct identity *identity;
    const struct replica *replica;
    const struct progress *progress;
    const struct probe_config *probe; /* how the step was computed again */
    const double *totals;             /* [n_leaves] terms of all ranks; NULL: not known */
    int rank, size;
    const char *host;
    bool exact; /* no weight had moved since before the step */
    const char *message;
    const char *node;          /* "" where nothing was found again */
    const char *const *sample; /* [n of the batch] names, "" where there are none */
};

/* Write it. Local. Errors: those of checkpoint_write. */
int fault_state_write(const char *file, const struct fault_state *s, struct err *err);
