/* trainer_parts.h - a run and what is said of it: private to trainer.c, trainer_tell.c. */
#pragma once
#include "train/alike.h"
#include "train/feeds.h"
#include "train/gradients.h"
#include "train/identity.h"
#include "train/local_sgd.h"
#include "train/picture.h"
#include "train/runfolder.h"
#include "train/step.h"
#include "train/trainer.h"
#include "train/worst.h"

struct trainer {
    struct job *job;
    struct comm *comm;
    struct groups *groups;
    int threads;           /* of this rank */
    struct places *places; /* borrowed */
    struct feeds data;
    struct gallery gallery; /* on rank 0, where the job has pictures */
    struct worst worst;     /* samples of the last validation */
    struct replica replica;
    struct gradients gradients;
    struct alike alike;
    struct stepper stepper;
    struct local_sgd local;
    struct progress progress;
    struct control control;
    struct identity identity;
    struct applied schedule[JOB_MAX_STEPS];
    struct runfolder folder;
    const struct sinks *sinks;   /* borrowed */
    bool started;                /* they have been told so */
    bool resumes;                /* on rank 0: there is a checkpoint to go on from */
    enum control_end finished;   /* before it began: nothing is left to do */
    int64_t first_step;          /* of this process */
    double start_s, trained_s;   /* seconds: clock at the start; in steps, with waiting for data */
    struct step_times spent;     /* in steps */
    double share_max, share_min; /* of all ranks: exposed communication beside trained_s */
    double images;
    struct step_output recent; /* losses of the last time that each step ran; ran: since the last
                                  event that was logged */
};

/* An event of this run, whose own members are for the caller to fill. */
struct event trainer_event_of(const struct trainer *t, enum event_kind kind);

/* Collective. Errors: those of the sinks. */
int trainer_tell_start(struct trainer *t, struct err *err);

/* Part of the time in steps that this rank has spent in communication which nothing hid. */
double trainer_comm_share(const struct trainer *t);

void trainer_tell_step(struct trainer *t);

/*   err  why the run ends early, or NULL */
void trainer_tell_end(const struct trainer *t, const struct err *err);

/* Say behind *err, why data could not be read, that what was trained is saved. */
void trainer_add_saved(const struct trainer *t, struct err *err);

/* Why the run is over; CONTROL_GOES_ON: it was asked to stop. Rank 0 knows the whole history.
 *   before  it was over before it began
 * Collective. Errors: ERR_STOPPED when it was asked to stop; those of outcome_say. */
int trainer_conclude(struct trainer *t, enum control_end end, bool before, struct err *err);

/* Write down the worst samples of a validation that is the best, or of any where none can be. */
void trainer_tell_worst(struct trainer *t, bool best);
