/* save.h - what of a replica a checkpoint holds, and how it comes back.
 *   /nets/NET/PARAMETER        weights and running statistics
 *   /optimizer/STEP/NET/0, 1   the optimiser's moments, one flat span for each net
 *   meta                       JSON: steps done, batch, seed, data, history of the best measure */
#pragma once
#include "train/control.h"
#include "train/replica.h"

/* What a run must share with the one it resumes, so that it goes on with the same samples. */
struct save_identity {
    int64_t batch;
    uint64_t seed, data; /* dataset_fingerprint */
};

/* Write everything. Local; rank 0 calls it. Errors: ERR_IO; ERR_DATA when a number is not finite,
 * and then the file stays what it was. */
int save_write(const char *file, const struct replica *r, const struct progress *progress,
               const struct save_identity *identity, struct err *err);

/* Bring everything back. Errors: ERR_IO, ERR_DATA for a damaged file or other shapes, ERR_CONFIG
 * where batch, seed or data have changed. */
int save_resume(const char *file, struct replica *r, struct progress *progress,
                const struct save_identity *identity, struct err *err);

/* Only the networks' weights and running statistics, as they were validated: of weights that have
 * moving averages, these. */
int save_load_nets(const char *file, struct replica *r, struct err *err);
