/* rig.h - a job's training steps on a batch of random numbers and classes, without files: what is
 * measured. Private to cmd. */
#pragma once
#include "dist/groups.h"
#include "train/gradients.h"
#include "train/step.h"

/* {0} is releasable. */
struct rig {
    struct replica replica;
    struct gradients gradients;
    struct stepper stepper;
    struct groups *groups;
    void *memory[LOADER_MAX_FIELDS];
    struct feed_batch batch; /* this rank's share of job->batch samples */
};

/* Everything up to the first step. Job and comm are borrowed until rig_release. Collective.
 * Errors, the same on all ranks: those of training. */
int rig_init(struct rig *r, struct job *job, struct comm *comm, int threads, struct err *err);

/* Step number `step`, by a learning rate so small that random labels do no harm, whatever the
 * number of steps. Collective. Errors: those of stepper_run. */
int rig_step(struct rig *r, int64_t step, struct step_output *out, struct err *err);

/* Collective. {0} is fine. */
void rig_release(struct rig *r);
