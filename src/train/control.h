/* control.h - rank 0's decisions: in every step it tells all ranks what comes next, in numbers that
 * ride on the sum of the losses. What it decides from is the same after a restart: numbers of
 * steps, the history of the best measure, and requests to stop, which any rank may have received,
 * or which the end of the time is.
 */
#pragma once
#include "core/learn/schedule.h"
#include "job/job.h"

/* Why a job is at its end. */
enum control_end {
    CONTROL_GOES_ON,
    CONTROL_LENGTH,   /* all its steps are done */
    CONTROL_PATIENCE, /* [validate] patience: the best measure did not get better */
    CONTROL_UNTIL,    /* it was told to go no further for now; --resume goes on */
};

/* Why a job stops before that, to go on with --resume. */
enum control_stop {
    CONTROL_NO_STOP,
    CONTROL_ASKED, /* by a signal to some rank */
    CONTROL_TIME,  /* what comes next does not fit into the time that is left */
};

/* What comes next. */
struct control {
    double lr[JOB_MAX_STEPS]; /* of the next step */
    bool validate;            /* now, before the next step */
    bool save_last, save_every;
    enum control_end finish;
    enum control_stop stop; /* save and end, resumable */
};

/* How far the job is; part of every checkpoint. */
struct progress {
    int64_t step; /* steps done */
    int64_t steps_per_epoch;
    int64_t total_steps;
    int64_t until;   /* end here, before total_steps, whose schedule it keeps; 0: go to the end */
    double *measure; /* [n_measures] the best-deciding measure of every validation; heap */
    int64_t *measured_at; /* [n_measures] after which step; heap */
    int n_measures;
    bool maximise;
    bool validated; /* after the last step done */
};

/* Steps of the whole job: from epochs (rounded) or steps. */
int64_t control_total_steps(const struct job *job, int64_t steps_per_epoch);

/* How long a run is.
 *   until  epochs after which it ends, for now; 0: not before its end
 * Local. */
void control_begin(struct progress *p, const struct job *job, int64_t steps_per_epoch,
                   double until);
/* Does a period end with step progress->step? Periods of epochs may be fractions of an epoch. */
bool interval_due(const struct interval *every, const struct progress *progress);

/* Does it ever happen? */
bool interval_is_set(const struct interval *every);

/* Decide what follows step `progress->step`, unless the run must stop.
 *   schedules  [n] learning rates of the job's steps
 * Local; on rank 0, which knows the whole history. */
void control_plan(const struct job *job, const struct progress *progress,
                  const struct applied *schedules, int n, struct control *out);

/* What follows in place of the plan where the run stops; CONTROL_NO_STOP: the plan. A request
 * changes nothing of a job that is at its end. Local. */
void control_stop(struct control *c, enum control_stop why);

/* A plan as numbers, which sums over ranks carry exactly where all others add 0; and back. */
enum { CONTROL_NUMBERS = JOB_MAX_STEPS + 5 };
void control_pack(const struct control *c, double numbers[CONTROL_NUMBERS]);
void control_unpack(const double numbers[CONTROL_NUMBERS], struct control *c);

/* Is a job at its end, without a validation that it still owes? Local. */
enum control_end control_finished(const struct job *job, const struct progress *progress);

/* Append the measure of a validation after `step`. Errors: ERR_IO for lack of memory. */
int progress_add(struct progress *p, int64_t step, double measure, struct err *err);

/* Index of the best measure so far, the first among equals; -1 before any. What is not a number, or
 * infinitely bad, is never the best. */
int progress_best(const struct progress *p);

/* Validations since the best one, or since the first. */
int progress_idle(const struct progress *p);

/* Epochs that so many steps are. */
double progress_epoch(const struct progress *p, int64_t steps);

void progress_release(struct progress *p);
