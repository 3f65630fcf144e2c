#include "core/base/pool.h"
#include "io/file/lock_owner.h"
#include "report/page_lines.h"
#include "report/page_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EVENTS = 500, FAULT_TEXT = 4000 };

/* Where a run stands. */
struct page_state {
    const char *is, *text;
};

/* A small file of the folder, in pool; NULL: there is none. */
static int read_small(const char *folder, const char *name, struct pool *pool, const char **out,
                      struct err *err) {
    const char *path = pool_print(pool, "%s/%s", folder, name);
    char *text;
    size_t len;

    if (page_file_read(path, &text, &len, err))
        return -1;
    *out = text ? pool_copy(pool, text, len < FAULT_TEXT ? len : FAULT_TEXT) : NULL;
    free(text);
    return 0;
}

/* What the lock says; `is` NULL: there is none, or whoever left it has not said how it ended. */
static struct page_state by_lock(const char *text, struct pool *pool) {
    struct lock_owner owner, mine;

    if (!text || lock_owner_read(&owner, text))
        return (struct page_state){0};
    lock_owner_init(&mine);
    switch (lock_owner_state(&owner, &mine)) {
    case LOCK_HELD:
        return (struct page_state){"running",
                                   pool_print(pool, "on %s since %s", owner.host, owner.since)};
    case LOCK_UNSEEN:
        return (struct page_state){"running", pool_print(pool, "as its lock says, on %s since %s",
                                                         owner.host, owner.since)};
    case LOCK_LEFT:
        break;
    }
    return (struct page_state){
        "stopped", pool_print(pool, "its process on %s, of %s, has ended without a word",
                              owner.host, owner.since)};
}

static const char *event_of(const json_t *line) {
    const char *event = json_string_value(json_object_get(line, "event"));

    return event ? event : "";
}

/* The end that events.jsonl says, where the run has not started again after it. */
static struct page_state by_history(const json_t *history) {
    for (size_t i = json_array_size(history); i-- > 0;) {
        const json_t *line = json_array_get(history, i);
        const char *event = event_of(line);
        const char *is = json_string_value(json_object_get(line, "state"));
        const char *text = json_string_value(json_object_get(line, "text"));
        if (!strcmp(event, "start"))
            break;
        if (!strcmp(event, "end") && is)
            return (struct page_state){is, text ? text : ""};
    }
    return (struct page_state){0};
}

static double number(const json_t *run, const char *key) {
    return json_number_value(json_object_get(run, key));
}

/* By how far the log goes. */
static struct page_state by_progress(const json_t *run, struct pool *pool) {
    const double epochs = number(run, "epochs_wanted"), epoch = number(run, "epoch");
    const double wanted = number(run, "steps_wanted") > 0
                              ? number(run, "steps_wanted")
                              : floor(epochs * number(run, "steps_per_epoch") + 0.5);

    if (number(run, "step") <= 0)
        return (struct page_state){"unknown", "there is nothing in its log"};
    if (wanted <= 0)
        return (struct page_state){"unknown", pool_print(pool, "it has done %.4g epochs", epoch)};
    if (number(run, "step") >= wanted)
        return (struct page_state){"complete", "all of its steps are done"};
    return (struct page_state){
        "stopped", pool_print(pool, "after step %.15g of %.15g", number(run, "step"), wanted)};
}

static int keep(void *context, json_t *line, struct err *err) {
    json_t *history = context;

    (void)err;
    if (json_array_size(history) >= MOST_EVENTS)
        json_array_remove(history, 0);
    json_array_append(history, line);
    return 0;
}

static int find(const json_t *run, const char *folder, const json_t *history, struct pool *pool,
                struct page_state *out, struct err *err) {
    const char *lock, *fault;

    if (read_small(folder, "lock", pool, &lock, err) ||
        read_small(folder, "fault.txt", pool, &fault, err))
        return -1;
    *out = by_lock(lock, pool);
    if (fault && (!out->is || strcmp(out->is, "running") != 0))
        *out = (struct page_state){"failed", fault};
    if (!out->is)
        *out = by_history(history);
    if (!out->is)
        *out = by_progress(run, pool);
    return 0;
}

/* When it began, and how long its processes lived, where events.jsonl tells of all of them: from
 * each start to its end, or to the last that is heard of it. The log knows neither what comes
 * before its first line nor that nobody trained between a stop and --resume. */
static void add_times(json_t *run, const json_t *history) {
    const double logged = number(run, "began") + number(run, "seconds");
    double from = 0, seconds = 0;
    bool lives = false;

    if (strcmp(event_of(json_array_get(history, 0)), "start") != 0)
        return;
    for (size_t i = 0; i < json_array_size(history); i++) {
        const json_t *line = json_array_get(history, i);
        const double time = number(line, "time");
        const bool starts = !strcmp(event_of(line), "start");
        if (lives && !starts)
            seconds += time - from;
        lives = starts || (lives && strcmp(event_of(line), "end") != 0);
        from = time;
    }
    if (lives && logged > from)
        seconds += logged - from;
    json_object_set_new(run, "began",
                        json_copy(json_object_get(json_array_get(history, 0), "time")));
    json_object_set_new(run, "seconds", json_real(seconds));
}

int page_state_add(json_t *run, const char *folder, struct err *err) {
    json_t *history = json_array();
    struct page_state state;
    struct pool pool = {0};
    int rc =
        page_lines_read(pool_print(&pool, "%s/events.jsonl", folder), false, keep, history, err);

    if (!rc)
        rc = find(run, folder, history, &pool, &state, err);
    if (!rc) {
        json_object_set_new(
            run, "state",
            json_pack("{s:o, s:o}", "is", page_text(state.is), "text", page_text(state.text)));
        if (json_array_size(history)) {
            json_object_set(run, "history", history);
            add_times(run, history);
        }
    }
    json_decref(history);
    pool_release(&pool);
    return rc;
}
