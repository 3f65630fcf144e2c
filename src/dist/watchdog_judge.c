#include "dist/watchdog_judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seconds, where the user says none: at least so many without a sign of life, of what computes and
 * of what waits for storage, which may take its time; of a phase that nobody has left yet; and how
 * many times the longest that it took. */
static const double least_s = 60, storage_s = 600, unknown_s = 1800, patience = 10;

/* Who starts the ranks often ends them all when one is gone, and knows better why; and on a host
 * that is busy a thread may get no processor for seconds, whatever the user's timeout is. */
static const double gone_s = 5;

bool watchdog_waits(enum pulse_phase phase) {
    return phase == PULSE_SUM || phase == PULSE_WAIT;
}

static bool is_storage(enum pulse_phase phase) {
    switch (phase) {
    case PULSE_START:
    case PULSE_DATA:
    case PULSE_READ:
    case PULSE_SAVE:
    case PULSE_LOG:
    case PULSE_END:
        return true;
    default:
        return false;
    }
}

int watchdog_judge_init(struct watchdog_judge *j, int first, int n, double timeout_s, double now,
                        struct err *err) {
    *j = (struct watchdog_judge){.first = first,
                                 .n = n,
                                 .timeout_s = timeout_s,
                                 .rank = calloc((size_t)n, sizeof *j->rank),
                                 .seen = calloc((size_t)n, sizeof *j->seen)};
    if (!j->rank || !j->seen)
        return err_set(err, ERR_IO, "no memory to watch %d ranks", n);
    for (int i = 0; i < n; i++) {
        j->rank[i].rank = first + i;
        for (int k = 0; k < PULSE_THREADS; k++) /* nothing is known */
            j->rank[i].beat[k] = (struct pulse_beat){PULSE_IDLE, -1, -1, -1, -1, -1, 0};
        j->seen[i] = (struct watchdog_seen){.heard = now, .moved = now};
    }
    for (int i = 0; i < PULSE_PHASES; i++)
        j->longest[i] = -1;
    return 0;
}

void watchdog_judge_release(struct watchdog_judge *j) {
    free(j->rank);
    free(j->seen);
    *j = (struct watchdog_judge){0};
}

size_t watchdog_rank_bytes(const struct watchdog_rank *rank) {
    return offsetof(struct watchdog_rank, event) + (size_t)rank->n_events * sizeof *rank->event;
}

static enum pulse_phase phase_of(const struct watchdog_rank *r) {
    return (enum pulse_phase)r->beat[PULSE_MAIN].phase;
}

static bool same_beat(const struct pulse_beat *a, const struct pulse_beat *b) {
    return a->phase == b->phase && a->which == b->which && a->node == b->node &&
           a->bucket == b->bucket && a->step == b->step && a->sample == b->sample;
}

static bool has_moved(const struct watchdog_rank *before, const struct watchdog_rank *now) {
    bool moved = before->begun != now->begun;

    for (int i = 0; i < PULSE_THREADS; i++)
        moved = moved || !same_beat(&before->beat[i], &now->beat[i]);
    return moved;
}

static bool is_one(const struct watchdog_rank *r, int rank, size_t len) {
    if (r->rank != rank || r->n_events < 0 || r->n_events > PULSE_EVENTS ||
        len != watchdog_rank_bytes(r) || !memchr(r->host, 0, sizeof r->host))
        return false;
    for (int i = 0; i < PULSE_THREADS; i++)
        if (r->beat[i].phase < 0 || r->beat[i].phase >= PULSE_PHASES)
            return false;
    for (int i = 0; i < r->n_events; i++)
        if (r->event[i].phase < 0 || r->event[i].phase >= PULSE_PHASES)
            return false;
    return true;
}

bool watchdog_judge_hear(struct watchdog_judge *j, int r, const void *message, size_t len,
                         double now) {
    struct watchdog_seen *seen = &j->seen[r - j->first];
    struct watchdog_rank *known = &j->rank[r - j->first], said = {0};

    if (len < offsetof(struct watchdog_rank, event) || len > sizeof said)
        return false;
    memcpy(&said, message, len);
    if (!is_one(&said, r, len))
        return false;
    if (has_moved(known, &said)) {
        double *longest = &j->longest[phase_of(known)];
        const double took = now - seen->moved;
        *longest = took > *longest ? took : *longest;
        seen->moved = now;
    }
    seen->heard = now;
    seen->lost = 0;
    if (said.n_events) {
        *known = said;
    } else { /* what it was asked for before is kept */
        memcpy(known, &said, offsetof(struct watchdog_rank, rss_bytes));
    }
    return true;
}

void watchdog_judge_forgive(struct watchdog_judge *j, double seconds) {
    for (int i = 0; i < j->n; i++) {
        struct watchdog_seen *s = &j->seen[i];
        s->heard += seconds, s->moved += seconds;
        s->lost += s->lost > 0 ? seconds : 0;
    }
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

double watchdog_judge_silence(const struct watchdog_judge *j) {
    return j->timeout_s > 0 ? larger(j->timeout_s, gone_s) : least_s;
}

double watchdog_judge_limit(const struct watchdog_judge *j, enum pulse_phase phase) {
    if (watchdog_waits(phase)) /* once all do: then only messages are under way */
        return j->timeout_s > 0 ? j->timeout_s : storage_s;
    if (j->timeout_s > 0) /* of what comes before the first step, users do not think */
        return phase == PULSE_START ? larger(j->timeout_s, storage_s) : j->timeout_s;
    if (j->longest[phase] < 0)
        return unknown_s;
    return larger(is_storage(phase) ? storage_s : least_s, patience * j->longest[phase]);
}

int watchdog_judge_heard(const struct watchdog_judge *j, double now) {
    int n = 0;

    for (int i = 0; i < j->n; i++)
        n += !j->seen[i].lost && now - j->seen[i].heard <= watchdog_judge_silence(j);
    return n;
}

/* For how long a rank said that it is at the same. Since it was heard last, it may have been at
 * something else. */
static double stillness(const struct watchdog_seen *s) {
    return s->heard - s->moved;
}

/* Does rank i hold up others, by itself? */
static bool holds_up(const struct watchdog_judge *j, int i, double now,
                     struct watchdog_verdict *v) {
    const struct watchdog_seen *s = &j->seen[i];
    const enum pulse_phase phase = phase_of(&j->rank[i]);

    *v = (struct watchdog_verdict){.guilty = j->first + i, .since_s = now - s->heard};
    if (s->lost > 0 && now - s->lost > gone_s)
        v->cause = WATCHDOG_LOST;
    else if (v->since_s > watchdog_judge_silence(j))
        v->cause = WATCHDOG_SILENT;
    else if (!watchdog_waits(phase) && phase != PULSE_IDLE &&
             stillness(s) > watchdog_judge_limit(j, phase))
        v->cause = WATCHDOG_STILL, v->since_s = now - s->moved;
    else
        return false;
    return true;
}

/* Of two ranks that wait, is a behind b? */
static bool is_behind(const struct watchdog_rank *a, const struct watchdog_rank *b) {
    const struct pulse_beat *x = &a->beat[PULSE_MAIN], *y = &b->beat[PULSE_MAIN];

    return x->step != y->step ? x->step < y->step : a->begun < b->begun;
}

/* All wait, for longer than anybody may. */
static bool nobody_moves(const struct watchdog_judge *j, double now, struct watchdog_verdict *v) {
    double since = now;
    int last = -1;

    for (int i = 0; i < j->n; i++) {
        const enum pulse_phase phase = phase_of(&j->rank[i]);
        if (j->seen[i].left)
            continue;
        if (!watchdog_waits(phase) || stillness(&j->seen[i]) <= watchdog_judge_limit(j, phase))
            return false;
        since = now - j->seen[i].moved < since ? now - j->seen[i].moved : since;
        if (last < 0 || is_behind(&j->rank[i], &j->rank[last]))
            last = i;
    }
    *v = (struct watchdog_verdict){j->first + last, WATCHDOG_NOBODY, since};
    return last >= 0;
}

/* Those who are gone come before those who are silent, before those who are at something; of
 * several the one that has been so for longest. */
bool watchdog_judge_find(const struct watchdog_judge *j, double now, int only,
                         struct watchdog_verdict *out) {
    struct watchdog_verdict v;
    bool found = false;

    for (int i = 0; i < j->n && j->timeout_s >= 0; i++) {
        if ((only >= 0 && j->first + i != only) || j->seen[i].left || !holds_up(j, i, now, &v))
            continue;
        if (!found || v.cause < out->cause || (v.cause == out->cause && v.since_s > out->since_s))
            *out = v;
        found = true;
    }
    return found || (only < 0 && j->timeout_s >= 0 && nobody_moves(j, now, out));
}

/* --- in words --- */

/* Of who is silent nobody knows. */
static int n_waiting(const struct watchdog_judge *j, int but) {
    int n = 0;

    for (int i = 0; i < j->n; i++)
        n += j->first + i != but && j->rank[i].answers && !j->seen[i].left &&
             watchdog_waits(phase_of(&j->rank[i]));
    return n;
}

static int n_answers(const struct watchdog_judge *j) {
    int n = 0;

    for (int i = 0; i < j->n; i++)
        n += j->rank[i].answers;
    return n;
}

/* What a rank is at: "in backward of layer3.0.conv2". */
static void say_phase(const struct watchdog_rank *r, const char *name, char text[WATCHDOG_TEXT]) {
    const struct pulse_beat *main = &r->beat[PULSE_MAIN], *reader = &r->beat[PULSE_READER];
    const char *phase = pulse_name(phase_of(r));

    if (phase_of(r) == PULSE_DATA && reader->phase == PULSE_READ)
        snprintf(text, WATCHDOG_TEXT, "%s, which are being read from sample %" PRId64 " of %s on",
                 phase, reader->sample, reader->which ? "validation" : "training");
    else if (name[0])
        snprintf(text, WATCHDOG_TEXT, "in %s of %s", phase, name);
    else if (main->phase == PULSE_DATA || watchdog_waits(phase_of(r)))
        snprintf(text, WATCHDOG_TEXT, "%s", phase);
    else
        snprintf(text, WATCHDOG_TEXT, "in %s", phase);
}

void watchdog_judge_say(const struct watchdog_judge *j, const struct watchdog_verdict *v,
                        const char *name, char why[WATCHDOG_TEXT]) {
    const struct watchdog_rank *r = &j->rank[v->guilty - j->first];
    const int64_t step = r->beat[PULSE_MAIN].step + 1;
    const int n = n_waiting(j, v->guilty);
    char at[WATCHDOG_TEXT], others[64] = "";

    say_phase(r, name, at);
    if (n)
        snprintf(others, sizeof others, ", while %d rank%s wait%s", n, n > 1 ? "s" : "",
                 n > 1 ? "" : "s");
    switch (v->cause) {
    case WATCHDOG_LOST:
        snprintf(why, WATCHDOG_TEXT,
                 "its process has ended without a word, before that %.100s in step %" PRId64 "%s",
                 at, step, others);
        break;
    case WATCHDOG_SILENT:
        snprintf(why, WATCHDOG_TEXT,
                 "silent since %.0f s, before that %.60s in step %" PRId64 "%s: %s", v->since_s, at,
                 step, others,
                 2 * n_answers(j) < j->n
                     ? "most ranks are: who says this is cut off, or they are gone"
                     : "its process is stopped, its host is gone or cannot be reached");
        break;
    case WATCHDOG_STILL:
        snprintf(why, WATCHDOG_TEXT, "%.150s since %.0f s, in step %" PRId64 "%s", at, v->since_s,
                 step, others);
        break;
    case WATCHDOG_NOBODY:
        snprintf(why, WATCHDOG_TEXT,
                 "%.100s since %.0f s, in step %" PRId64
                 "%s: all wait for each other, and nobody is further behind",
                 at, v->since_s, step, others);
        break;
    }
}
