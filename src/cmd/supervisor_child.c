/* supervisor_child.c - the processes of a supervisor: mpirun with the ranks, and mpirun with one
 * process, by which a host shows that it answers. */
#include "cmd/command.h"
#include "cmd/supervisor.h"
#include "core/base/clock.h"
#include "io/file/lock_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_WORDS = 64,     /* of mpirun and what stands behind it, without the job's */
    MOST_AT_A_TIME = 32, /* hosts that are asked */
    PAUSE_NS = 20000000,
    ASKED_S = 10, /* until who is asked to end is killed */
    NOT_STARTED = 127
};

/* Where a command shall run, in the words of the launcher. */
static int add_place(struct supervisor *s, const char **argv, int n, int ranks, const char *hosts) {
    if (ranks) {
        argv[n++] = "-np";
        argv[n++] = pool_print(&s->pool, "%d", ranks);
    }
    if (*hosts) {
        argv[n++] = s->mpich ? "-hosts" : "--host";
        argv[n++] = hosts;
    }
    return n;
}

static const char **job_command(struct supervisor *s, bool resume) {
    const char **argv = pool_take(&s->pool, (MOST_WORDS + (size_t)s->n_args + 1) * sizeof *argv);
    int n = command_words(&s->pool, s->mpirun, argv, 0, MOST_WORDS / 2);

    if (!s->mpich) { /* MPICH's passes on everything */
        argv[n++] = "-x";
        argv[n++] = LOCK_OWNER_JOB;
    }
    n = add_place(s, argv, n, supervisor_ranks(s), supervisor_host_list(s));
    argv[n++] = s->program;
    argv[n++] = "train";
    for (int i = 0; i < s->n_args; i++)
        argv[n++] = s->args[i];
    if (resume && !s->resumes)
        argv[n++] = "--resume";
    argv[n] = NULL;
    return argv;
}

static const char **ask_command(struct supervisor *s, const char *host, bool clears) {
    const char **argv = pool_take(&s->pool, (MOST_WORDS + 1) * sizeof *argv);
    int n = command_words(&s->pool, s->mpirun, argv, 0, MOST_WORDS / 2);

    n = add_place(s, argv, n, 1, host);
    argv[n++] = s->program;
    argv[n++] = clears ? "launch" : "version";
    if (clears) {
        argv[n++] = "--clear";
        argv[n++] = s->id;
    }
    argv[n] = NULL;
    return argv;
}

/* What the launcher is told by its environment, where the user has not said it: to notice within
 * some 8 seconds that a host is silent, and not to wait for what a lost start holds of Slurm. */
static void set_environment(void) {
    setenv("OMPI_MCA_oob_tcp_keepalive_time", "4", 0);
    setenv("OMPI_MCA_oob_tcp_keepalive_intvl", "1", 0);
    setenv("OMPI_MCA_oob_tcp_keepalive_probes", "4", 0);
    setenv("SLURM_OVERLAP", "1", 0);
}

/* Between fork and exec. A group of its own: Ctrl-C is for the supervisor, which passes it on, and
 * what mpirun starts on this host can be ended with it. */
static _Noreturn void become(const char **argv, int in, int out, int death_signal) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, death_signal);
    signal(SIGPIPE, SIG_DFL);
    set_environment();
    if (dup2(in, STDIN_FILENO) >= 0 &&
        (out < 0 || (dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)))
        execvp(argv[0], (char *const *)argv);
    dprintf(STDERR_FILENO, "launch: %s: cannot be started: %s\n", argv[0], strerror(errno));
    _exit(NOT_STARTED);
}

/*   death_signal  that it gets when this process ends before it
 *   quiet  nobody reads what it prints */
static pid_t start(const char **argv, const char *id, int death_signal, bool quiet) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    fflush(NULL);
    const pid_t pid = null < 0 ? -1 : fork();
    if (!pid) {
        if (id)
            setenv(LOCK_OWNER_JOB, id, 1);
        else
            unsetenv(LOCK_OWNER_JOB);
        become(argv, null, quiet ? null : -1, death_signal);
    }
    if (null >= 0)
        close(null);
    if (pid > 0)
        setpgid(pid, pid); /* whoever of both is first */
    return pid;
}

pid_t supervisor_start(struct supervisor *s, bool resume, struct err *err) {
    const char **argv = job_command(s, resume);
    const pid_t pid = start(argv, s->id, s->stop_signal, false);

    return pid > 0 ? pid
                   : err_set(err, ERR_IO, "%s: cannot be started: %s", argv[0], strerror(errno));
}

static void pause_a_little(void) {
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
}

int supervisor_end(pid_t pid) {
    const double asked = clock_now();
    int status = 0;

    kill(pid, SIGTERM);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (clock_now() - asked > ASKED_S)
            kill(-pid, SIGKILL);
        pause_a_little();
    }
    kill(-pid, SIGKILL); /* what it has left behind */
    return status;
}

/* --- asking hosts --- */

static bool said_yes(int status) {
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Until all have ended or time is over. */
static void await_answers(struct supervisor_host *host, pid_t *pid, int n, double until) {
    int left = n, status;

    while (left) {
        const bool late = clock_now() > until;
        for (int i = 0; i < n; i++) {
            if (pid[i] <= 0)
                continue;
            const pid_t ended = waitpid(pid[i], &status, WNOHANG);
            if (!ended && !late)
                continue;
            if (!ended) {
                kill(-pid[i], SIGKILL);
                waitpid(pid[i], &status, 0);
            }
            host[i].answers = ended == pid[i] && said_yes(status);
            kill(-pid[i], SIGKILL);
            pid[i] = 0;
        }
        left = 0;
        for (int i = 0; i < n; i++)
            left += pid[i] > 0;
        if (left)
            pause_a_little();
    }
}

int supervisor_ask_hosts(struct supervisor *s, bool clears) {
    pid_t pid[MOST_AT_A_TIME];
    int n_answers = 0;

    for (int first = 0; first < s->n_hosts; first += MOST_AT_A_TIME) {
        const int rest = s->n_hosts - first, n = rest < MOST_AT_A_TIME ? rest : MOST_AT_A_TIME;

        for (int i = 0; i < n; i++) {
            struct supervisor_host *host = &s->host[first + i];
            host->answers = false;
            pid[i] = start(ask_command(s, host->name, clears), NULL, SIGKILL, true);
        }
        await_answers(s->host + first, pid, n, clock_now() + s->patience_s);
    }
    for (int i = 0; i < s->n_hosts; i++)
        n_answers += s->host[i].answers;
    if (clears && !s->n_hosts)
        supervisor_clear(s->id);
    return n_answers;
}
