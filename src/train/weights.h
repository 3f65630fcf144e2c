/* weights.h - networks that begin with the weights of a file: [weights NET]. */
#pragma once
#include "train/replica.h"
#include "train/report.h"

/* Bring in what the job's [weights] name, weights and running statistics, over what the networks
 * were initialised with; of a checkpoint with averages (ema), these. For each net a line of the
 * report says what came and what did not. Local: rank 0 calls it before its numbers are broadcast.
 * Errors: ERR_IO, ERR_DATA for the file itself; ERR_CONFIG, with the place in the job, where file
 * and net do not fit. */
int weights_load(struct job *job, struct replica *r, struct report *report, struct err *err);
