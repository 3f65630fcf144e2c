/* sweep.h - trials of a job with other settings: what they are, what became of them, and who runs
 * them. Private to cmd.
 *
 * The folder of a sweep, runs/SWEEP, holds job.ini (what all trials have in common), sweep.json
 * (all trials, written before the first begins), results.jsonl (a line whenever one ends), and a
 * run's folder for each: trial_0001 ... A trial is `dltrain train runs/SWEEP/job.ini` with its
 * settings. */
#pragma once
#include "core/base/err.h"
#include "core/base/pool.h"
#include "io/file/lock.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum {
    SWEEP_MOST_AXES = 16,
    SWEEP_MOST_VALUES = 1000,
    SWEEP_MOST_TRIALS = 9999,
    SWEEP_MOST_RUNGS = 16,
    SWEEP_MOST_SETS = 64,
    SWEEP_MOST_JOBS = 256,
    SWEEP_TEXT = 512
};

/* One setting that differs between trials. */
struct sweep_axis {
    const char *name; /* as --set takes it */
    enum sweep_kind {
        SWEEP_GRID,    /* every value with every one of the others */
        SWEEP_CHOICE,  /* one of the values, drawn */
        SWEEP_UNIFORM, /* between low and high */
        SWEEP_LOG,     /* likewise, its logarithm */
        SWEEP_INT      /* likewise, a whole number, both ends too */
    } kind;
    const char **value; /* [n] of a grid or choice */
    int n;
    double low, high;
};

/* How it ended last, up to a rung of a halving (there is one rung where nothing is halved). */
struct sweep_result {
    enum sweep_state { SWEEP_WAITING, SWEEP_COMPLETE, SWEEP_FAILED, SWEEP_STOPPED } state;
    int rung;
    double best, epoch;               /* the measure, and when it was so good; nan: there is none */
    double epochs;                    /* trained */
    double seconds;                   /* in all its parts */
    double at_rung[SWEEP_MOST_RUNGS]; /* its best after each rung that is complete; else nan */
    const char *message;              /* why it failed; "" */
};

struct sweep_trial {
    char name[24];      /* of its folder: trial_0001 */
    int config;         /* from 0: trials that differ in seed and fold alone have the same */
    uint64_t seed;      /* job.seed of it */
    int fold;           /* held out, from 1; 0: none is */
    const char **value; /* [n_axes] */
    struct sweep_result result;
    bool skipped; /* somebody else has it; not to be tried again by this process */
};

struct sweep {
    struct pool pool;
    const char *folder;   /* runs/SWEEP */
    const char *job_name; /* of the job, for messages */
    struct sweep_axis axis[SWEEP_MOST_AXES];
    int n_axes;
    struct sweep_trial *trial; /* [n] */
    int n, n_configs;
    int folds;                     /* 0: none */
    const char **fold_spec;        /* [folds] of the data: "folds.h5:fold1" */
    double rung[SWEEP_MOST_RUNGS]; /* epochs after which all but the best end; the last one: 0 */
    int n_rungs;                   /* 1: nothing is halved */
    double eta;                    /* one of so many goes on */
    int ranks, jobs;
    const char *mpirun;  /* that starts several ranks */
    const char *measure; /* of which a larger value is better, or a smaller; "": not known yet */
    bool maximise;
    /* while it runs */
    const char *program;
    double end;      /* seconds since 1970 when its time is over; 0: not said; HUGE_VAL: never */
    bool batch_task; /* one of a batch system's array: its hosts are for mpirun to find */
};

/* What a command line asks for. */
struct sweep_wish {
    const char *job;
    const char *set[SWEEP_MOST_SETS]; /* of all trials */
    int n_sets;
    const char *name;                          /* NULL: JOB_sweep */
    int64_t trials, jobs, ranks, seeds, kfold; /* 0: not given */
    int64_t seed;                              /* of draws; -1: the job's */
    bool halving;
    double eta, min_epochs;
    const char *mpirun;
};

/* --grid "lr=0.1,0.2"; --random "lr=log(1e-4,1e-1)": one more axis. Errors: ERR_USAGE. */
int sweep_read_grid(struct sweep *s, const char *text, struct err *err);
int sweep_read_random(struct sweep *s, const char *text, struct err *err);

/* The value of a drawn axis for one configuration: a function of seed, axis and configuration. */
const char *sweep_draw(struct sweep *s, int axis, uint64_t seed, int config);

/* Lay out all trials, read the job of each, make the folder and write what is in it first. Its axes
 * are there. Errors: those of the job, naming the trial; ERR_USAGE where the folder holds a sweep
 * already, or what is asked for does not go together; ERR_IO. */
int sweep_plan(struct sweep *s, const struct sweep_wish *wish, struct err *err);

/* What --set is given for a trial: sets[SWEEP_MOST_SETS], in the pool. Returns how many. */
int sweep_sets(struct sweep *s, const struct sweep_trial *t, const char **sets);

/* Cut the training data of the job into folds, where they are not parts of it already: fold_spec.
 * Errors: those of dataset_split. */
int sweep_fold(struct sweep *s, const char *train, int folds, uint64_t seed, struct err *err);

/* What data.train and data.validate are where a fold is held out, in the pool. */
const char *sweep_fold_train(struct sweep *s, int fold);

/* Write runs/SWEEP/sweep.json; read it, with all results up to now, into *s, {0} before. Errors:
 * ERR_IO; ERR_DATA naming the file where it is none. */
int sweep_write(const struct sweep *s, struct err *err);
int sweep_read(struct sweep *s, const char *folder, struct err *err);

/* Take in what results.jsonl says; nothing where there is none. Errors as above. */
int sweep_read_results(struct sweep *s, struct err *err);

/* Append what became of a trial. Errors: ERR_IO. */
int sweep_append(const struct sweep *s, const struct sweep_trial *t, struct err *err);

/* "runs/SWEEP/NAME", in the pool. */
const char *sweep_file(struct sweep *s, const char *name);

/* "lr=0.1 data.batch=64 seed=2 fold=1": into text, which is returned. */
const char *sweep_settings(const struct sweep *s, const struct sweep_trial *t,
                           char text[SWEEP_TEXT]);

/* What a trial's folder says of how far it is and how good: result->best, epoch, epochs; and of the
 * sweep measure and maximise. Without a checkpoint nothing changes. */
void sweep_look(struct sweep *s, struct sweep_trial *t);

/* The last message of the program in its output, or "": in the pool. */
const char *sweep_message(struct sweep *s, const struct sweep_trial *t);

/* Is a better than b? A number is better than none. */
bool sweep_better(const struct sweep *s, double a, double b);

/* The trial that is to be begun or gone on with next, and the rung that it is to reach; -1: there
 * is none, or the others of the rung must end first.
 *   busy  [n] trials that are running */
int sweep_next(const struct sweep *s, const bool *busy, int *rung);

/* Which configurations take part in a rung: alive[n_configs]. */
void sweep_contenders(const struct sweep *s, int rung, bool *alive);

/* Has a trial reached a rung? */
bool sweep_reached(const struct sweep_trial *t, int rung);

/* The mean of a configuration's trials after a rung, nan where one of them is not there. */
double sweep_config_value(const struct sweep *s, int config, int rung);

/* A process that runs a trial. */
struct sweep_child {
    pid_t pid; /* 0: none */
    int trial, rung;
    struct lock lock; /* of the trial: two sweeps never run the same one */
    double begun;
};

/* Begin it on the slot-th of `slots` parts of this process's processors. Returns 1 where somebody
 * else has it. Errors: ERR_IO. */
int sweep_begin(struct sweep *s, struct sweep_child *c, int trial, int rung, int slot, int slots,
                struct err *err);

/* It has ended, with that status of waitpid: what became of it is its result, and written down.
 *   stopping  it was asked to. Errors: ERR_IO. */
int sweep_end(struct sweep *s, struct sweep_child *c, int status, bool stopping, struct err *err);

/* Run what is not complete, of all trials or of one (from 0; -1: all). Errors: ERR_STOPPED when it
 * was asked to stop, or others run what is left; of the first trial that failed where none was
 * complete. */
int sweep_run(struct sweep *s, int only, struct err *err);

/* Write runs/SWEEP/sweep.sbatch, an array of one task a trial.
 *   options  for #SBATCH lines, or NULL. Returns the path, in the pool; NULL with ERR_IO. */
const char *sweep_sbatch(struct sweep *s, const char *options, int most_at_once, struct err *err);

/* Print what has become of the trials. */
void sweep_print(const struct sweep *s);
void sweep_print_csv(const struct sweep *s);
void sweep_print_json(const struct sweep *s);

/* Numbers of trials. */
struct sweep_spread {
    int n;
    double mean, deviation, error, least, most; /* deviation and error: nan where n < 2 */
};

/* Of those of v[n] that are finite. */
struct sweep_spread sweep_spread_of(const double *v, int n);

/* Spearman's rank correlation of x[n] and y[n], ties by mean ranks; nan where one of them does not
 * vary or n < 3. */
double sweep_rank_correlation(const double *x, const double *y, int n);
