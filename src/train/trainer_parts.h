/* trainer_parts.h - a run and what is said of it: private to trainer.c, trainer_tell.c. */
#pragma once
#include "train/alike.h"
#include "train/deadline.h"
#include "train/feeds.h"
#include "train/gradients.h"
#include "train/histograms.h"
#include "train/identity.h"
#include "train/local_sgd.h"
#include "train/picture.h"
#include "train/runfolder.h"
#include "train/step.h"
#include "train/trainer.h"
#include "train/worst.h"

/* Seconds in steps of this rank. */
struct trainer_spent {
    double total_s; /* with waiting for data: */
    double data_s;
    struct step_times step;
};

/* What ranks tell each other of their time, now and then. */
struct trainer_ranks {
    const char **host;                   /* [size] of each; the model's; NULL: there is one rank */
    double *told;                        /* [size][3] their seconds */
    double *compute_s, *wait_s, *data_s; /* [size] on rank 0: of a step */
    struct trainer_spent before;         /* when they told it last, */
    int64_t at;                          /* after that step */
};

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
    struct histograms *histograms; /* on rank 0, where the job has some */
    struct trace *trace;           /* NULL: the job has none, or it is written */
    double watched;                /* when an operator ended, or what is between began */
    struct local_sgd local;
    struct progress progress;
    struct control control;
    struct deadline deadline; /* of the time that the run has */
    struct identity identity;
    struct applied schedule[JOB_MAX_STEPS];
    struct runfolder folder;
    const struct sinks *sinks;   /* borrowed */
    bool started;                /* they have been told so */
    bool resumes;                /* on rank 0: there is a checkpoint to go on from */
    enum control_end finished;   /* before it began: nothing is left to do */
    int64_t first_step;          /* of this process */
    double start_s;              /* clock at the start */
    struct trainer_spent spent;  /* since then */
    struct trainer_spent logged; /* of it when a step was logged last */
    struct trainer_ranks ranks;
    double share_max, share_min; /* of all ranks: exposed communication beside all time in steps */
    double images;
    struct step_output recent; /* losses of the last time that each step ran; ran: since the last
                                  event that was logged */
};

/* On rank 0: the weights to begin with, which a run that goes on does not need; t->resumes says
 * whether it is one. Local. Errors: those of weights_load. */
int trainer_load_weights(struct trainer *t, bool resume, struct err *err);

/* An event of this run, whose own members are for the caller to fill. */
struct event trainer_event_of(const struct trainer *t, enum event_kind kind);

/* Collective. Errors: those of the sinks. */
int trainer_tell_start(struct trainer *t, struct err *err);

/* Part of the time in steps that this rank has spent in communication which nothing hid. */
double trainer_comm_share(const struct trainer *t);

/* Collective where ranks tell each other of their time. */
void trainer_tell_step(struct trainer *t);

/* Before and after a step, whether it is one that is looked into; the steps of all ranks are.
 * Local, but ranks wait for sums.
 *   batch  of the step; NULL: it could not be read */
void trainer_begin_looking(struct trainer *t, const struct feed_batch *batch);
void trainer_end_looking(struct trainer *t);

/* Keep what was done since then, if it is wanted. */
void trainer_trace(const struct trainer *t, enum trace_kind kind, double began);

/* Once all is planned: room for the trace that the job wants. Local. Errors: ERR_IO. */
int trainer_plan_trace(struct trainer *t, struct err *err);

/* Before a step: are events wanted from now on? Local. */
void trainer_begin_trace(struct trainer *t);

/* After a step and what follows it: where it is the last of the trace, or of this process, collect
 * it and tell those who listen. Collective. Errors: those of gather.h, but no lack of memory. */
int trainer_end_trace(struct trainer *t, struct err *err);

/* Once the replica is there: room for what ranks tell of their time, where there are several. */
void trainer_meet_ranks(struct trainer *t);

/* Where a step is logged: mean seconds of a step, of all ranks; borrowed until the next call.
 * False: they told it shortly before, or there is one. Collective. */
bool trainer_gather_ranks(struct trainer *t, struct event_ranks *out);

/*   err  why the run ends early, or NULL */
void trainer_tell_end(const struct trainer *t, const struct err *err);

/* Say behind *err, why data could not be read, that what was trained is saved. */
void trainer_add_saved(const struct trainer *t, struct err *err);

/* Why the run is over; CONTROL_GOES_ON: it stops, as t->control says. Rank 0 knows the whole
 * history. before  it was over before it began Collective. Errors: ERR_STOPPED when it stops; those
 * of outcome_say. */
int trainer_conclude(struct trainer *t, enum control_end end, bool before, struct err *err);

/* Once it is known what takes time: begin to count what is left, and say when it is over.
 *   end  seconds since 1970; 0 or HUGE_VAL: never
 * Local. */
void trainer_begin_time(struct trainer *t, double end);

/* On rank 0: what follows step t->progress.step, or the one that comes next, and how that changes
 * where the time is nearly over. Each start does a step, or the validation that is owed: it could
 * lose nothing else, and comes to its end however short its parts are. */
void trainer_plan(const struct trainer *t, bool ahead, struct control *out);

/* Write down the worst samples of a validation that is the best, or of any where none can be. */
void trainer_tell_worst(struct trainer *t, bool best);
