/* histograms.h - how weights, gradients and activations are spread, in some steps ([log]
 * histograms), on rank 0. Weights are those after the update, gradients what it was made from: the
 * mean over the batch of all ranks, before clipping; both are the same on all ranks. Activations
 * are those of training on this rank's samples: read where the step has just computed them, or,
 * where fusion never writes some, from a forward of its own before the step, as written, of which
 * nothing remains. Training does not change. */
#pragma once
#include "train/event.h"
#include "train/step.h"
#include "train/tensor_stats.h"

struct histograms;

/* Make room for what the job's steps have, once the replica is allocated.
 *   out  NULL where the job wants none; to be freed by histograms_free
 *   r    borrowed
 * Local. Errors: ERR_IO for lack of memory. */
int histograms_new(struct histograms **out, struct replica *r, const struct job *job,
                   struct err *err);

/* NULL is fine. */
void histograms_free(struct histograms *h);

/* The next step is one of those. */
void histograms_begin(struct histograms *h);

/* Before such a step, whose weights are settled: compute what its own forward would not show.
 *   step  how many are done */
void histograms_compute(struct histograms *h, const struct feed_batch *batch, uint64_t seed,
                        int64_t step);

/* As stepper.watch: node i of one of the job's steps has been computed. */
void histograms_see_node(struct histograms *h, int which, int node);

/* As stepper.see: gradients that are final. */
void histograms_see_gradient(struct histograms *h, int which, const struct reducer_piece *piece);

/* The step is over, and settled: what there is to tell, borrowed until the next begin. */
struct event_tensors histograms_end(struct histograms *h);
