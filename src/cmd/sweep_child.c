/* sweep_child.c - a trial as a process of its own: dltrain train, by mpirun where it has ranks. */
#define _GNU_SOURCE /* processors of a process */
#include "cmd/command.h"
#include "cmd/sweep.h"
#include "core/base/clock.h"
#include "io/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_WORDS = 2 * SWEEP_MOST_SETS + 32, NOT_STARTED = 127 };

extern char **environ;

/* --- what it is started as --- */

static const char **command(struct sweep *s, const struct sweep_trial *t, int rung) {
    const char **argv = pool_take(&s->pool, MOST_WORDS * sizeof *argv);
    const char *sets[SWEEP_MOST_SETS];
    const int n_sets = sweep_sets(s, t, sets);
    int n = 0;

    if (s->ranks > 1) {
        n = command_words(&s->pool, s->mpirun, argv, n, MOST_WORDS / 2);
        argv[n++] = "-np";
        argv[n++] = pool_print(&s->pool, "%d", s->ranks);
    }
    argv[n++] = s->program;
    argv[n++] = "train";
    argv[n++] = sweep_file(s, "job.ini");
    argv[n++] = "--resume";
    for (int i = 0; i < n_sets; i++) {
        argv[n++] = "--set";
        argv[n++] = sets[i];
    }
    if (s->rung[rung] > 0) {
        argv[n++] = "--until";
        argv[n++] = pool_print(&s->pool, "%.17g", s->rung[rung]);
    }
    if (s->end > 0) { /* else Slurm's, which the trial sees, too */
        argv[n++] = "--end";
        argv[n++] = isfinite(s->end) ? pool_print(&s->pool, "@%.0f", s->end) : "never";
    }
    return argv;
}

/* --- where it runs; between fork and exec --- */

/* Of the processors of this process the slot-th of so many parts, so that trials side by side do
 * not share any while there are enough. */
static void take_processors(int slot, int slots) {
    cpu_set_t all, part;
    int n = 0, nth = 0;

    if (slots < 2 || sched_getaffinity(0, sizeof all, &all))
        return;
    const int there = CPU_COUNT(&all);
    const int first = there >= slots ? slot * there / slots : slot % there;
    const int end = there >= slots ? (slot + 1) * there / slots : first + 1;
    CPU_ZERO(&part);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all)) {
            if (nth >= first && nth < end)
                CPU_SET(cpu, &part), n++;
            nth++;
        }
    if (n)
        sched_setaffinity(0, sizeof part, &part);
}

static bool begins_with_one(const char *text, const char *const *starts) {
    for (; *starts; starts++)
        if (!strncmp(text, *starts, strlen(*starts)))
            return true;
    return false;
}

/* What a launcher told this process is not meant for the trial, which would take itself for one of
 * its ranks. Nor is what a batch system says of hosts, where mpirun shall use this one alone.
 *   alone  it is one process, without mpirun */
static void clean_environment(const struct sweep *s, bool alone) {
    static const char *const launcher[] = {"OMPI_COMM_WORLD_", "OMPI_UNIVERSE_", "PMIX_RANK",
                                           "PMIX_NAMESPACE",   "PMIX_SERVER_",   "PMI_",
                                           "MPI_LOCAL",        "HYDI_",          NULL};
    static const char *const step[] = {"SLURM_STEP",   "SLURM_PROCID", "SLURM_LOCALID",
                                       "SLURM_NTASKS", "SLURM_NPROCS", NULL};
    static const char *const hosts[] = {"SLURM_JOBID",
                                        "SLURM_NODELIST",
                                        "SLURM_JOB_NODELIST",
                                        "SLURM_TASKS_PER_NODE",
                                        "PBS_NODEFILE",
                                        "PE_HOSTFILE",
                                        NULL};
    char **from = environ, **to = environ;

    for (; *from; from++)
        if (!begins_with_one(*from, launcher) && !(alone && begins_with_one(*from, step)) &&
            !(!alone && !s->batch_task && begins_with_one(*from, hosts)))
            *to++ = *from;
    *to = NULL;
    if (alone || s->batch_task)
        return;
    setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 0); /* this process has done it */
    setenv("PRTE_MCA_hwloc_default_binding_policy", "none", 0);
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 0);
}

static _Noreturn void become(const struct sweep *s, const char **argv, const char *log, int slot,
                             int slots) {
    const int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666),
              in = open("/dev/null", O_RDONLY);

    setpgid(0, 0); /* Ctrl-C is for the sweep, which passes it on */
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    signal(SIGPIPE, SIG_DFL);
    if (out >= 0 && in >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0 &&
        dup2(in, STDIN_FILENO) >= 0) {
        take_processors(slot, slots);
        clean_environment(s, s->ranks == 1);
        execvp(argv[0], (char *const *)argv);
        dprintf(STDERR_FILENO, "dltrain: %s: cannot be started: %s\n", argv[0], strerror(errno));
    }
    _exit(NOT_STARTED);
}

/* --- from its begin to its end --- */

/* Locks the trial, also against a process of it that has outlived its sweep. Returns 1 where
 * somebody has it. */
static int lock_trial(struct sweep *s, struct sweep_child *c, const struct sweep_trial *t,
                      struct err *err) {
    const char *folder = pool_print(&s->pool, "%s/.running/%s", s->folder, t->name);
    const char *run = sweep_file(s, t->name);
    struct lock own = {0};
    struct err who = {0};
    char left[LOCK_TEXT];

    if (file_make_folders(run, err) || file_make_folders(folder, err))
        return -1;
    if (lock_take(&c->lock, folder, "leave this one to it", left, &who))
        return 1;
    if (!access(pool_print(&s->pool, "%s/lock", run), F_OK)) {
        if (lock_take(&own, run, "leave this one to it", left, &who)) {
            lock_release(&c->lock);
            return 1;
        }
        lock_release(&own);
    }
    return 0;
}

int sweep_begin(struct sweep *s, struct sweep_child *c, int trial, int rung, int slot, int slots,
                struct err *err) {
    struct sweep_trial *t = &s->trial[trial];
    const int rc = lock_trial(s, c, t, err);

    if (rc)
        return rc;
    if (sweep_read_results(s, err)) {
        lock_release(&c->lock);
        return -1;
    }
    if (sweep_reached(t, rung) || t->result.state == SWEEP_FAILED) { /* by another, just now */
        lock_release(&c->lock);
        return 1;
    }
    const char **argv = command(s, t, rung);
    const char *log = pool_print(&s->pool, "%s/%s/output.log", s->folder, t->name);
    fflush(NULL);
    const pid_t pid = fork();
    if (!pid)
        become(s, argv, log, slot, slots);
    if (pid < 0) {
        lock_release(&c->lock);
        return err_set(err, ERR_IO, "%s: cannot be started: %s", t->name, strerror(errno));
    }
    c->pid = pid;
    c->trial = trial;
    c->rung = rung;
    c->begun = clock_now();
    return 0;
}

/* Why, where the program has not said it. */
static const char *reason(struct sweep *s, const struct sweep_trial *t, int status) {
    const char *message = sweep_message(s, t);

    if (WIFSIGNALED(status))
        return pool_print(&s->pool, "ended by signal %d (%s)", WTERMSIG(status),
                          strsignal(WTERMSIG(status)));
    return *message ? message : pool_print(&s->pool, "ended with code %d", WEXITSTATUS(status));
}

int sweep_end(struct sweep *s, struct sweep_child *c, int status, bool stopping, struct err *err) {
    struct sweep_trial *t = &s->trial[c->trial];
    const bool asked = stopping && WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    sweep_look(s, t);
    t->result.rung = c->rung;
    t->result.seconds = clock_now() - c->begun; /* of this part, as it is written down */
    t->result.message = "";
    t->result.state = code == 0                      ? SWEEP_COMPLETE
                      : code == ERR_STOPPED || asked ? SWEEP_STOPPED
                                                     : SWEEP_FAILED;
    if (t->result.state == SWEEP_FAILED)
        t->result.message = reason(s, t, status);
    t->skipped = t->result.state == SWEEP_STOPPED;
    const int rc = sweep_append(s, t, err);
    lock_release(&c->lock);
    rmdir(pool_print(&s->pool, "%s/.running/%s", s->folder, t->name));
    *c = (struct sweep_child){0};
    return rc ? -1 : sweep_read_results(s, err);
}
