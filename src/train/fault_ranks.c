/* fault_ranks.c - what ranks say of themselves, on the page of a fault. */
#include "dist/watchdog.h"
#include "train/fault_parts.h"

#include <inttypes.h>
#include <math.h>

enum { SHOWN_EVENTS = 12, MOST_SHOWN = 64 };

static const char *thread_name(int thread) {
    static const char *const names[PULSE_THREADS] = {
        [PULSE_MAIN] = "main", [PULSE_READER] = "reader", [PULSE_SAVER] = "saver"};

    return thread >= 0 && thread < PULSE_THREADS && names[thread] ? names[thread] : "?";
}

static const char *phase_of(int phase) {
    return phase >= 0 && phase < PULSE_PHASES ? pulse_name((enum pulse_phase)phase) : "?";
}

static const char *gib(double bytes, struct pool *pool) {
    return bytes < 0 ? "?" : pool_print(pool, "%.2f", bytes / (1 << 30));
}

/* Clocks of hosts that differ by much spoil times of files and certificates; what a message took is
 * in it, too. */
static const char *clock_text(const struct fault *f, const struct watchdog_rank *r,
                              struct pool *pool) {
    const struct watchdog_rank *first = &f->ranks[0];

    return r->clock_utc > 0 && first->clock_utc > 0
               ? pool_print(pool, "%+.1f", r->clock_utc - first->clock_utc)
               : "?";
}

static const char *table(const struct fault *f, struct pool *pool) {
    const char *text = pool_print(pool, "\n%4s %-20s %8s %9s %9s %6s %8s  %s\n", "rank", "host",
                                  "process", "GiB used", "GiB free", "load", "clock s", "");

    for (int i = 0; i < f->n_ranks && i < MOST_SHOWN; i++) {
        const struct watchdog_rank *r = &f->ranks[i];
        text = pool_print(pool, "%s%4d %-20s %8ld %9s %9s %6.1f %8s  %s\n", text, r->rank, r->host,
                          r->pid, gib(r->rss_bytes, pool), gib(r->free_bytes, pool), r->load,
                          clock_text(f, r, pool), r->answers ? "" : "silent");
    }
    return text;
}

static const char *event_line(const struct fault *f, const struct watchdog_rank *r,
                              const struct pulse_event *e, struct pool *pool) {
    const bool named = f->names && e->thread == PULSE_MAIN && e->which >= 0 &&
                       e->which < f->names->n_steps && f->names->step[e->which][0];

    return pool_print(pool, "%10.3f s ago  %-7s %s%s%s, step %" PRId64 "\n", r->now - e->at,
                      thread_name(e->thread), phase_of(e->phase), named ? " of " : "",
                      named ? f->names->step[e->which] : "", e->step + 1);
}

/* What is repeated is shown once. */
static bool is_same(const struct pulse_event *a, const struct pulse_event *b) {
    return a->thread == b->thread && a->phase == b->phase && a->which == b->which &&
           a->step == b->step;
}

static int first_shown(const struct watchdog_rank *r) {
    int n = 0, k = r->n_events;

    while (k > 0 && n < SHOWN_EVENTS) {
        k--;
        n += !k || !is_same(&r->event[k - 1], &r->event[k]);
    }
    return k;
}

/* The last of the rank whose fault it is; fault.json has those of all. */
static const char *last_events(const struct fault *f, struct pool *pool) {
    const char *text = "";

    for (int i = 0; i < f->n_ranks; i++) {
        const struct watchdog_rank *r = &f->ranks[i];
        if (r->rank != f->rank || !r->n_events)
            continue;
        text = pool_print(pool, "\nWhat rank %d began last (fault.json: all ranks, %d each):\n",
                          r->rank, PULSE_EVENTS);
        for (int k = first_shown(r); k < r->n_events; k++)
            if (!k || !is_same(&r->event[k - 1], &r->event[k]))
                text = pool_print(pool, "%s%s", text, event_line(f, r, &r->event[k], pool));
    }
    return text;
}

const char *fault_ranks_text(const struct fault *f, struct pool *pool) {
    if (!f->n_ranks)
        return "";
    return pool_print(pool, "%s%s", table(f, pool), last_events(f, pool));
}

static json_t *event_json(const struct watchdog_rank *r, const struct pulse_event *e) {
    return json_pack("{s:f, s:s, s:s, s:I}", "ago_s", r->now - e->at, "thread",
                     thread_name(e->thread), "phase", phase_of(e->phase), "step",
                     (json_int_t)e->step + 1);
}

static json_t *rank_json(const struct fault *f, const struct watchdog_rank *r) {
    const struct pulse_beat *beat = &r->beat[PULSE_MAIN];
    const char *node = fault_node(f->names, beat->which, beat->node);
    json_t *events = json_array();
    json_t *json = json_pack(
        "{s:i, s:s, s:I, s:b, s:f, s:s, s:I, s:f, s:f, s:f, s:f}", "rank", r->rank, "host", r->host,
        "process", (json_int_t)r->pid, "answers", r->answers, "silent_s", r->silent_s, "phase",
        phase_of(beat->phase), "step", (json_int_t)beat->step + 1, "rss_bytes", r->rss_bytes,
        "free_bytes", r->free_bytes, "load", r->load, "clock_utc", r->clock_utc);

    for (int k = 0; k < r->n_events; k++)
        json_array_append_new(events, event_json(r, &r->event[k]));
    if (node)
        json_object_set_new(json, "operator", json_string(node));
    json_object_set_new(json, "events", events);
    return json;
}

json_t *fault_ranks_json(const struct fault *f) {
    json_t *list = json_array();

    for (int i = 0; i < f->n_ranks; i++)
        json_array_append_new(list, rank_json(f, &f->ranks[i]));
    return list;
}
