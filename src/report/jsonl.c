#include "report/jsonl.h"
#include "report/lost.h"
#include "report/measures_json.h"

static int open_log(struct sink *sink, const struct event *start, struct err *err) {
    struct jsonl *j = (struct jsonl *)sink;

    return runlog_open(&j->log, start->folder, "metrics", start->progress->step, err);
}

static void append(struct jsonl *j, json_t *line) {
    struct err err = {0};

    const int rc = runlog_append(j->log, line, &err);
    lost_tell(&j->lost, rc, &err, "lines wait in memory", j->warn);
    json_decref(line);
}

static json_t *new_line(const struct progress *p) {
    json_t *line = json_object();

    json_object_set_new(line, "step", json_integer(p->step));
    runlog_number(line, "epoch", (double)p->step / (double)p->steps_per_epoch);
    return line;
}

/* "loss", or "generator.loss" where the job names its steps. */
static void step_number(json_t *line, const char *step, const char *what, double value) {
    char key[128];

    snprintf(key, sizeof key, "%s%s%s", step, step[0] ? "." : "", what);
    runlog_number(line, key, value);
}

static void comm_numbers(json_t *line, const struct event_comm *c) {
    runlog_number(line, "comm_share", c->share);
    runlog_number(line, "comm_share_max", c->max);
    runlog_number(line, "comm_share_min", c->min);
    runlog_number(line, "control_share", c->control);
    runlog_number(line, "bucket_share", c->buckets);
    runlog_number(line, "sync_share", c->sync);
}

static void share_numbers(json_t *line, const struct event_shares *s) {
    runlog_number(line, "data_share", s->data);
    runlog_number(line, "forward_share", s->forward);
    runlog_number(line, "backward_share", s->backward);
    runlog_number(line, "optimizer_share", s->optimizer);
    runlog_number(line, "other_share", s->other);
}

static void step(struct jsonl *j, const struct event *e) {
    if (!e->step.logged)
        return;
    json_t *line = new_line(e->progress);
    runlog_number(line, "time", e->step.time);
    for (int i = 0; i < e->job->n_steps; i++) {
        if (!e->step.ran[i])
            continue;
        step_number(line, e->job->step[i].name, "loss", e->step.loss[i]);
        step_number(line, e->job->step[i].name, "lr", e->step.lr[i]);
    }
    runlog_number(line, "img_per_s", e->step.img_per_s);
    if (e->step.shares)
        share_numbers(line, e->step.shares);
    if (e->step.comm)
        comm_numbers(line, e->step.comm);
    append(j, line);
}

static void validation(struct jsonl *j, const struct event *e) {
    json_t *line = new_line(e->progress), *errors = json_object();

    json_object_set_new(line, "validate", measures_json(e->replica, errors));
    json_object_set_new(line, "error", errors);
    append(j, line);
}

static void take(struct sink *sink, const struct event *e) {
    struct jsonl *j = (struct jsonl *)sink;

    if (e->kind == EVENT_STEP)
        step(j, e);
    else if (e->kind == EVENT_VALIDATION)
        validation(j, e);
    else if (e->kind == EVENT_FOLDER)
        lost_begin_again(j->log, j->warn);
}

static const struct sink_kind kind = {.open = open_log, .take = take};

void jsonl_init(struct jsonl *j, const struct sinks *warn) {
    *j = (struct jsonl){.sink = {&kind}, .warn = warn};
}

void jsonl_release(struct jsonl *j) {
    runlog_close(j->log);
    *j = (struct jsonl){0};
}
