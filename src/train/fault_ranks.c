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

/* Of a rank that was heard, but did not answer when all were asked, there are no figures. */
static bool has_told(const struct watchdog_rank *r) {
    return r->clock_utc > 0;
}

static const char *gib(const struct watchdog_rank *r, double bytes, struct pool *pool) {
    return has_told(r) && bytes >= 0 ? pool_print(pool, "%.2f", bytes / (1 << 30)) : "?";
}

static const char *load_text(const struct watchdog_rank *r, struct pool *pool) {
    return has_told(r) && r->load >= 0 ? pool_print(pool, "%.1f", r->load) : "?";
}

/* Clocks of hosts that differ by much spoil times of files and certificates; what a message took is
 * in it, too. */
static const char *clock_text(const struct fault *f, const struct watchdog_rank *r,
                              struct pool *pool) {
    const struct watchdog_rank *first = &f->ranks[0];

    return has_told(r) && has_told(first)
               ? pool_print(pool, "%+.1f", r->clock_utc - first->clock_utc)
               : "?";
}

static const char *row(const struct fault *f, const struct watchdog_rank *r, struct pool *pool) {
    const char *process = r->pid ? pool_print(pool, "%ld", r->pid) : "?";

    return pool_print(pool, "%4d %-20s %8s %9s %9s %6s %8s%s\n", r->rank,
                      r->host[0] ? r->host : "?", process, gib(r, r->rss_bytes, pool),
                      gib(r, r->free_bytes, pool), load_text(r, pool), clock_text(f, r, pool),
                      r->answers ? "" : "  silent");
}

/* Of thousands of ranks the first ones, and whose fault it is. */
static const char *table(const struct fault *f, struct pool *pool) {
    const char *text = pool_print(pool, "\n%4s %-20s %8s %9s %9s %6s %8s\n", "rank", "host",
                                  "process", "GiB used", "GiB free", "load", "clock s");
    int n = 0;

    for (int i = 0; i < f->n_ranks; i++)
        if (i < MOST_SHOWN || f->ranks[i].rank == f->rank) {
            text = pool_print(pool, "%s%s", text, row(f, &f->ranks[i], pool));
            n++;
        }
    return n == f->n_ranks ? text
                           : pool_print(pool, "%s     and %d ranks more: see fault.json\n", text,
                                        f->n_ranks - n);
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

/* What is not known is not there. */
static void number(json_t *to, const char *key, double value) {
    if (value >= 0)
        json_object_set_new(to, key, json_real(value));
}

static json_t *rank_json(const struct fault *f, const struct watchdog_rank *r) {
    const struct pulse_beat *beat = &r->beat[PULSE_MAIN];
    const char *node = fault_node(f->names, beat->which, beat->node);
    json_t *events = json_array();
    json_t *json =
        json_pack("{s:i, s:s, s:I, s:b, s:f, s:s, s:I}", "rank", r->rank, "host", r->host,
                  "process", (json_int_t)r->pid, "answers", r->answers, "silent_s", r->silent_s,
                  "phase", phase_of(beat->phase), "step", (json_int_t)beat->step + 1);

    if (has_told(r)) {
        number(json, "rss_bytes", r->rss_bytes);
        number(json, "free_bytes", r->free_bytes);
        number(json, "load", r->load);
        number(json, "clock_utc", r->clock_utc);
    }
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
