#include "report/histograms.h"
#include "report/lost.h"

#include <math.h>

static const char *const kinds[] = {
    [EVENT_WEIGHT] = "weight", [EVENT_GRADIENT] = "gradient", [EVENT_ACTIVATION] = "activation"};

static int open_log(struct sink *sink, const struct event *start, struct err *err) {
    struct histograms_log *h = (struct histograms_log *)sink;
    const struct interval *every = &start->job->histograms;

    return every->steps || every->epochs > 0
               ? runlog_open(&h->log, start->folder, "histograms", start->progress->step, err)
               : 0;
}

static json_t *tensor_json(const struct event_tensor *t) {
    const struct tensor_stats *s = &t->stats;
    json_t *object = json_object(), *counts = json_array();

    json_object_set_new(object, "net", json_string(t->net));
    json_object_set_new(object, "name", json_string(t->name));
    json_object_set_new(object, "kind", json_string(kinds[t->kind]));
    json_object_set_new(object, "n", json_integer(s->n));
    runlog_number(object, "min", s->min);
    runlog_number(object, "max", s->max);
    runlog_number(object, "mean", s->mean);
    runlog_number(object, "std", s->std);
    runlog_number(object, "zeros", s->zeros);
    if (!isnan(s->dead))
        runlog_number(object, "dead", s->dead);
    json_object_set_new(object, "not_finite", json_integer(s->not_finite));
    for (int i = 0; i < STATS_BINS; i++)
        json_array_append_new(counts, json_integer(s->counts[i]));
    json_object_set_new(object, "counts", counts);
    return object;
}

static void take(struct sink *sink, const struct event *e) {
    struct histograms_log *h = (struct histograms_log *)sink;
    struct err err = {0};

    if (e->kind == EVENT_FOLDER)
        lost_begin_again(h->log, h->warn);
    if (e->kind != EVENT_TENSORS || !h->log)
        return;
    json_t *line = json_object(), *tensors = json_array();
    json_object_set_new(line, "step", json_integer(e->progress->step));
    runlog_number(line, "epoch", progress_epoch(e->progress, e->progress->step));
    for (int i = 0; i < e->tensors.n; i++)
        if (e->tensors.item[i].there)
            json_array_append_new(tensors, tensor_json(&e->tensors.item[i]));
    json_object_set_new(line, "tensors", tensors);
    const int rc = runlog_append(h->log, line, &err);
    lost_tell(&h->lost, rc, &err, "lines wait in memory", h->warn);
    json_decref(line);
}

static const struct sink_kind kind = {.open = open_log, .take = take};

void histograms_log_init(struct histograms_log *h, const struct sinks *warn) {
    *h = (struct histograms_log){.sink = {&kind}, .warn = warn};
}

void histograms_log_release(struct histograms_log *h) {
    runlog_close(h->log);
    *h = (struct histograms_log){0};
}
