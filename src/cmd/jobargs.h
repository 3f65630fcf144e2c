/* jobargs.h - the command line of commands that take a job, and the ranks that run it. */
#pragma once
#include "core/base/err.h"
#include "dist/place.h"
#include "job/job.h"

struct option_spec;

enum { JOBARGS_MAX_SETS = 64 };

struct jobargs {
    struct comm *comm;
    struct job job;
    struct places places; /* where all ranks are */
    int threads;          /* of this rank */
    const char *sets[JOBARGS_MAX_SETS];
    int n_sets;
    bool resume;
    const char *weights; /* --weights FILE */
    const char *run;     /* the checkpoint that the job is from; NULL: from a file of its own */
    struct pool pool;
    int64_t steps;   /* --steps N; 0: not given */
    int64_t emulate; /* --emulate-ranks N; 0: not given */
    bool layers, json;
    char **inputs; /* [n_inputs] what stands behind the job, of argv */
    int n_inputs;
};

/* Which options beside --set a command takes, as bits. */
enum {
    JOBARGS_RESUME = 1,
    JOBARGS_WEIGHTS = 2,
    JOBARGS_STEPS = 4,
    JOBARGS_LAYERS = 8,
    JOBARGS_JSON = 16,
    JOBARGS_EMULATE = 32,
    JOBARGS_INPUTS = 64 /* more arguments behind the job */
};

/* Start MPI, read the command line, which must be the same everywhere, and the job, whose files
 * rank 0 alone opens. A command that takes --weights takes a run, too, in place of the job: its
 * folder or one of its checkpoints. Collective. Errors, the same on all ranks: ERR_USAGE, those of
 * job_read, ERR_CONFIG where ranks differ. */
int jobargs_init(struct jobargs *a, int argc, char **argv, unsigned takes, struct err *err);

/* Likewise with options of the command's own: a table that ends with {0}, whose offsets count from
 * a, which the command's struct begins with. */
int jobargs_init_with(struct jobargs *a, int argc, char **argv, unsigned takes,
                      const struct option_spec *more, struct err *err);

/* Have all ranks the same command? The first that they talk of once each has read its command line
 * and they agree that none is wrong: what they talk of next depends on it.
 *   argv   argv[0] is the command, or what the program was started as
 *   whole  compare its arguments, too, but for --set
 * Collective. Errors, the same on all ranks: ERR_CONFIG, as of same_check. */
int jobargs_same_command(struct comm *comm, int argc, char **argv, bool whole, struct err *err);

/* End it all. Rank 0 prints what went wrong, if anything did, and the error loses its text.
 * {0} is fine. */
void jobargs_release(struct jobargs *a, struct err *err);
