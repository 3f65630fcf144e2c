/* save.h - what of a replica a checkpoint holds, and how it comes back.
 *   /nets/NET/PARAMETER        weights and running statistics
 *   /ema/NET/PARAMETER         averages of weights, where a step has ema
 *   /optimizer/STEP/NET/0, 1   the optimiser's moments, one flat span for each net, or 0/PARAMETER
 * of what a partly frozen net trains meta                       JSON: what it is of, and how far it
 * is (meta.h) */
#pragma once
#include "io/weights/checkpoint.h"
#include "train/control.h"
#include "train/identity.h"

/* Write everything. Local; rank 0 calls it. Errors: ERR_IO; ERR_DATA when a number is not finite,
 * and then the file stays what it was. */
int save_write(const char *file, const struct identity *id, const struct replica *r,
               const struct progress *progress, struct err *err);

/* Bring all tensors back from an open checkpoint.
 * Errors: ERR_DATA naming the first that is not there, has another shape, or has no place. */
int save_read(const struct checkpoint *ck, const char *file, struct replica *r, struct err *err);

/* Only the networks' weights and running statistics, as they were validated: of weights that have
 * moving averages, these. */
int save_load_nets(const char *file, struct replica *r, struct err *err);
