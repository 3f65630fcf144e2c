/* save.h - what of a replica a checkpoint holds, and how it comes back.
 *   /nets/NET/PARAMETER        weights and running statistics
 *   /ema/NET/PARAMETER         averages of weights, where a step has ema
 *   /optimizer/STEP/NET/0, 1   the optimiser's moments, one flat span for each net, or 0/PARAMETER
 *                              of what a partly frozen net trains
 *   /meta                      JSON: what it is of, and how far it is (meta.h) */
#pragma once
#include "io/weights/checkpoint.h"
#include "train/control.h"
#include "train/identity.h"

/* Numbers of a checkpoint. */
int64_t save_len(const struct replica *r);

/* All of a checkpoint but the file. {0}: nothing. */
struct save {
    struct checkpoint_tensor *t; /* [n]; they and their paths are pool's or the replica's */
    int n;
    char *meta;
    struct pool pool;
};

/* Take down what is to be saved. Local; on rank 0.
 *   file  what errors call it
 *   room  [save_len] the numbers are copied there, and stay what they are while training goes on;
 *         NULL: they are the replica's own
 * Errors: ERR_DATA when a number of a net is not finite; ERR_IO for lack of memory. */
int save_take(struct save *s, const char *file, const struct identity *id, const struct replica *r,
              const struct progress *progress, real *room, struct err *err);

/* {0} is fine. */
void save_release(struct save *s);

/* Bring all tensors back from an open checkpoint.
 * Errors: ERR_DATA naming the first that is not there, has another shape, or has no place. */
int save_read(const struct checkpoint *ck, const char *file, struct replica *r, struct err *err);

/* Only the networks' weights and running statistics, as they were validated: of weights that have
 * moving averages, these. */
int save_load_nets(const char *file, struct replica *r, struct err *err);
