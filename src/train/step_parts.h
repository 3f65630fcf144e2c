/* step_parts.h - what the files of a step share: private to step*.c. */
#pragma once
#include "train/step.h"

/* Point a graph at samples [first, first + n) of this rank's share. */
void step_point(const struct stepper *s, struct plan *p, const struct feed_batch *batch,
                int64_t first, int64_t n);

/* The losses of the whole batch, once this rank's sums are in s->sums, or in the rows of its
 * shards: they become those of all, in s->sums. */
int step_find_loss(struct stepper *s, int which, const struct step_input *in,
                   struct step_output *out, struct err *err);

/* v[n] becomes the sum over all ranks; the time is that of waiting. */
void step_sum(const struct stepper *s, double *v, int n, struct step_times *times);

/* --- step_shards.c: a batch that is cut into shards, of which each is computed by itself --- */

/* s->shards, where the job has some. Local. Errors: ERR_IO. */
int step_shards_new(struct stepper *s, const struct job *job, struct err *err);

/* NULL is fine. */
void step_shards_free(struct step_shards *shards);

/* Say of the spans of a job's step, borrowed, where gradients of shards wait. */
void step_shards_place(struct stepper *s, int which, struct allreduce_vector *span, int n);

/* Forward and backward over this rank's shards, one after another.
 *   totals  terms of the leaves in all shards, where a rank has several: else they follow from
 *           forward */
int step_shards_compute(struct stepper *s, int which, const struct step_input *in,
                        const double *totals, struct step_output *out, struct err *err);

/* The terms of the leaves of all graphs in all shards, where a rank has several: counts[n]. */
void step_shards_count(struct stepper *s, const struct step_input *in, double *counts, int n,
                       struct step_times *times);

/* This rank's sums of leaves, sum of its shards' rows; and their sum over all of the batch. */
void step_shards_local(const struct stepper *s, int64_t n, double *local);
void step_shards_sum(struct stepper *s, int n, double *sums, struct step_times *times);
