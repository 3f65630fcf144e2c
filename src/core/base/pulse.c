#include "core/base/pulse.h"
#include "core/base/clock.h"

#include <stdatomic.h>
#include <stdlib.h>

struct slot {
    atomic_int phase, which, node, bucket;
    atomic_llong step, sample;
    _Atomic double since;
};

/* `turn` is the number of the event from 1, once all else of it is written; 0 on the way. */
struct pulse_kept {
    atomic_llong turn;
    atomic_int thread, phase, which;
    atomic_llong step;
    _Atomic double at;
};

struct pulse {
    struct slot slot[PULSE_THREADS];
    atomic_llong n; /* events so far */
    struct pulse_kept kept[PULSE_EVENTS];
};

#define SET(place, value) atomic_store_explicit(place, value, memory_order_relaxed)
#define GET(place) atomic_load_explicit(place, memory_order_relaxed)

struct pulse *pulse_new(void) {
    struct pulse *p = calloc(1, sizeof *p);

    for (int i = 0; p && i < PULSE_THREADS; i++) {
        struct slot *s = &p->slot[i];
        SET(&s->which, -1), SET(&s->node, -1), SET(&s->bucket, -1);
        SET(&s->step, -1), SET(&s->sample, -1), SET(&s->since, clock_now());
    }
    return p;
}

void pulse_free(struct pulse *p) {
    free(p);
}

static void keep(struct pulse *p, const struct pulse_event *e) {
    const long long turn = atomic_fetch_add(&p->n, 1);
    struct pulse_kept *k = &p->kept[turn % PULSE_EVENTS];

    SET(&k->turn, 0);
    atomic_thread_fence(memory_order_release);
    SET(&k->thread, e->thread), SET(&k->phase, e->phase), SET(&k->which, e->which);
    SET(&k->step, e->step), SET(&k->at, e->at);
    atomic_store_explicit(&k->turn, turn + 1, memory_order_release);
}

void pulse_enter(struct pulse *p, enum pulse_thread thread, enum pulse_phase phase, int64_t step,
                 int which) {
    if (!p)
        return;
    const struct pulse_event e = {(int32_t)thread, (int32_t)phase, which, step, clock_now()};
    struct slot *s = &p->slot[thread];
    SET(&s->which, which), SET(&s->node, -1), SET(&s->bucket, -1);
    SET(&s->step, step), SET(&s->sample, -1), SET(&s->since, e.at);
    SET(&s->phase, (int)phase);
    keep(p, &e);
}

struct pulse_beat pulse_pause(struct pulse *p, enum pulse_phase phase) {
    if (!p)
        return (struct pulse_beat){0};
    const struct pulse_beat was = pulse_look(p, PULSE_MAIN);
    pulse_enter(p, PULSE_MAIN, phase, was.step, was.which);
    return was;
}

void pulse_resume(struct pulse *p, const struct pulse_beat *was) {
    if (!p)
        return;
    struct slot *s = &p->slot[PULSE_MAIN];
    SET(&s->which, was->which), SET(&s->node, was->node), SET(&s->bucket, was->bucket);
    SET(&s->step, was->step), SET(&s->sample, was->sample), SET(&s->since, was->since);
    SET(&s->phase, was->phase);
}

void pulse_node(struct pulse *p, int node) {
    if (p)
        SET(&p->slot[PULSE_MAIN].node, node);
}

void pulse_bucket(struct pulse *p, int bucket) {
    if (p)
        SET(&p->slot[PULSE_MAIN].bucket, bucket);
}

void pulse_sample(struct pulse *p, enum pulse_thread thread, int64_t sample) {
    if (p)
        SET(&p->slot[thread].sample, sample);
}

struct pulse_beat pulse_look(const struct pulse *p, enum pulse_thread thread) {
    const struct slot *s = &p->slot[thread];

    return (struct pulse_beat){GET(&s->phase), GET(&s->which),  GET(&s->node), GET(&s->bucket),
                               GET(&s->step),  GET(&s->sample), GET(&s->since)};
}

int pulse_events(const struct pulse *p, struct pulse_event out[PULSE_EVENTS]) {
    const long long end = atomic_load(&p->n);
    int n = 0;

    for (long long turn = end > PULSE_EVENTS ? end - PULSE_EVENTS : 0; turn < end; turn++) {
        const struct pulse_kept *k = &p->kept[turn % PULSE_EVENTS];
        const long long before = atomic_load_explicit(&k->turn, memory_order_acquire);
        const struct pulse_event e = {GET(&k->thread), GET(&k->phase), GET(&k->which),
                                      GET(&k->step), GET(&k->at)};
        atomic_thread_fence(memory_order_acquire);
        if (before == turn + 1 && GET(&k->turn) == before)
            out[n++] = e;
    }
    return n;
}

int64_t pulse_begun(const struct pulse *p) {
    return atomic_load(&p->n);
}

const char *pulse_name(enum pulse_phase phase) {
    static const char *const names[PULSE_PHASES] = {
        "idle",     "start",      "waiting for data", "forward",
        "backward", "update",     "waiting for sums", "waiting for gradients",
        "audit",    "validation", "saving",           "logging",
        "reading",  "end"};

    return names[phase];
}
