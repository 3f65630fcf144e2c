/* watchdog_end.c - how a job ends in which something is stuck: nothing that could be stuck, too, is
 * waited for. */
#define _DEFAULT_SOURCE /* kill, readlink, fflush_unlocked, closefrom */
#include "core/base/clock.h"
#include "dist/watchdog_parts.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds for ranks to say where they are, and for what is said to all to leave. */
static const double patience_s = 2, leave_s = 1;

/* For the report, and the last words, of this process; whatever hangs ends then. */
enum { REPORT_S = 20, END_S = 5 };

/* For a launcher to end all that it has started. */
enum { LAUNCHER_S = 10 };

/* Text that waits in memory, where the stuck thread does not hold it. */
static void flush(FILE *f) {
    if (ftrylockfile(f))
        return;
    fflush_unlocked(f);
    funlockfile(f);
}

static bool is_this_program(long pid) {
    char path[64], own[1024], other[1024];

    snprintf(path, sizeof path, "/proc/%ld/exe", pid);
    const ssize_t a = readlink("/proc/self/exe", own, sizeof own);
    const ssize_t b = readlink(path, other, sizeof other);
    return a > 0 && a == b && !memcmp(own, other, (size_t)a);
}

/* Whoever is stopped would stay for ever. */
static void kill_silent(const struct watchdog *w, const struct watchdog_order *order) {
    for (int i = 0; i < order->n && i < WATCHDOG_ORDERED; i++) {
        const long pid = (long)order->silent[i].pid;
        if (pid > 0 && pid != (long)getpid() && !strcmp(order->silent[i].host, w->host) &&
            is_this_program(pid))
            kill((pid_t)pid, SIGKILL);
    }
}

static void silent_ranks(const struct watchdog *w, struct watchdog_order *out) {
    *out = (struct watchdog_order){0};
    for (int i = 0; i < w->judge.n && out->n < WATCHDOG_ORDERED; i++) {
        const struct watchdog_rank *r = &w->judge.rank[i];
        if (r->answers || w->judge.seen[i].left)
            continue;
        out->silent[out->n].pid = r->pid;
        memcpy(out->silent[out->n++].host, r->host, sizeof r->host);
    }
}

/* Is it what has started this rank, and those on other hosts? */
static bool is_launcher(pid_t pid) {
    static const char *const names[] = {"mpirun", "mpiexec", "orterun", "prterun", "mpiexec.hydra"};
    char path[64], name[32] = "";

    snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t len = fd < 0 ? 0 : read(fd, name, sizeof name - 1);
    if (fd >= 0)
        close(fd);
    if (len > 0)
        name[len - 1] = 0; /* a line */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* A process that outlives this one ends what is left: ranks that are stopped, a little later, as
 * launchers report who ended first; and a launcher that waits for ever for a host which it cannot
 * reach any more, once it has had its time. */
static void end_rest(const struct watchdog *w, const struct watchdog_order *order) {
    const pid_t launcher = getppid();
    bool elsewhere = false;

    for (int i = 0; i < order->n; i++)
        elsewhere = elsewhere || strcmp(order->silent[i].host, w->host);
    if (!order->n || fork())
        return;
    setsid();     /* it is none of those that the launcher ends */
    closefrom(0); /* and nobody takes this rank for alive by its connections */
    sleep(1);
    kill_silent(w, order);
    for (int i = 0; i < LAUNCHER_S && elsewhere && is_launcher(launcher); i++)
        sleep(1);
    if (elsewhere && is_launcher(launcher))
        kill(launcher, SIGKILL); /* asked to end, Open MPI's crashes in that state */
    _exit(0);
}

static void leave(const struct watchdog *w) {
    comm_end_within(END_S, ERR_STOPPED);
    if (w->config.leave)
        w->config.leave(w->config.context);
    flush(stdout);
    flush(stderr);
}

_Noreturn void watchdog_accuse(struct watchdog *w, const struct watchdog_verdict *v) {
    const double silence = watchdog_judge_silence(&w->judge);
    const struct watchdog_rank *guilty = &w->judge.rank[v->guilty - w->judge.first];
    const struct pulse_beat *beat = &guilty->beat[PULSE_MAIN];
    struct watchdog_stall stall = {.guilty = v->guilty, .rank = w->judge.rank, .n = w->judge.n};
    struct watchdog_order order;
    char name[WATCHDOG_TEXT] = "";

    if (atomic_load(&w->mode) == WATCHDOG_ALONE) /* of others nothing is known */
        stall.rank = guilty, stall.n = 1;
    comm_end_within(REPORT_S, ERR_STOPPED);
    watchdog_gather(w, silence < patience_s ? silence : patience_s);
    if (beat->node >= 0 && w->config.name)
        w->config.name(w->config.context, beat, name);
    else if (beat->node >= 0)
        snprintf(name, sizeof name, "operator %d", beat->node);
    watchdog_judge_say(&w->judge, v, name, stall.why);
    w->config.stalled(w->config.context, &stall);
    silent_ranks(w, &order);
    end_rest(w, &order);
    watchdog_say_all(w, WATCHDOG_END, &order, sizeof order, leave_s);
    leave(w);
    comm_end_all(ERR_STOPPED);
}

/* Whoever has given the order ends the job by MPI, in the meantime. */
_Noreturn void watchdog_obey(struct watchdog *w) {
    leave(w);
    nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    kill_silent(w, &w->order);
    _exit(ERR_STOPPED);
}

_Noreturn void watchdog_give_up(struct watchdog *w, double silent_s) {
    char line[3 * WATCHDOG_TEXT], other[WATCHDOG_TEXT] = "";

    if (w->hub[1].rank >= 0 && w->hub[1].rank != w->rank)
        snprintf(other, sizeof other, " and rank %d on %s", w->hub[1].rank, w->hub[1].host);
    const int len = snprintf(line, sizeof line,
                             "dltrain: rank %d on %s: nothing is heard of rank %d on %s%s since "
                             "%.0f s: this host is cut off, or they are gone; --resume goes on "
                             "from the last checkpoint\n",
                             w->rank, w->host, w->hub[0].rank, w->hub[0].host, other, silent_s);
    if (write(STDERR_FILENO, line, (size_t)len) < 0)
        comm_end_within(END_S, ERR_STOPPED); /* nobody can be told */
    leave(w);
    _exit(ERR_STOPPED);
}
