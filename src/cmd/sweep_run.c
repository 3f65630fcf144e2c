/* sweep_run.c - trials one after another, or some at a time, until all have ended. */
#include "cmd/sweep.h"
#include "cmd/findings.h"
#include "core/base/clock.h"
#include "train/deadline.h"
#include "train/stop.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct sweep_running {
    struct sweep *sweep;
    struct sweep_child child[SWEEP_MOST_JOBS];
    bool *busy; /* [sweep->n] */
    int slots, n_running, only;
    bool stopping;
    struct deadline deadline;
    bool time_ends; /* what is running stops by itself, and nothing is begun */
};

static int count(const struct sweep *s, enum sweep_state state) {
    int n = 0;

    for (int i = 0; i < s->n; i++)
        n += s->trial[i].result.state == state;
    return n;
}

/* --- what is said --- */

static bool is_best(const struct sweep *s, const struct sweep_trial *t) {
    for (int i = 0; i < s->n; i++)
        if (&s->trial[i] != t && !sweep_better(s, t->result.best, s->trial[i].result.best))
            return false;
    return !isnan(t->result.best);
}

static void say_begin(const struct sweep *s, const struct sweep_child *c) {
    const struct sweep_trial *t = &s->trial[c->trial];
    char text[SWEEP_TEXT];

    printf("%s begins: %s", t->name, sweep_settings(s, t, text));
    if (s->rung[c->rung] > 0)
        printf(" (to epoch %g)", s->rung[c->rung]);
    printf("\n");
    fflush(stdout);
}

static void say_end(const struct sweep *s, const struct sweep_trial *t) {
    const struct sweep_result *r = &t->result;
    char seconds[FINDING_TEXT];

    if (r->state == SWEEP_FAILED)
        printf("%s failed: %s\n", t->name, r->message);
    else if (r->state == SWEEP_STOPPED)
        printf("%s is stopped after epoch %.4g, and saved\n", t->name,
               isnan(r->epochs) ? 0 : r->epochs);
    else
        printf("%s is done, %.4g epochs in %s: %s=%.4f at epoch %.4g%s\n", t->name, r->epochs,
               findings_time(r->seconds, seconds), *s->measure ? s->measure : "measure", r->best,
               r->epoch, is_best(s, t) ? " (best so far)" : "");
}

/* How long the rest will take, by the mean of what has ended; nothing of a halving, whose rungs
 * differ in length. */
static void say_left(const struct sweep_running *r) {
    const struct sweep *s = r->sweep;
    const int done = count(s, SWEEP_COMPLETE), failed = count(s, SWEEP_FAILED);
    const int left = s->n - done - failed;
    char time[FINDING_TEXT];
    double seconds = 0;

    if (r->only >= 0 || s->n_rungs > 1 || !done || !left || r->stopping)
        return;
    for (int i = 0; i < s->n; i++)
        seconds += s->trial[i].result.state == SWEEP_COMPLETE ? s->trial[i].result.seconds : 0;
    printf("%d of %d done%s, about %s left\n", done + failed, s->n, failed ? " or failed" : "",
           findings_time(seconds / done * left / r->slots, time));
}

/* --- processes --- */

static int first_free(const struct sweep_running *r) {
    for (int i = 0; i < r->slots; i++)
        if (!r->child[i].pid)
            return i;
    return -1;
}

static int next_trial(const struct sweep_running *r, int *rung) {
    const struct sweep *s = r->sweep;
    const struct sweep_trial *t = r->only < 0 ? NULL : &s->trial[r->only];

    if (!t)
        return sweep_next(s, r->busy, rung);
    *rung = 0;
    return sweep_reached(t, 0) || t->result.state == SWEEP_FAILED || t->skipped || r->busy[r->only]
               ? -1
               : r->only;
}

static int fill(struct sweep_running *r, struct err *err) {
    struct sweep *s = r->sweep;
    int slot, rung, trial;

    while (!r->stopping && !r->time_ends && (slot = first_free(r)) >= 0 &&
           (trial = next_trial(r, &rung)) >= 0) {
        struct sweep_child *c = &r->child[slot];
        const int rc = sweep_begin(s, c, trial, rung, slot, r->slots, err);

        if (rc < 0)
            return -1;
        if (rc > 0) {
            s->trial[trial].skipped = true;
            continue;
        }
        r->busy[trial] = true;
        r->n_running++;
        say_begin(s, c);
    }
    return 0;
}

static int collect(struct sweep_running *r, pid_t pid, int status, struct err *err) {
    struct sweep *s = r->sweep;

    for (int i = 0; i < r->slots; i++) {
        const int trial = r->child[i].trial;

        if (r->child[i].pid != pid)
            continue;
        r->n_running--;
        r->busy[trial] = false;
        if (sweep_end(s, &r->child[i], status, r->stopping, err))
            return -1;
        r->time_ends = r->time_ends || (isfinite(r->deadline.at) && !r->stopping &&
                                        s->trial[trial].result.state == SWEEP_STOPPED);
        say_end(s, &s->trial[trial]);
        say_left(r);
        fflush(stdout);
    }
    return 0;
}

/* mpirun passes SIGUSR1 on to its ranks; by any other signal it would end them itself. */
static void ask_to_stop(struct sweep_running *r) {
    for (int i = 0; i < r->slots; i++)
        if (r->child[i].pid)
            kill(r->child[i].pid, SIGUSR1);
    if (!r->stopping && r->n_running)
        printf("stopping: %d trial%s to save; a second signal ends at once\n", r->n_running,
               r->n_running == 1 ? " has" : "s have");
    fflush(stdout);
    r->stopping = true;
}

static int loop(struct sweep_running *r, struct err *err) {
    const struct timespec pause = {.tv_nsec = 20000000};
    int status;

    for (;;) {
        if (stop_requested() && !r->stopping)
            ask_to_stop(r);
        r->time_ends =
            r->time_ends || deadline_is_near(&r->deadline, &(struct control){0}, 0, clock_now());
        if (fill(r, err))
            return -1;
        if (!r->n_running)
            return 0;
        const pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid > 0 && collect(r, pid, status, err))
            return -1;
        if (pid == 0)
            nanosleep(&pause, NULL);
    }
}

/* What cannot be written down is no reason to leave processes behind. */
static void abandon(struct sweep_running *r) {
    int status;

    ask_to_stop(r);
    for (int i = 0; i < r->slots; i++)
        if (r->child[i].pid) {
            waitpid(r->child[i].pid, &status, 0);
            lock_release(&r->child[i].lock);
        }
}

/* --- how it ended --- */

/* Is anything left that was not taken? Others may have ended meanwhile what they had. */
static int look_again(struct sweep *s, bool *others, struct err *err) {
    bool skipped = false;

    for (int i = 0; i < s->n; i++)
        skipped = skipped || s->trial[i].skipped;
    if (skipped && sweep_read_results(s, err))
        return -1;
    *others = false;
    for (int i = 0; i < s->n; i++) {
        const enum sweep_state is = s->trial[i].result.state;
        const bool over = is == SWEEP_COMPLETE || is == SWEEP_FAILED;
        *others = *others || (s->trial[i].skipped && !over);
        s->trial[i].skipped = s->trial[i].skipped && !over;
    }
    return 0;
}

static int judge(struct sweep_running *r, struct err *err) {
    struct sweep *s = r->sweep;
    int rung;
    bool others;

    if (look_again(s, &others, err))
        return -1;
    const int done = count(s, SWEEP_COMPLETE), failed = count(s, SWEEP_FAILED);
    const bool left = sweep_next(s, r->busy, &rung) >= 0;
    if (r->stopping)
        return err_set(err, ERR_STOPPED,
                       "stopped on request: %d of %d trials are done; dltrain sweep --resume %s "
                       "goes on",
                       done, s->n, s->folder);
    if (r->time_ends && (others || left))
        return err_set(err, ERR_STOPPED,
                       "the time ends at %s: %d of %d trials are done; dltrain sweep --resume %s "
                       "goes on",
                       r->deadline.text, done, s->n, s->folder);
    if (others || left)
        return err_set(err, ERR_STOPPED,
                       "some trials were stopped, or are run by others; dltrain sweep --resume %s "
                       "goes on with what is left",
                       s->folder);
    if (r->only < 0)
        rmdir(pool_print(&r->sweep->pool, "%s/.running", s->folder));
    if (done || !failed)
        return 0;
    return err_set(err, ERR_DATA, "all %d trials failed, the first: %s", failed,
                   s->trial[0].result.message);
}

static int judge_only(const struct sweep_running *r, struct err *err) {
    const struct sweep_trial *t = &r->sweep->trial[r->only];

    if (t->result.state == SWEEP_COMPLETE)
        return 0;
    if (t->result.state == SWEEP_FAILED)
        return err_set(err, ERR_DATA, "%s failed: %s", t->name, t->result.message);
    return err_set(err, ERR_STOPPED, "%s is stopped, or run by another; the same command goes on",
                   t->name);
}

int sweep_run(struct sweep *s, int only, struct err *err) {
    struct sweep_running r = {.sweep = s, .only = only, .slots = only < 0 ? s->jobs : 1};

    const double now = clock_utc(), slurm = endtime_slurm(getenv, now);
    const double end = s->end > 0 ? s->end : slurm > now - ENDTIME_LATE_S ? slurm : 0;
    deadline_init(&r.deadline, end, now, clock_now());
    r.busy = pool_take(&s->pool, (size_t)s->n * sizeof *r.busy);
    if (loop(&r, err)) {
        abandon(&r);
        return -1;
    }
    return only < 0 ? judge(&r, err) : judge_only(&r, err);
}
