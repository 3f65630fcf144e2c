#define _GNU_SOURCE /* pipe2, getrandom */
#include "dist/watchdog.h"
#include "core/base/clock.h"
#include "core/base/thread.h"
#include "dist/agree.h"
#include "dist/watchdog_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Seconds: between beats, at most and at least; for all to connect; for the first hub to act before
 * the second one does. */
static const double beat_s = 2, quick_s = 0.1, meet_s = 5, second_s = 10;

/* Messages of many ranks are taken together. */
enum { MANY = 16, NAP_NS = 50000000 };

/* Addresses may be limited, and ranks many. */
enum { STACK_BYTES = 1 << 20 };

/* --- the thread --- */

static bool ends(struct watchdog *w) {
    pthread_mutex_lock(&w->lock);
    const bool end = w->ends;
    pthread_mutex_unlock(&w->lock);
    return end;
}

/* Whoever starts the watchdog waits for it to be connected. */
static void tell_met(struct watchdog *w, double began, double now) {
    const bool connected = w->hub[0].rank == w->rank || w->way[0].welcome;

    if (w->told_met || (!connected && now - began < meet_s))
        return;
    w->told_met = true;
    pthread_mutex_lock(&w->lock);
    w->met = true;
    w->connected = connected;
    snprintf(w->trouble, sizeof w->trouble, "%s", connected ? "" : w->way[0].why);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* Somebody of this rank wants to know of all. */
static void collect(struct watchdog *w) {
    pthread_mutex_lock(&w->lock);
    const double patience_s = w->wanted;
    w->wanted = 0;
    pthread_mutex_unlock(&w->lock);
    if (patience_s <= 0)
        return;
    for (int i = 0; i < WATCHDOG_HUBS && w->number < 0; i++)
        if (w->way[i].welcome) {
            watchdog_line_say(&w->way[i].line, WATCHDOG_COLLECT, &patience_s, sizeof patience_s,
                              NULL, 0);
            return;
        }
    watchdog_gather(w, patience_s);
    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < w->judge.n && w->answer; i++) {
        w->answer[w->judge.first + i] = w->judge.rank[i];
        w->n_answers += w->judge.rank[i].answers;
    }
    w->answered = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* A rank that no hub tells anything is cut off. Those that have left are no sign. */
static void look_for_hubs(struct watchdog *w, double now) {
    double heard = 0;

    for (int i = 0; i < WATCHDOG_HUBS; i++) {
        if (w->way[i].left)
            return;
        heard = w->way[i].heard > heard ? w->way[i].heard : heard;
    }
    if (now - heard > watchdog_judge_silence(&w->judge) && w->config.timeout_s >= 0)
        watchdog_give_up(w, now - heard);
}

/* The second hub leaves it to the first, unless that is what is missing; and whoever hears few is
 * cut off itself. */
static void lead(struct watchdog *w, double now) {
    struct watchdog_verdict v;

    if (!watchdog_judge_find(&w->judge, now, -1, &v)) {
        w->suspected = 0;
        return;
    }
    if (w->number == 0)
        watchdog_accuse(w, &v);
    w->suspected = w->suspected > 0 ? w->suspected : now;
    const bool first_is_gone = v.guilty == w->hub[0].rank && v.cause != WATCHDOG_STILL;
    if (!first_is_gone && now - w->suspected < second_s)
        return;
    if (2 * watchdog_judge_heard(&w->judge, now) < w->size)
        watchdog_give_up(w, v.since_s);
    watchdog_accuse(w, &v);
}

/* Who was stopped itself has heard nobody, which is no fault of theirs. */
static void forgive(struct watchdog *w, double now) {
    const double gap = now - w->ticked - w->interval_s;

    if (gap < 1 + 2 * w->interval_s)
        return;
    watchdog_judge_forgive(&w->judge, gap);
    for (int i = 0; i < WATCHDOG_HUBS; i++)
        w->way[i].heard += gap;
}

static void tick(struct watchdog *w, double now) {
    const int mode = atomic_load(&w->mode);
    struct watchdog_verdict v;

    forgive(w, now);
    w->ticked = now;
    if (mode != WATCHDOG_ALONE)
        watchdog_reach(w, now);
    watchdog_beat(w, now);
    if (mode == WATCHDOG_TOGETHER && w->number >= 0)
        lead(w, now);
    else if (mode == WATCHDOG_TOGETHER)
        look_for_hubs(w, now);
    else if (mode == WATCHDOG_ALONE && watchdog_judge_find(&w->judge, now, w->rank, &v))
        watchdog_accuse(w, &v);
}

static void *run(void *context) {
    struct watchdog *w = context;
    const double began = clock_now();

    for (int i = 0; i < WATCHDOG_HUBS; i++)
        w->way[i].heard = began;
    w->ticked = began - w->interval_s;
    while (!ends(w)) {
        const bool starts = atomic_load(&w->mode) == WATCHDOG_STARTS;
        const double now = clock_now(), left = w->ticked + w->interval_s - now;
        if (starts)
            watchdog_reach(w, now);
        tell_met(w, began, now);
        if (left <= 0)
            tick(w, now);
        watchdog_talk(w, starts ? quick_s / 10 : left > 0 ? left : 0);
        if (w->ordered)
            watchdog_obey(w);
        watchdog_serve(w);
        collect(w);
        if (w->n_peers > MANY)
            nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
    }
    watchdog_say_all(w, WATCHDOG_BYE, NULL, 0, 1);
    watchdog_hang_up(w);
    return NULL;
}

static void wake(struct watchdog *w) {
    const char byte = 0;

    if (write(w->wake[1], &byte, 1) < 0 && errno != EAGAIN) /* full: it is awake */
        abort();
}

static int start_thread(struct watchdog *w, struct err *err) {
    const int code = thread_start(&w->thread, STACK_BYTES, run, w);

    w->runs = !code;
    return code ? err_set(err, ERR_IO, "the system gives no thread to watch ranks: %s",
                          strerror(code))
                : 0;
}

/* --- the ranks --- */

/* Rank 0, and the first on another host; on one host rank 1. */
static void choose_hubs(struct watchdog *w, const char *hosts) {
    w->hub[0].rank = 0;
    w->hub[1].rank = w->size > 1 ? 1 : -1;
    for (int i = 1; i < w->size; i++)
        if (strcmp(hosts, hosts + (ptrdiff_t)i * WATCHDOG_HOST)) {
            w->hub[1].rank = i;
            break;
        }
    w->number = w->rank == w->hub[0].rank ? 0 : w->rank == w->hub[1].rank ? 1 : -1;
}

/* Every rank knows where hubs are, and what shows that it is one of the job. */
static void introduce(struct watchdog *w) {
    for (int i = 0; i < WATCHDOG_HUBS; i++) {
        struct watchdog_hub *hub = &w->hub[i];
        if (hub->rank < 0)
            continue;
        if (hub->rank == w->rank) {
            memcpy(hub->host, w->host, sizeof hub->host);
            w->listener = watchdog_listen(w->size, &hub->place);
        }
        comm_bcast(w->comm, hub, sizeof *hub, hub->rank);
    }
    if (w->rank == 0 && getrandom(w->token, sizeof w->token, 0) != sizeof w->token)
        w->hub[0].place.n = w->hub[1].place.n = 0; /* nobody could be told from others */
    comm_bcast(w->comm, w->token, sizeof w->token, 0);
}

/* Where one rank finds no way to the first hub, ranks are alone. */
static void agree_on_mode(struct watchdog *w) {
    pthread_mutex_lock(&w->lock);
    while (!w->met)
        pthread_cond_wait(&w->changed, &w->lock);
    const bool connected = w->connected;
    pthread_mutex_unlock(&w->lock);
    const int lost = -(int)comm_max_double(w->comm, connected ? -w->size : -w->rank);
    if (lost < w->size)
        comm_bcast(w->comm, w->trouble, sizeof w->trouble, lost);
    const bool alone = lost < w->size || w->size == 1;
    atomic_store(&w->mode, alone ? WATCHDOG_ALONE : WATCHDOG_TOGETHER);
    wake(w);
}

static int allocate(struct watchdog *w, char **hosts, struct err *err) {
    *hosts = calloc((size_t)w->size, WATCHDOG_HOST);
    if (pipe2(w->wake, O_NONBLOCK | O_CLOEXEC))
        return err_set(err, ERR_IO, "the system gives no pipe to watch ranks: %s", strerror(errno));
    if (!*hosts)
        return err_set(err, ERR_IO, "no memory to watch %d ranks", w->size);
    return 0;
}

static double interval_of(double timeout_s) {
    return timeout_s > 0 ? fmax(quick_s, fmin(beat_s, timeout_s / 16)) : beat_s;
}

/* Between threads: what a thread is to know before it starts. Collective. */
static int prepare(struct watchdog *w, struct err *err) {
    char *hosts = NULL;

    snprintf(w->host, sizeof w->host, "%s", comm_host(w->comm));
    int rc = agree(w->comm, allocate(w, &hosts, err), err);
    if (!rc) {
        comm_all_gather(w->comm, w->host, hosts, WATCHDOG_HOST);
        choose_hubs(w, hosts);
        if (w->size > 1)
            introduce(w);
        const bool all = w->number >= 0;
        rc = watchdog_judge_init(&w->judge, all ? 0 : w->rank, all ? w->size : 1,
                                 w->config.timeout_s, clock_now(), err);
        rc = agree(w->comm, rc || start_thread(w, err), err);
    }
    free(hosts);
    return rc;
}

static void release(struct watchdog *w) {
    watchdog_judge_release(&w->judge);
    if (w->listener >= 0)
        close(w->listener);
    for (int i = 0; i < 2; i++)
        if (w->wake[i] >= 0)
            close(w->wake[i]);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static void stop(struct watchdog *w) {
    pthread_mutex_lock(&w->lock);
    w->ends = true;
    pthread_mutex_unlock(&w->lock);
    wake(w);
    pthread_join(w->thread, NULL);
}

int watchdog_new(struct watchdog **out, struct comm *comm, const struct watchdog_config *config,
                 struct err *err) {
    struct watchdog *w = calloc(1, sizeof *w);

    if (agree(comm, w ? 0 : err_set(err, ERR_IO, "no memory to watch ranks"), err)) {
        free(w);
        return -1;
    }
    *w = (struct watchdog){.config = *config,
                           .comm = comm,
                           .rank = comm_rank(comm),
                           .size = comm_size(comm),
                           .interval_s = interval_of(config->timeout_s),
                           .hub = {{.rank = -1}, {.rank = -1}},
                           .way = {{.line = {.fd = -1}}, {.line = {.fd = -1}}},
                           .listener = -1,
                           .wake = {-1, -1}};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    if (prepare(w, err)) {
        if (w->runs)
            stop(w);
        release(w);
        return -1;
    }
    agree_on_mode(w);
    *out = w;
    return 0;
}

const char *watchdog_trouble(const struct watchdog *w) {
    return w->trouble[0] ? w->trouble : NULL;
}

static struct timespec after(double seconds) {
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    const double end = (double)t.tv_nsec * 1e-9 + seconds;
    t.tv_sec += (time_t)end;
    t.tv_nsec = (long)((end - floor(end)) * 1e9);
    return t;
}

int watchdog_collect(struct watchdog *w, double patience_s, struct watchdog_rank *all) {
    int n = 0;

    if (!w)
        return 0;
    for (int i = 0; i < w->size; i++)
        all[i] = (struct watchdog_rank){.rank = i};
    if (pthread_equal(pthread_self(), w->thread)) { /* from its own callbacks: as it knows them */
        for (int i = 0; i < w->judge.n; i++)
            all[w->judge.first + i] = w->judge.rank[i], n += w->judge.rank[i].answers;
        return n;
    }
    const struct timespec end = after(patience_s + 1); /* and for the way there and back */
    pthread_mutex_lock(&w->lock);
    w->wanted = patience_s;
    w->answer = all;
    w->answered = false;
    w->n_answers = 0;
    wake(w);
    for (int late = 0; !w->answered && !late;)
        late = pthread_cond_timedwait(&w->changed, &w->lock, &end);
    n = w->n_answers;
    w->answer = NULL;
    pthread_mutex_unlock(&w->lock);
    return n;
}

void watchdog_free(struct watchdog *w) {
    if (!w)
        return;
    comm_barrier(w->comm);
    stop(w);
    release(w);
}
