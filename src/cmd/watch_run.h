/* watch_run.h - a run as its folder shows it to others: how far it is, what it measured, whether it
 * lives. */
#pragma once
#include "cmd/watch_log.h"
#include "core/base/pool.h"
#include "job/job.h"

enum watch_state {
    WATCH_NO_RUN,  /* no job is in the folder */
    WATCH_RUNNING, /* as far as can be told from here */
    WATCH_STALE,   /* on another host, and nothing has come for long */
    WATCH_ENDED,   /* the job's length is done, or its patience */
    WATCH_STOPPED, /* before that; it can go on */
    WATCH_FAILED,  /* it says so, or its process is gone without a word */
};

enum { WATCH_TEXT = 256, WATCH_TIMES = 32 };

/* The course of one number. */
struct watch_series {
    const char *name;      /* "loss", "critic.loss", "top1" */
    bool measured;         /* in validation */
    double *epoch, *value; /* [n] */
    int n;
    double error; /* standard error of the last value; nan: not known */
};

/* {.folder} knows nothing yet. */
struct watch_run {
    const char *folder, *name; /* borrowed */
    struct watch_log metrics, ranks, events;

    /* From the log, anew where that is another. */
    struct pool pool;
    struct watch_series *series; /* [n_series] in the order of the log */
    int n_series;
    double step, epoch, lr, img_per_s, comm_share;      /* of the last line that has them, or nan */
    double times[WATCH_TIMES], time_steps[WATCH_TIMES]; /* [n_times] of the last lines */
    int n_times;
    double slowest_s, fastest_s; /* of a step's computation, of all ranks; nan: not known */
    double wait_share;           /* of the ranks' time in steps, together */
    int slowest, n_ranks;

    bool failed; /* it said so when it ended, and why; it has not begun again */
    char why[WATCH_TEXT];

    /* From the other files. */
    double job_changed; /* when job.ini was last read, as in watch_log */
    double epochs, steps, batch;
    int patience;
    char best[64]; /* the measure that decides */
    int better;    /* 1: larger is, -1: smaller, 0: not known */
    enum watch_state state;
    double age_s;          /* of the last line; nan: there is none */
    char said[WATCH_TEXT]; /* more of the state: "process 12 on node1" */
};

/* Look at the folder again. Local, and never an error: what is not there is not known. */
void watch_run_look(struct watch_run *run);
void watch_run_release(struct watch_run *run);

/* Nothing more will come. */
bool watch_run_is_over(const struct watch_run *run);

/* Steps of the whole job, 0 to 1 of it that is done, and seconds that the rest takes; nan: not
 * known. */
double watch_run_steps(const struct watch_run *run);
double watch_run_share(const struct watch_run *run);
double watch_run_left_s(const struct watch_run *run);

/* The series of the deciding measure, or NULL; where its best value is, -1 where none is known. */
const struct watch_series *watch_run_deciding(const struct watch_run *run);
int watch_run_best(const struct watch_run *run, const struct watch_series *s);
