/* supervisor_log.c - what a job's folder says of it while it runs, and what its supervisor says. */
#include "cmd/supervisor.h"
#include "core/base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LINE = 2048 };

static const char *text_of(const json_t *line, const char *key) {
    const char *text = json_string_value(json_object_get(line, key));

    return text ? text : "";
}

static void take_event(void *context, const json_t *line) {
    struct supervisor_log *log = context;
    const char *event = text_of(line, "event");

    if (!strcmp(event, "start")) {
        log->begun = json_integer_value(json_object_get(line, "step"));
        log->n_starts++;
        log->state[0] = 0;
        log->ended = 0;
    } else if (!strcmp(event, "end")) {
        snprintf(log->state, sizeof log->state, "%s", text_of(line, "state"));
        log->ended = clock_now();
    }
}

static void take_metrics(void *context, const json_t *line) {
    struct supervisor_log *log = context;
    const json_t *step = json_object_get(line, "step");

    if (json_is_integer(step))
        log->logged = json_integer_value(step);
}

/* A run that begins anew has events of its own; one that goes on has cut its metrics. */
static void anew_events(void *context) {
    (void)context;
}

static void anew_metrics(void *context) {
    struct supervisor_log *log = context;

    log->logged = 0;
}

void supervisor_look(struct supervisor *s) {
    struct supervisor_log *log = &s->log;
    const double events = log->events.changed, metrics = log->metrics.changed;

    watch_log_read(&log->events, log, anew_events, take_event);
    watch_log_read(&log->metrics, log, anew_metrics, take_metrics);
    if (log->events.changed != events || log->metrics.changed != metrics)
        log->heard = clock_now();
}

void supervisor_begin_log(struct supervisor *s) {
    struct supervisor_log *log = &s->log;

    supervisor_look(s);
    log->n_starts = 0;
    log->state[0] = 0;
    log->ended = 0;
    log->heard = clock_now();
}

struct timespec supervisor_made(struct supervisor *s) {
    struct stat st;

    if (stat(pool_print(&s->pool, "%s/job.ini", s->folder), &st))
        return (struct timespec){0};
    return st.st_mtim;
}

void supervisor_say(const char *fmt, ...) {
    char line[LINE] = "launch: "; /* one write, so that it does not mix with those of ranks */
    const size_t used = strlen(line);
    va_list args;

    va_start(args, fmt);
    vsnprintf(line + used, sizeof line - used - 1, fmt, args);
    va_end(args);
    strcat(line, "\n");
    fputs(line, stderr);
    fflush(stderr);
}
