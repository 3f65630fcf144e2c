/* fault_replay.h - a step that failed, computed again from its fault.h5 by one process: the same
 * samples, weights and randomness, without the data. */
#pragma once
#include "io/weights/checkpoint.h"
#include "train/meta.h"
#include "train/probe.h"

/* {0} is releasable. */
struct fault_replay {
    struct pool pool;
    struct checkpoint *file;
    struct meta meta;
    struct field field[LOADER_MAX_FIELDS];
    int n_fields;
    struct replica replica;
    struct arena arena; /* the samples */
    struct feed_batch batch;
    struct probe_config probe;
    int rank, size;
    const char *host, *message, *node; /* as in struct fault_state */
    bool exact;
    const char **sample; /* [batch.data.n] names */
};

/* Read fault.h5, whose job is given, plan and allocate.
 *   job  borrowed, and its mode of computing is used
 * Errors: ERR_DATA where the file is damaged or none of a fault; those of replica_init and
 * replica_allocate. */
int fault_replay_init(struct fault_replay *r, struct job *job, const char *path, int threads,
                      struct err *err);

/* Does an operator of the step take what all ranks have, of which there is one now? */
bool fault_replay_lacks_ranks(const struct fault_replay *r);

/* {0} is fine. */
void fault_replay_release(struct fault_replay *r);
