/* weights.h - networks with the weights of a file: [weights NET], eval --weights. */
#pragma once
#include "train/event.h"

/* Bring in what the job's [weights] name, weights and running statistics, over what the networks
 * were initialised with; of a checkpoint with averages (ema), these. For each net a note
 * says what came and what did not. Local: rank 0 calls it before its numbers are broadcast.
 * Errors: ERR_IO, ERR_DATA for the file itself; ERR_CONFIG, with the place in the job, where file
 * and net do not fit. */
int weights_load(struct job *job, struct replica *r, const struct sinks *sinks, struct err *err);

/* Fill all nets from a file, whole: of a checkpoint the nets of their names, or its only one;
 * in safetensors of several nets the names begin with "NET.". Notes as above. Local. Errors:
 * ERR_IO, ERR_DATA for the file; ERR_CONFIG where it does not fit. */
int weights_load_file(const char *file, struct replica *r, const struct sinks *sinks,
                      struct err *err);
