/* tryout.h - steps of a job that are taken to learn something about it: on its own data, from its
 * own initial weights, of which nothing is kept. */
#pragma once
#include "train/alike.h"
#include "train/rehearsal.h"

/* {0} is releasable. */
struct tryout {
    struct rehearsal run;
    int64_t step; /* steps taken */
};

/* Everything up to the first step, with the weights that [weights] name. Collective.
 *   sinks  told what training would say of data and weights
 * Errors, the same on all ranks: those of training. */
int tryout_init(struct tryout *p, struct job *job, struct comm *comm, int threads,
                const struct sinks *sinks, struct err *err);

/* Steps 0 .. steps - 1 of the training data follow. */
void tryout_seek(struct tryout *p, int64_t steps);

/* Take the next step, by these rates of the job's steps, [n_steps]. Collective. Errors, the same on
 * all ranks: those of stepper_run; ERR_STOPPED where some rank was asked to stop. */
int tryout_step(struct tryout *p, const double *lr, struct step_output *out, struct err *err);

/* Collective. {0} is fine. */
void tryout_release(struct tryout *p);
