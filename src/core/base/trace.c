#include "core/base/trace.h"

#include <stdatomic.h>
#include <stdlib.h>

struct trace_place {
    struct trace_event event;
    atomic_bool complete;
};

struct trace {
    atomic_bool wanted;
    atomic_int_fast64_t n; /* places that were asked for, also of those that are not there */
    int64_t n_places;
    struct trace_place *place; /* [n_places] */
};

struct trace *trace_new(int64_t n) {
    struct trace *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->n_places = n;
    t->place = calloc((size_t)n + 1, sizeof *t->place);
    if (t->place)
        return t;
    free(t);
    return NULL;
}

void trace_free(struct trace *t) {
    if (t)
        free(t->place);
    free(t);
}

void trace_begin(struct trace *t) {
    atomic_store(&t->wanted, true);
}

void trace_end(struct trace *t) {
    atomic_store(&t->wanted, false);
}

bool trace_wants(const struct trace *t) {
    return t && atomic_load_explicit(&t->wanted, memory_order_relaxed);
}

void trace_add(struct trace *t, const struct trace_event *event) {
    if (!trace_wants(t))
        return;
    const int64_t i = (int64_t)atomic_fetch_add(&t->n, 1);
    if (i >= t->n_places)
        return;
    t->place[i].event = *event;
    atomic_store_explicit(&t->place[i].complete, true, memory_order_release);
}

/* Events become a dense list over the places that held them. A thread may still be at work on the
 * last ones. */
const struct trace_event *trace_events(struct trace *t, int64_t *n, int64_t *dropped) {
    const int64_t asked = (int64_t)atomic_load(&t->n);
    const int64_t there = asked < t->n_places ? asked : t->n_places;
    struct trace_event *list = (struct trace_event *)(void *)t->place;

    *n = 0;
    *dropped = asked - there;
    for (int64_t i = 0; i < there; i++)
        if (atomic_load_explicit(&t->place[i].complete, memory_order_acquire)) {
            const struct trace_event event = t->place[i].event;
            list[(*n)++] = event;
        }
    return list;
}
