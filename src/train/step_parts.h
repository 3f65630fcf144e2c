/* step_parts.h - what the files of a step share: private to step*.c. */
#pragma once
#include "train/step.h"

/* What rides on the first sum of a step over ranks: whether a rank could not read its batch or was
 * asked to stop, and rank 0's plan, to which the others add 0; behind these sums, the largest and
 * minus the least of what ranks wait. */
enum {
    SAY_UNREAD,
    SAY_STOP,
    SAY_CONTROL,
    SAY_MAX = SAY_CONTROL + CONTROL_NUMBERS,
    SAY_MOST = SAY_MAX,
    SAY_LEAST,
    SAY_LEN
};

/* v[n] becomes the sum over all ranks, and *out what they say; there is room for SAY_LEN behind v.
 * Collective. Errors, the same on all ranks: a batch could not be read. */
int step_sum(struct stepper *s, const struct step_input *in, double *v, int n,
             struct step_output *out, struct err *err);

/* The losses of the whole batch, once this rank's sums are in s->sums, or in the rows of its
 * shards: those of all are in s->sums then. Collective. Errors: those of step_sum; a loss is not
 * finite. */
int step_find_loss(struct stepper *s, int which, const struct step_input *in,
                   struct step_output *out, struct err *err);

/* Plan the sums of gradients and running statistics of one of the job's steps.
 *   home  as in stepper_init
 * Collective. Errors: those of reducer_new. */
int step_plan_sums(struct stepper *s, int which, const struct job *job,
                   const struct comm_shared *home, struct err *err);

/* What the graph tells while it runs. */
struct step_context {
    struct stepper *stepper;
    int which;
    bool backward;
};

/* Begin a phase of one of the job's steps, whose context run has. */
void step_enter(const struct run_context *run, enum pulse_phase phase);

/* As in run.h: the forward of a node waits for the weights that it reads; between operators. */
void step_need(void *context, const struct net *net, int64_t offset, int64_t len);
void step_progress(void *context);

/* Before forward: running statistics are those of all ranks; they are kept as they were. */
void step_keep_running(struct stepper *s, int which);

/* The step is none: its forward has moved them. */
void step_restore_running(const struct stepper *s, int which);

/* Before the first backward: gradients may be written. Apart, nothing of them is summed. */
void step_begin_sums(struct stepper *s, int which, double lr);

/* Running statistics become the mean over ranks, weighted by their samples, so that all replicas
 * stay identical: each rank sends its share of what this step changed, and what no step
 * changes stays as it is to the bit. */
void step_share_running(const struct stepper *s, int which, const struct feed_batch *batch);

/* All gradients of the step are ready: update, or leave it to those who need the weights.
 *   number  of the step, for messages
 * Collective. Errors, the same on all ranks: the norm of the gradients is not finite. */
int step_end_sums(struct stepper *s, int which, int64_t number, struct err *err);

/* Seconds in which this rank did not compute operators, so far. */
double step_elsewhere(const struct stepper *s);

/* Takes the time of operators, without what happens between them. */
struct step_clock {
    double now, elsewhere;
};

struct step_clock step_clock_of(const struct stepper *s);

/* Seconds since then. */
double step_computed(const struct stepper *s, const struct step_clock *since);

/* Point a graph at samples [first, first + n) of this rank's share. What could not be read has
 * none.
 */
void step_point(const struct stepper *s, struct plan *p, const struct feed_batch *batch,
                int64_t first, int64_t n);

/* --- step_shards.c: a batch that is cut into shards, of which each is computed by itself --- */

/* s->shards, where the job has some. Local. Errors: ERR_IO. */
int step_shards_new(struct stepper *s, const struct job *job, struct err *err);

/* NULL is fine. */
void step_shards_free(struct step_shards *shards);

/* Say of the spans of a job's step, borrowed, where gradients of shards wait. */
void step_shards_place(struct stepper *s, int which, struct allreduce_vector *span, int n);

/* Forward and backward over this rank's shards, one after another.
 *   totals  terms of the leaves in all shards, where a rank has several: else they follow from
 *           forward
 * Collective. Errors: those of step_find_loss. */
int step_shards_compute(struct stepper *s, int which, const struct step_input *in,
                        const double *totals, struct step_output *out, struct err *err);

/* The terms of the leaves of all graphs in all shards, to s->counts. Collective. Errors: those of
 * step_sum. */
int step_shards_count(struct stepper *s, const struct step_input *in, struct step_output *out,
                      struct err *err);

/* What n leaves gave, from the rows of shards: to s->local this rank's, to s->sums all ranks'.
 * Collective. Errors: those of step_sum. */
int step_shards_sum(struct stepper *s, const struct step_input *in, int n, struct step_output *out,
                    struct err *err);
