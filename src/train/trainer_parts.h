/* trainer_parts.h - a run and what is said of it: private to trainer*.c. */
#pragma once
#include "dist/watchdog.h"
#include "train/alike.h"
#include "train/culprit.h"
#include "train/deadline.h"
#include "train/fault.h"
#include "train/feeds.h"
#include "train/gradients.h"
#include "train/histograms.h"
#include "train/identity.h"
#include "train/local_sgd.h"
#include "train/partner.h"
#include "train/picture.h"
#include "train/runfolder.h"
#include "train/saver.h"
#include "train/step.h"
#include "train/stragglers.h"
#include "train/trainer.h"
#include "train/worst.h"

#include <stdatomic.h>

/* Seconds of this rank, and samples. */
struct trainer_spent {
    double total_s; /* in steps, with waiting for data: */
    double data_s;
    struct step_times step;
    double told_s; /* behind steps, for those who write them down */
    double audit_s, validate_s, save_s;
    double samples;
};

/* What ranks tell each other of their time, now and then. */
struct trainer_ranks {
    const char **host;                   /* [size] of each; the model's; NULL: there is one rank */
    double *told;                        /* [size][3] their seconds */
    double *compute_s, *wait_s, *data_s; /* [size] on rank 0: of a step */
    struct trainer_spent before;         /* when they told it last, */
    int64_t at;                          /* after that step */
};

/* What ranks tell each other every some steps, to find slow ones. */
struct trainer_pace {
    struct straggler_time mine;  /* since they told it last, without steps that are looked into */
    struct trainer_spent last;   /* when the step before ended */
    struct straggler_time *told; /* [size] the model's; NULL: there is one rank */
    struct straggler_time *sum;  /* [size] on rank 0: of a window, which begins after step `from` */
    double *room;                /* [2 size] */
    int64_t from, steps;         /* of the window: after that one; of it, that were counted */
    struct stragglers said;
};

struct trainer {
    struct job *job;
    struct comm *comm;
    struct pulse *pulse;
    struct watchdog *watchdog;
    atomic_bool named, locked; /* its thread may read the names; the lock of the folder */
    atomic_bool leaves;        /* its thread ends this process */
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
    struct partner partner;     /* copies of the state on hosts, where the job has some */
    int copy;                   /* rank on whose host there is one to go on from; -1: none */
    struct saver *saver;        /* on rank 0 */
    int64_t saved_step;         /* what last.h5 is of; 0: there is none */
    struct err no_best;         /* why the best is not in best.h5, nor kept for it; kind 0: it is */
    const struct sinks *sinks;  /* borrowed */
    bool started;               /* they have been told so */
    bool resumes;               /* on rank 0: there is a checkpoint to go on from */
    const char *from;           /* on rank 0: that one; the folder's */
    enum control_end finished;  /* before it began: nothing is left to do */
    int64_t first_step;         /* of this process */
    int64_t audited;            /* step after which ranks were compared last */
    double began_s, start_s;    /* clock when all of it began, and the first step */
    struct trainer_spent spent; /* since then */
    struct trainer_spent logged; /* of it when a step was logged last */
    struct trainer_ranks ranks;
    struct trainer_pace pace;
    double share_max, share_min; /* of all ranks: exposed communication beside all time in steps */
    double images;
    struct culprit_losses losses[JOB_MAX_STEPS];
    bool unlike;               /* replicas are no longer the same */
    struct fault_names names;  /* of operators, for those who say where a rank is */
    struct step_output recent; /* losses of the last time that each step ran; ran: since the last
                                  event that was logged */
};

/* Watch all ranks from now on, until trainer_unwatch: a rank that holds up the others is named, on
 * a page in the run's folder, and the job ends with ERR_STOPPED. Collective. Errors: those of
 * watchdog_new. */
int trainer_watch(struct trainer *t, struct err *err);
void trainer_unwatch(struct trainer *t);

/* On rank 0: the weights to begin with, which a run that goes on does not need; t->resumes says
 * whether it is one. Local. Errors: those of weights_load. */
int trainer_load_weights(struct trainer *t, bool resume, struct err *err);

/* Where a job that resumes keeps copies of its state on hosts: is there one to go on from? */
void trainer_find_copy(struct trainer *t, bool resume);

/* Once the folder is this run's: make it the last checkpoint. Collective. Errors: those of
 * partner_bring. */
int trainer_bring_copy(struct trainer *t, struct err *err);

/* Once it has begun; after a step, where a copy is due; at its end, as it ends with rc and err.
 * Collective. */
void trainer_begin_copies(struct trainer *t);
bool trainer_copy_is_due(const struct trainer *t);
void trainer_end_copies(struct trainer *t, int rc, const struct err *err);

/* An event of this run, whose own members are for the caller to fill. */
struct event trainer_event_of(const struct trainer *t, enum event_kind kind);

/* Tell those who listen, whose files and readers may take their time, as storage may. */
void trainer_tell(const struct trainer *t, const struct event *e);

/* Where the main thread is, for those who look at its pulse. */
void trainer_enter(const struct trainer *t, enum pulse_phase phase);

/* Nothing is measured or saved of replicas that are no longer the same, or not yet. Collective.
 * Errors: those of alike_check. */
int trainer_audit(struct trainer *t, struct err *err);

/* Measure and draw what the job wants; where that is the best so far, save it. Collective. Errors:
 * those of the data, behind a last checkpoint; of trainer_audit and trainer_save_best. */
int trainer_validate(struct trainer *t, struct err *err);

/* Once the replica is planned, on rank 0: who writes checkpoints. Local. Errors: ERR_IO. */
int trainer_plan_saving(struct trainer *t, struct err *err);

/* Save what is due after a step, and best.h5 after a validation that is the best. What cannot be
 * written is a warning where the run goes on and the job does not say otherwise. Collective.
 * Errors: ERR_IO; ERR_DATA where numbers are not finite; those of trainer_audit. */
int trainer_save(struct trainer *t, struct err *err);
int trainer_save_best(struct trainer *t, struct err *err);

/* Data that cannot be read costs nothing of what was trained: that is saved, to go on from when the
 * data is mended, and *cause says so. Returns -1. Collective. */
int trainer_save_before_end(struct trainer *t, struct err *cause);

/* On rank 0: tell of what has been written since.
 *   waits  for what is being written */
void trainer_hear_saver(struct trainer *t, bool waits);

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

/* Is the step that is number `step` when it is done looked into? Local. */
bool trainer_looks_into(const struct trainer *t, int64_t step);

/* Count what was done since then, and keep it where it is wanted. */
void trainer_trace(struct trainer *t, enum trace_kind kind, double began);

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

/* Once hosts are known: room for what ranks are compared by. */
void trainer_meet_pace(struct trainer *t);

/* After each step: what it took; and, where ranks are to be compared, all of them, for rank 0 to
 * say who is slow. Collective then. */
void trainer_watch_pace(struct trainer *t);

/* Tell those who listen what the time of all ranks went into. Collective. */
void trainer_tell_phases(struct trainer *t);

/*   err  why the run ends early, or NULL */
void trainer_tell_end(const struct trainer *t, const struct err *err);

/* Say behind *err, why data could not be read, that what was trained is saved. */
void trainer_add_saved(const struct trainer *t, struct err *err);

/* From now on, until crash_forget, a crash of this process is told, with a page in the folder;
 * NULL: none is this run's yet. Local. */
void trainer_watch_crashes(const struct trainer *t, const char *folder);

/* Write a page of what ended the run early, where it is a fault, and add to *err where that is.
 * Collective, with the same error on all ranks. */
void trainer_tell_fault(struct trainer *t, struct err *err);

/* Why the run is over; CONTROL_GOES_ON: it stops, as t->control says. Rank 0 knows the whole
 * history.
 *   before  it was over before it began
 * Collective. Errors: ERR_STOPPED when it stops; those of outcome_say. */
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
