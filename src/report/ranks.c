#include "report/ranks.h"
#include "report/lost.h"

static int open_log(struct sink *sink, const struct event *start, struct err *err) {
    struct ranks_log *r = (struct ranks_log *)sink;

    return start->start.ranks > 1
               ? runlog_open(&r->log, start->folder, "ranks", start->progress->step, err)
               : 0;
}

static void add_seconds(json_t *line, const char *key, const double *seconds, int n) {
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_real(seconds[i]));
    json_object_set_new(line, key, list);
}

/* A run that goes on may do so on other hosts. */
static void add_hosts(struct ranks_log *r, json_t *line, const struct event_ranks *ranks) {
    json_t *hosts = json_array();

    for (int i = 0; i < ranks->n; i++)
        json_array_append_new(hosts, json_string(ranks->host[i]));
    json_object_set_new(line, "ranks", json_integer(ranks->n));
    json_object_set_new(line, "hosts", hosts);
    r->named = true;
}

static void take(struct sink *sink, const struct event *e) {
    struct ranks_log *r = (struct ranks_log *)sink;
    struct err err = {0};

    if (e->kind == EVENT_FOLDER)
        lost_begin_again(r->log, r->warn);
    if (e->kind != EVENT_STEP || !e->step.ranks || !r->log)
        return;
    const struct event_ranks *ranks = e->step.ranks;
    json_t *line = json_object();
    json_object_set_new(line, "step", json_integer(e->progress->step));
    runlog_number(line, "epoch", progress_epoch(e->progress, e->progress->step));
    if (!r->named)
        add_hosts(r, line, ranks);
    add_seconds(line, "compute_s", ranks->compute_s, ranks->n);
    add_seconds(line, "wait_s", ranks->wait_s, ranks->n);
    add_seconds(line, "data_s", ranks->data_s, ranks->n);
    const int rc = runlog_append(r->log, line, &err);
    lost_tell(&r->lost, rc, &err, "lines wait in memory", r->warn);
    json_decref(line);
}

static const struct sink_kind kind = {.open = open_log, .take = take};

void ranks_log_init(struct ranks_log *r, const struct sinks *warn) {
    *r = (struct ranks_log){.sink = {&kind}, .warn = warn};
}

void ranks_log_release(struct ranks_log *r) {
    runlog_close(r->log);
    *r = (struct ranks_log){0};
}
