#include "train/stragglers.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AGREE = 2,       /* windows that must agree before something else is said */
    FREE_LINES = 4,  /* that come without a pause */
    MOST_PAUSE = 256 /* windows */
};

static const double begins = 0.2, lasts = 0.1; /* slower than the median by that */

/* --- who is slow --- */

static double own(const struct straggler_time *t) {
    double sum = 0;

    for (int k = 0; k < STRAGGLER_PARTS; k++)
        sum += t->part[k];
    return sum;
}

static int rising(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of v[n], which is sorted by it: the lower or the upper of the two in the middle. */
static double median(double *v, int n, bool upper) {
    qsort(v, (size_t)n, sizeof *v, rising);
    return v[upper ? n / 2 : (n - 1) / 2];
}

/* What most ranks do. */
struct usual {
    double own, wait_s, samples, part[STRAGGLER_PARTS];
};

static struct usual usual_of(const struct straggler_window *w, double *room) {
    const struct straggler_time *time = w->time;
    const int n = w->n;
    struct usual u = {0};

    for (int i = 0; i < n; i++)
        room[i] = own(&time[i]);
    u.own = median(room, n, false);
    for (int i = 0; i < n; i++)
        room[i] = time[i].wait_s;
    u.wait_s = median(room, n, true);
    for (int i = 0; i < n; i++)
        room[i] = time[i].samples;
    u.samples = median(room, n, false);
    for (int k = 0; k < STRAGGLER_PARTS; k++) {
        for (int i = 0; i < n; i++)
            room[i] = time[i].part[k];
        u.part[k] = median(room, n, false);
    }
    return u;
}

/* How much slower than most a rank is for the samples that it has; below 0: it is not. */
static double slowness(const struct straggler_time *t, const struct usual *u) {
    const double excess = own(t) - u->own;
    double expected = u->own;

    if (t->samples > u->samples) /* of a batch that is cut unevenly */
        expected *= u->samples > 0 ? t->samples / u->samples : (double)INFINITY;
    if (!(u->own > 0) || u->wait_s - t->wait_s < excess / 2)
        return -1;
    return own(t) / expected - 1;
}

/* The mean of the slow ranks of a host, where all of them are and there are several. */
static bool whole_host(const struct straggler_window *w, const double *slow, double more,
                       struct straggler *s) {

    double sum = 0, part[STRAGGLER_PARTS] = {0};
    int ranks = 0;

    for (int i = 0; i < w->n; i++) {
        if (strcmp(w->host[i], w->host[s->rank]) != 0)
            continue;
        if (slow[i] < more)
            return false;
        ranks++;
        sum += slow[i];
        for (int k = 0; k < STRAGGLER_PARTS; k++)
            part[k] += w->time[i].part[k];
    }
    if (ranks < 2)
        return false;
    s->slower = sum / ranks;
    for (int k = 0; k < STRAGGLER_PARTS; k++)
        s->own[k] = part[k] / ranks;
    s->others -= ranks - 1;
    return true;
}

struct straggler straggler_find(const struct straggler_window *w, double more, double *room) {
    const int n = w->n;
    const struct usual u = usual_of(w, room);
    double *slow = room + n;
    struct straggler s = {.rank = -1, .others = -1};

    for (int i = 0; i < n; i++) {
        slow[i] = slowness(&w->time[i], &u);
        s.others += slow[i] >= more;
        if (slow[i] >= more && (s.rank < 0 || slow[i] > slow[s.rank]))
            s.rank = i;
    }
    if (s.rank < 0)
        return (struct straggler){.rank = -1};
    s.slower = slow[s.rank];
    memcpy(s.own, w->time[s.rank].part, sizeof s.own);
    memcpy(s.median, u.part, sizeof s.median);
    s.host = whole_host(w, slow, more, &s);
    for (int k = 1; k < STRAGGLER_PARTS; k++)
        if (s.own[k] - s.median[k] > s.own[s.part] - s.median[s.part])
            s.part = (enum straggler_part)k;
    return s;
}

/* --- what is said of it --- */

/* Another rank of a slow host is no news. */
static bool same(const struct straggler *a, const struct straggler *b,
                 const struct straggler_window *w) {
    if (a->rank < 0 || b->rank < 0 || a->part != b->part)
        return false;
    return a->rank == b->rank ||
           ((a->host || b->host) && !strcmp(w->host[a->rank], w->host[b->rank]));
}

static void add(char text[STRAGGLER_TEXT], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void add(char text[STRAGGLER_TEXT], const char *fmt, ...) {
    const size_t used = strlen(text);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text + used, STRAGGLER_TEXT - used, fmt, ap);
    va_end(ap);
}

/* "rank 5 on node3", "host node3 (4 ranks)" */
static void add_name(char text[STRAGGLER_TEXT], const struct straggler *s,
                     const struct straggler_window *w) {
    int ranks = 0;

    for (int i = 0; i < w->n; i++)
        ranks += !strcmp(w->host[i], w->host[s->rank]);
    if (s->host)
        add(text, "host %s (%d ranks)", w->host[s->rank], ranks);
    else
        add(text, "rank %d on %s", s->rank, w->host[s->rank]);
}

/* Milliseconds of a step. */
static void describe(char text[STRAGGLER_TEXT], const struct straggler *s,
                     const struct straggler_window *w) {
    static const char *const what[STRAGGLER_PARTS] = {"its data comes late", "it computes slowly",
                                                      "it is slow between steps"};
    const double ms = 1e3 / (double)w->steps;

    add(text, ": waiting for data %.1f ms, computing %.1f ms (%s %.1f and %.1f)",
        ms * s->own[STRAGGLER_DATA], ms * s->own[STRAGGLER_COMPUTE],
        w->n == 2 ? "the other" : "median", ms * s->median[STRAGGLER_DATA],
        ms * s->median[STRAGGLER_COMPUTE]);
    add(text, "; %s", what[s->part]);
    if (s->part == STRAGGLER_ELSE)
        add(text, ", %.1f ms (%.1f)", ms * s->own[s->part], ms * s->median[s->part]);
    add(text, ", and others wait for it");
    if (s->others)
        add(text, "; %d more rank%s slow, too", s->others, s->others == 1 ? " is" : "s are");
}

static void say_slow(char text[STRAGGLER_TEXT], const struct straggler *s,
                     const struct straggler_window *w) {
    add_name(text, s, w);
    add(text, " is %.0f %% slower than the %s over steps %" PRId64 " to %" PRId64, 100 * s->slower,
        w->n == 2 ? "other" : "median", w->from, w->to);
    describe(text, s, w);
}

static void say_over(char text[STRAGGLER_TEXT], const struct straggler *s,
                     const struct straggler_window *w) {
    add_name(text, s, w);
    add(text, " is no longer slower than others over steps %" PRId64 " to %" PRId64, w->from,
        w->to);
}

/* A long run in which somebody is slow now and then has few lines. */
static void rest(struct stragglers *s) {
    s->said++;
    s->differs = 0;
    if (s->said >= FREE_LINES)
        s->pause = s->pause ? s->pause * 2 : 1;
    if (s->pause > MOST_PAUSE)
        s->pause = MOST_PAUSE;
    s->quiet = s->pause;
}

bool stragglers_add(struct stragglers *s, const struct straggler_window *w, double *room,
                    char text[STRAGGLER_TEXT]) {
    const struct straggler now = straggler_find(w, s->named ? lasts : begins, room);
    const bool slow = now.rank >= 0 && now.slower >= begins;
    const bool as_said = s->named ? same(&now, &s->who, w) : !slow;

    text[0] = 0;
    s->differs = as_said ? 0 : s->differs + 1;
    if (s->quiet > 0) {
        s->quiet--;
        return false;
    }
    if (s->differs < AGREE)
        return false;
    if (slow)
        say_slow(text, &now, w);
    else
        say_over(text, &s->who, w);
    s->named = slow;
    s->who = now;
    rest(s);
    return slow;
}
