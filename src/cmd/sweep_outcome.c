/* sweep_outcome.c - how good a trial is, from what its run has left. */
#include "cmd/sweep.h"
#include "io/file/file.h"
#include "train/meta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *trial_file(struct sweep *s, const struct sweep_trial *t, const char *name) {
    return pool_print(&s->pool, "%s/%s/%s", s->folder, t->name, name);
}

/* The history of the measure that [validate] best names. Returns whether there is one. */
static bool look_at_measures(struct sweep *s, struct sweep_result *r, const struct meta *m) {
    const json_t *values = meta_at(m, "measures.values"), *v;
    size_t i;

    if (!json_is_array(values))
        return false;
    s->measure = pool_print(&s->pool, "%s", meta_string(m, "measures.name"));
    s->maximise = !strcmp(meta_string(m, "measures.better"), "larger");
    r->best = r->epoch = (double)NAN;
    json_array_foreach(values, i, v) {
        const json_t *value = json_object_get(v, "value");
        if (!json_is_number(value) || !sweep_better(s, json_number_value(value), r->best))
            continue;
        r->best = json_number_value(value);
        r->epoch = json_number_value(json_object_get(v, "epoch"));
    }
    return true;
}

/* A job without a measure is as good as its last loss. */
static void take_loss(struct sweep *s, struct sweep_result *r, json_t *line) {
    const char *key;
    json_t *value;

    json_object_foreach(line, key, value) {
        const size_t len = strlen(key);
        if (len < 4 || strcmp(key + len - 4, "loss") || !json_is_number(value))
            continue;
        s->measure = pool_print(&s->pool, "%s", key);
        s->maximise = false;
        r->best = json_number_value(value);
        r->epoch = json_number_value(json_object_get(line, "epoch"));
        return;
    }
}

static void look_at_losses(struct sweep *s, struct sweep_trial *t) {
    const char *path = trial_file(s, t, "metrics.jsonl");
    struct err err = {0};
    char *text, *at, *end;
    size_t len;

    if (access(path, F_OK) || file_read(path, &text, &len, &err))
        return;
    for (at = text; (end = memchr(at, '\n', len - (size_t)(at - text))); at = end + 1) {
        json_t *line = json_loadb(at, (size_t)(end - at), 0, NULL);
        take_loss(s, &t->result, line);
        json_decref(line);
    }
    free(text);
}

void sweep_look(struct sweep *s, struct sweep_trial *t) {
    struct meta meta = {0};
    struct err err = {0};
    const char *last = trial_file(s, t, "last.h5");

    if (access(last, F_OK) || meta_open(&meta, last, &err))
        return;
    t->result.epochs = meta_epoch(&meta);
    if (!look_at_measures(s, &t->result, &meta))
        look_at_losses(s, t);
    meta_release(&meta);
}

/* What is not ASCII may be in any encoding, and JSON takes but one. */
static void make_plain(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text > 126 || (unsigned char)*text < ' ')
            *text = '?';
}

const char *sweep_message(struct sweep *s, const struct sweep_trial *t) {
    static const char begin[] = "dltrain: ";
    struct err err = {0};
    char *text;
    char *found = NULL;
    size_t len;

    if (file_read(trial_file(s, t, "output.log"), &text, &len, &err))
        return "";
    for (char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (!strncmp(at, begin, strlen(begin)))
            found = at + strlen(begin);
    char *message = found ? pool_copy(&s->pool, found, strcspn(found, "\n")) : NULL;
    if (message)
        make_plain(message);
    free(text);
    return message ? message : "";
}
