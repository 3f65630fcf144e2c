/* supervisor_run.c - a job from its first start to its end. */
#include "cmd/supervisor.h"
#include "core/base/clock.h"
#include "train/stop.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static const double LOOK_S = 0.5;    /* between looks into the folder */
static const double SILENCE_S = 120; /* of the folder, after which hosts are asked */
static const double GRACE_S = 60;    /* for mpirun, once its ranks have said their end */
static const double PAUSE_S = 10;    /* more before each start without progress, behind the first */

enum { BUG = 70, NOT_STARTED = 127, TICK_NS = 20000000 };

/* Since it was begun. */
struct course {
    struct supervisor *s;
    int n_starts;         /* of mpirun */
    int n_idle;           /* the last of them that did not come further */
    int64_t furthest;     /* step that a start has gone on from; -1: none has begun */
    int64_t done;         /* the last step of the start before */
    struct timespec made; /* job.ini before the first start */
    bool asked;           /* to stop: the ranks were told */
    bool told;            /* from which step this start goes on */
    bool killed;          /* this start was ended here */
};

static void tick(void) {
    nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
}

/* Code of a process that has ended, as a shell would say it. */
static int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- while it runs --- */

/* Once the ranks have said where they begin. */
static void follow(struct course *c) {
    struct supervisor *s = c->s;
    const int64_t from = s->log.begun, again = c->done - from;

    if (c->told || !s->log.n_starts)
        return;
    c->told = true;
    if (c->n_starts > 1)
        supervisor_say("goes on from step %" PRId64 "%s: %" PRId64 " steps are done again", from,
                       from ? "" : ", its beginning", again > 0 ? again : 0);
    if (from > c->furthest)
        c->n_idle = 0;
    c->furthest = from > c->furthest ? from : c->furthest;
}

/* "b c do not answer" */
static const char *silent(struct supervisor *s) {
    const char *names = supervisor_host_names(s, false);

    return pool_print(&s->pool, "%s %s not answer", names, strchr(names, ' ') ? "do" : "does");
}

/* Has mpirun missed something? It is ended where its ranks have said that they end and it does not,
 * and where nothing has come for long and a host does not answer, asked twice. */
static bool hangs(struct supervisor *s) {
    const double now = clock_now();

    if (s->log.ended > 0 && now - s->log.ended > GRACE_S) {
        supervisor_say("the ranks have ended, and mpirun has not for %.0f s: it is ended", GRACE_S);
        return true;
    }
    if (s->n_hosts < 2 || now - s->log.heard < SILENCE_S)
        return false;
    s->log.heard = now; /* ask again after as long a silence */
    const int n = supervisor_ask_hosts(s, false);
    if (n == s->n_hosts || supervisor_ask_hosts(s, false) == s->n_hosts)
        return false;
    supervisor_say("nothing was written for %.0f s, and %s: mpirun is ended", SILENCE_S, silent(s));
    return true;
}

/* Once the ranks are there: before, they would end by it. */
static void pass_on_save(const struct course *c, pid_t pid) {
    if (!c->told || !stop_save_requested())
        return;
    if (c->s->save_signal)
        kill(pid, c->s->save_signal);
    else
        supervisor_say("mpirun passes none of the signals of [checkpoint] save_on to the ranks: "
                       "nothing is saved; expected USR1 or, with Open MPI, USR2");
}

/* Until it ends. Returns its code. */
static int attend(struct course *c, pid_t pid) {
    double looked = clock_now();
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (stop_requested() && !c->asked) {
            c->asked = true;
            kill(pid, c->s->stop_signal);
            supervisor_say("the job is asked to stop; a second signal ends it at once");
        }
        pass_on_save(c, pid);
        if (clock_now() - looked > LOOK_S) {
            looked = clock_now();
            supervisor_look(c->s);
            follow(c);
            if (hangs(c->s)) {
                c->killed = true;
                return code_of(supervisor_end(pid));
            }
        }
        tick();
    }
    kill(-pid, SIGKILL);
    supervisor_look(c->s);
    follow(c);
    return code_of(status);
}

/* --- whether it is started again --- */

/* What the ranks ended with, where what started them says something else: it was ended by this
 * process, or is MPICH's, which returns 0 now and then whatever they say. */
static int true_code(const struct course *c, int code) {
    const char *state = c->s->log.state;

    if (c->killed && !strcmp(state, "complete"))
        return 0;
    if ((c->killed || code == 0) && !strcmp(state, "stopped"))
        return ERR_STOPPED;
    return c->killed && code == 0 ? ERR_IO : code;
}

/* Would another start end in the same way? */
static bool is_final(const struct course *c, int code) {
    static const int final[] = {0, ERR_USAGE, ERR_DATA, BUG, ERR_CONFIG};

    for (size_t i = 0; i < sizeof final / sizeof *final; i++)
        if (code == final[i])
            return true;
    if (code == NOT_STARTED)
        return true;
    return code == ERR_IO && !c->killed && c->furthest < 0; /* a file that is not there */
}

static int stopped(struct err *err) {
    return err_set(err, ERR_STOPPED, "stopped on request; the same command with --resume goes on");
}

/* The code goes on to who called; the ranks, or what should have become mpirun, have said why. */
static int end_with(int code, struct err *err) {
    const int kind = code == NOT_STARTED ? ERR_IO : code;

    return code ? err_set(err, (enum err_kind)kind, "%s", "") : 0;
}

/* Which hosts are left, on which nothing is left of the job. Returns -1 where there are none. */
static int gather_hosts(struct course *c, int code, struct err *err) {
    struct supervisor *s = c->s;
    const int n = supervisor_ask_hosts(s, true);

    if (s->n_hosts && !n) {
        supervisor_say("mpirun ended with code %d, and no host answers within %d s", code,
                       s->patience_s);
        return err_set(err, ERR_IO, "none of %d hosts answers: %s", s->n_hosts,
                       supervisor_host_names(s, false));
    }
    if (n < s->n_hosts)
        supervisor_say("mpirun ended with code %d; %s", code, silent(s));
    else
        supervisor_say("mpirun ended with code %d%s", code, n ? "; all hosts answer" : "");
    return 0;
}

/* Where it has brought nothing, whatever is wrong is given more time. */
static void wait_before(const struct course *c) {
    const double until = clock_now() + PAUSE_S * (c->n_idle - 1);

    while (clock_now() < until && !stop_requested())
        tick();
}

/* Returns 1 where it is to be started again, 0 where it is over, or -1. */
static int judge(struct course *c, int code, struct err *err) {
    struct supervisor *s = c->s;

    if (code == 0 && !supervisor_made(s).tv_sec)
        return err_set(err, ERR_USAGE,
                       "what was started ended with code 0, but no rank has run: there is no %s/"
                       "job.ini; is it mpirun or another program that starts ranks (--mpirun)?",
                       s->folder);
    if (is_final(c, code)) {
        if (code)
            supervisor_say("ended with code %d, and so would another start", code);
        return end_with(code, err);
    }
    const bool said = !strcmp(s->log.state, "stopped");
    if (code == ERR_STOPPED ? c->asked || said : c->asked && said)
        return stopped(err); /* the ranks may have been asked by others, or by the clock */
    if (c->asked)
        return end_with(code, err);
    if (stop_requested()) /* it came as the job ended */
        return stopped(err);
    c->n_idle++;
    c->done = s->log.logged;
    if (gather_hosts(c, code, err))
        return -1;
    if (c->n_idle > s->tries) {
        supervisor_say("%d starts without progress are enough (--relaunch)", c->n_idle);
        return end_with(code, err);
    }
    wait_before(c);
    return stop_requested() ? stopped(err) : 1;
}

/* Has one of the starts taken the folder? What is in it else is of an earlier run. */
static bool has_begun(const struct course *c) {
    const struct timespec now = supervisor_made(c->s);

    return now.tv_sec != c->made.tv_sec || now.tv_nsec != c->made.tv_nsec;
}

static void say_start(const struct course *c) {
    struct supervisor *s = c->s;
    const int ranks = supervisor_ranks(s);
    const char *hosts = supervisor_host_names(s, true);

    if (c->n_starts == 1)
        return;
    if (*hosts)
        supervisor_say("starts again (%d of %d without progress) with %d rank%s on %s", c->n_idle,
                       s->tries, ranks, ranks == 1 ? "" : "s", hosts);
    else
        supervisor_say("starts again (%d of %d without progress)", c->n_idle, s->tries);
}

int supervisor_run(struct supervisor *s, struct err *err) {
    struct course c = {.s = s, .furthest = -1, .made = supervisor_made(s)};
    int rc;

    do {
        supervisor_begin_log(s);
        c.n_starts++;
        c.told = c.killed = false;
        say_start(&c);
        const pid_t pid = supervisor_start(s, c.n_starts > 1 && has_begun(&c), err);
        if (pid < 0)
            return -1;
        const int code = attend(&c, pid);
        rc = judge(&c, true_code(&c, code), err);
    } while (rc > 0);
    return rc;
}
