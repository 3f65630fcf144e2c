/* supervisor.h - a job that outlives its hosts: mpirun is started again with those that are left.
 * No MPI is in it. */
#pragma once
#include "cmd/watch_log.h"
#include "core/base/err.h"
#include "core/base/pool.h"

#include <sys/types.h>
#include <time.h>

struct supervisor_host {
    const char *name;
    int slots;    /* ranks that it takes */
    bool answers; /* when it was asked last */
};

/* What the job's folder says of it. */
struct supervisor_log {
    struct watch_log events, metrics;
    int64_t begun;        /* the step that its last start went on from */
    int64_t logged;       /* the last step in its metrics */
    int n_starts;         /* that were written down since it was first looked at */
    char state[16];       /* of its end: "complete", "stopped", "failed"; "": it has not ended */
    double heard, ended;  /* clock when something came last, and its end; 0: it did not */
    struct timespec made; /* job.ini, anew with each start that got so far */
};

struct supervisor {
    const char *program;
    const char *mpirun; /* with words of its own, blanks between them */
    bool mpich;         /* whose launcher it is; else Open MPI's */
    bool slurm;         /* hosts are those of an allocation */
    int stop_signal;    /* by which the job, through mpirun, is asked to stop; */
    int save_signal;    /* to save; 0: mpirun passes none of those on */
    int most_ranks;     /* 0: as many as slots */
    int patience_s;     /* for which a host may take to answer */
    int tries;          /* starts without progress, behind the first */
    char **args;        /* [n_args] of `train`, the job first; borrowed */
    int n_args;
    bool resumes;       /* --resume is among them */
    const char *folder; /* runs/NAME */
    const char *id;     /* of the job, in the environment of its processes (LOCK_OWNER_JOB) */
    struct supervisor_host *host;
    int n_hosts; /* 0: mpirun alone knows, or there is this one only */
    struct supervisor_log log;
    struct pool pool;
};

/* --- hosts: supervisor_hosts.c --- */

/* "a:4,b:4", of one slot where no number stands; of a host that is named twice they are added.
 * Errors: ERR_USAGE. */
int supervisor_read_hosts(struct supervisor *s, const char *list, struct err *err);

/* A file of lines `node1 slots=4`, or `node1:4`. Errors: ERR_IO; ERR_CONFIG naming the line. */
int supervisor_read_hostfile(struct supervisor *s, const char *file, struct err *err);

/* Those of the Slurm allocation that this process is in; without one nothing is done.
 * Errors: ERR_IO where Slurm does not say them. */
int supervisor_read_slurm(struct supervisor *s, struct err *err);

/* Ranks of a start on the hosts that answer; 0: mpirun decides. */
int supervisor_ranks(const struct supervisor *s);

/* "node1:4,node2:4" of those that answer; their names with blanks, of those that do or do not. */
const char *supervisor_host_list(struct supervisor *s);
const char *supervisor_host_names(struct supervisor *s, bool answers);

/* --- processes: supervisor_child.c --- */

/* Start the job. Returns its process, or -1 with err (ERR_IO). */
pid_t supervisor_start(struct supervisor *s, bool resume, struct err *err);

/* End a process that was started here, and those that it started on this host: asked first, killed
 * after ten seconds. Returns how it ended, as waitpid says it. */
int supervisor_end(pid_t pid);

/* Ask all hosts at a time whether they answer, which is noted in them. Returns how many do.
 *   clears  and have them end what is left of the job */
int supervisor_ask_hosts(struct supervisor *s, bool clears);

/* End what is left of a job on this host: processes with its id in their environment. Returns how
 * many there were. */
int supervisor_clear(const char *id);

/* --- what happens: supervisor_log.c --- */

/* Before a start: what is in the folder is not news. */
void supervisor_begin_log(struct supervisor *s);

/* Look into the folder, where something may have come. */
void supervisor_look(struct supervisor *s);

/* When the job was last put into the folder, which a start does once it has it; 0: never. */
struct timespec supervisor_made(struct supervisor *s);

/* Print a line of the supervisor's own on stderr. */
void supervisor_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- all of it: supervisor_run.c --- */

/* Start the job until it has ended for good. Errors: with the code that the ranks ended with,
 * without a text where they have said why; ERR_STOPPED where it was asked to stop; ERR_IO where
 * nothing can be started. */
int supervisor_run(struct supervisor *s, struct err *err);
