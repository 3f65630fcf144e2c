/* control.h - rank 0's decisions: after every step it tells all ranks in one small message what
 * comes next. What it decides from is the same after a restart: numbers of steps, the history of
 * the best measure, and requests to stop, which any rank may have received. */
#pragma once
#include "core/learn/schedule.h"
#include "dist/comm.h"
#include "job/job.h"

/* The message. */
struct control {
    double lr[JOB_MAX_STEPS]; /* of the next step */
    bool validate;            /* now, before the next step */
    bool save_last, save_every;
    bool finish; /* the job's length is reached */
    bool stop;   /* on request: save and end, resumable */
};

/* How far the job is; part of every checkpoint. */
struct progress {
    int64_t step; /* steps done */
    int64_t steps_per_epoch;
    int64_t total_steps;
    double *measure; /* [n_measures] the best-deciding measure of every validation; heap */
    int n_measures;
    bool maximise;
    bool validated; /* after the last step done */
};

/* Steps of the whole job: from epochs (rounded) or steps. */
int64_t control_total_steps(const struct job *job, int64_t steps_per_epoch);

/* Decide what follows step `progress->step`, on rank 0, and tell everyone.
 *   schedules  [n] learning rates of the job's steps
 *   stop       some rank was asked to stop
 * Collective. */
void control_decide(const struct job *job, const struct progress *progress,
                    const struct applied *schedules, int n, bool stop, struct comm *comm,
                    struct control *out);

/* Append a measure. Errors: ERR_IO for lack of memory. */
int progress_add(struct progress *p, double measure, struct err *err);

/* Index of the best measure so far, the first among equals; -1 before any. */
int progress_best(const struct progress *p);

void progress_release(struct progress *p);
