/* sweep_file.c - sweep.json and results.jsonl in the folder of a sweep. */
#include "cmd/sweep.h"
#include "core/base/one_line.h"
#include "io/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {"grid", "choice", "uniform", "log", "int"};
static const char *const states[] = {"waiting", "complete", "failed", "stopped"};

enum { N_KINDS = sizeof kinds / sizeof *kinds, N_STATES = sizeof states / sizeof *states };

const char *sweep_file(struct sweep *s, const char *name) {
    return pool_print(&s->pool, "%s/%s", s->folder, name);
}

/* --- the plan --- */

static json_t *axis_json(const struct sweep_axis *a) {
    json_t *axis = json_pack("{s:s, s:s}", "name", a->name, "kind", kinds[a->kind]);
    json_t *values = json_array();

    for (int i = 0; i < a->n; i++)
        json_array_append_new(values, json_string(a->value[i]));
    json_object_set_new(axis, "values", values);
    return axis;
}

static json_t *trial_json(const struct sweep *s, const struct sweep_trial *t) {
    json_t *settings = json_object();

    for (int i = 0; i < s->n_axes; i++)
        json_object_set_new(settings, s->axis[i].name, json_string(t->value[i]));
    return json_pack("{s:s, s:i, s:I, s:i, s:o}", "name", t->name, "config", t->config + 1, "seed",
                     (json_int_t)t->seed, "fold", t->fold, "settings", settings);
}

static json_t *plan_json(const struct sweep *s) {
    json_t *axes = json_array(), *trials = json_array(), *folds = json_array();
    json_t *rungs = json_array();

    for (int i = 0; i < s->n_axes; i++)
        json_array_append_new(axes, axis_json(&s->axis[i]));
    for (int i = 0; i < s->n; i++)
        json_array_append_new(trials, trial_json(s, &s->trial[i]));
    for (int i = 0; i < s->folds; i++)
        json_array_append_new(folds, json_string(s->fold_spec[i]));
    for (int i = 0; i < s->n_rungs; i++)
        json_array_append_new(rungs, json_real(s->rung[i]));
    return json_pack("{s:i, s:s, s:s, s:i, s:i, s:s, s:f, s:o, s:o, s:o, s:o}", "format", 1, "job",
                     s->job_name, "measure", s->measure, "ranks", s->ranks, "jobs", s->jobs,
                     "mpirun", s->mpirun, "eta", s->eta, "rungs", rungs, "folds", folds, "axes",
                     axes, "trials", trials);
}

int sweep_write(const struct sweep *s, struct err *err) {
    json_t *plan = plan_json(s);
    char *text = plan ? json_dumps(plan, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    char *path = file_text("%s/sweep.json", s->folder);
    const int rc = text && path ? file_replace(path, text, strlen(text), err)
                                : err_set(err, ERR_IO,
                                          "%s: no memory for its plan, or a setting "
                                          "is no UTF-8",
                                          s->folder);

    free(path);
    free(text);
    json_decref(plan);
    return rc;
}

/* A text of the plan in the pool; NULL where it is none, or none that --set can have given. */
static const char *text_of(struct sweep *s, const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    char *copy = text ? pool_copy(&s->pool, text, strlen(text)) : NULL;

    return copy && !strcmp(one_line(copy), text) ? copy : NULL;
}

static int word_of(const char *text, const char *const *words, int n) {
    for (int i = 0; text && i < n; i++)
        if (!strcmp(text, words[i]))
            return i;
    return -1;
}

static bool read_axis(struct sweep *s, const json_t *json) {
    struct sweep_axis *a = &s->axis[s->n_axes++];
    const json_t *values = json_object_get(json, "values"), *value;
    const int kind = word_of(json_string_value(json_object_get(json, "kind")), kinds, N_KINDS);
    size_t i;

    a->name = text_of(s, json, "name");
    a->kind = (enum sweep_kind)(kind < 0 ? 0 : kind);
    json_array_foreach(values, i, value) {
        if (!json_is_string(value))
            return false;
        a->value = pool_grow(&s->pool, a->value, a->n, sizeof *a->value);
        a->value[a->n++] = pool_print(&s->pool, "%s", json_string_value(value));
    }
    return a->name && kind >= 0;
}

static bool read_trial(struct sweep *s, const json_t *json, int i) {
    struct sweep_trial *t = &s->trial[i];
    const json_t *settings = json_object_get(json, "settings");

    snprintf(t->name, sizeof t->name, "trial_%04d", i + 1);
    t->config = (int)json_integer_value(json_object_get(json, "config")) - 1;
    t->seed = (uint64_t)json_integer_value(json_object_get(json, "seed"));
    t->fold = (int)json_integer_value(json_object_get(json, "fold"));
    t->value = pool_take(&s->pool, (size_t)(s->n_axes + 1) * sizeof *t->value);
    for (int k = 0; k < s->n_axes; k++)
        if (!(t->value[k] = text_of(s, settings, s->axis[k].name)))
            return false;
    const int before = i ? t[-1].config : -1; /* trials of one configuration are side by side */
    s->n_configs = t->config + 1;
    return (t->config == before + 1 || (i && t->config == before)) && t->fold >= 0 &&
           t->fold <= s->folds;
}

/* Is it a plan of ours? */
static bool take_plan(struct sweep *s, const json_t *plan) {
    const json_t *axes = json_object_get(plan, "axes"), *trials = json_object_get(plan, "trials");
    const json_t *folds = json_object_get(plan, "folds"), *rungs = json_object_get(plan, "rungs");
    const json_t *item;
    size_t i;
    bool good = json_array_size(axes) <= SWEEP_MOST_AXES && json_array_size(rungs) > 0 &&
                json_array_size(rungs) <= SWEEP_MOST_RUNGS && json_array_size(trials) > 0 &&
                json_array_size(trials) <= SWEEP_MOST_TRIALS;

    s->job_name = text_of(s, plan, "job");
    s->measure = text_of(s, plan, "measure");
    s->mpirun = text_of(s, plan, "mpirun");
    s->ranks = (int)json_integer_value(json_object_get(plan, "ranks"));
    s->jobs = (int)json_integer_value(json_object_get(plan, "jobs"));
    s->eta = json_number_value(json_object_get(plan, "eta"));
    good = good && s->job_name && s->measure && s->mpirun && s->ranks > 0 && s->jobs > 0 &&
           s->jobs <= SWEEP_MOST_JOBS;
    s->fold_spec = pool_take(&s->pool, (json_array_size(folds) + 1) * sizeof *s->fold_spec);
    for (i = 0; good && i < json_array_size(folds); i++, s->folds++) {
        const char *text = json_string_value(json_array_get(folds, i));
        s->fold_spec[i] = pool_print(&s->pool, "%s", text ? text : "");
    }
    for (i = 0; good && i < json_array_size(rungs); i++)
        s->rung[s->n_rungs++] = json_number_value(json_array_get(rungs, i));
    for (i = 0; good && i < json_array_size(axes); i++)
        good = read_axis(s, json_array_get(axes, i));
    s->n = good ? (int)json_array_size(trials) : 0;
    s->trial = pool_take(&s->pool, (size_t)(s->n + 1) * sizeof *s->trial);
    json_array_foreach(trials, i, item) {
        good = good && read_trial(s, item, (int)i);
    }
    return good;
}

int sweep_read(struct sweep *s, const char *folder, struct err *err) {
    char *text = NULL;
    size_t len = strlen(folder);

    while (len > 1 && folder[len - 1] == '/')
        len--;
    s->folder = pool_copy(&s->pool, folder, len);
    const char *path = sweep_file(s, "sweep.json");
    if (access(path, F_OK))
        return err_set(err, ERR_USAGE, "%s: is no folder of a sweep: there is no sweep.json in it",
                       folder);
    if (file_read(path, &text, &len, err))
        return -1;
    json_t *plan = json_loadb(text, len, 0, NULL);
    const bool good = plan && take_plan(s, plan);
    json_decref(plan);
    free(text);
    if (!good)
        return err_set(err, ERR_DATA, "%s: is no plan of a sweep", path);
    return sweep_read_results(s, err);
}

/* --- the results --- */

static double number_of(const json_t *line, const char *key) {
    const json_t *v = json_object_get(line, key);

    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

/* A half line, as a full disk leaves one, says nothing. */
static void take_result(struct sweep *s, const json_t *line) {
    const json_int_t number = json_integer_value(json_object_get(line, "trial"));
    const json_int_t rung = json_integer_value(json_object_get(line, "rung"));
    const int state = word_of(json_string_value(json_object_get(line, "state")), states, N_STATES);

    if (number < 1 || number > s->n || rung < 0 || rung >= s->n_rungs || state < 0)
        return;
    struct sweep_result *r = &s->trial[number - 1].result;
    const char *measure;
    const char *message = json_string_value(json_object_get(line, "message"));
    const char *better = json_string_value(json_object_get(line, "better"));
    r->state = (enum sweep_state)state;
    r->rung = (int)rung;
    r->best = number_of(line, "best");
    r->epoch = number_of(line, "epoch");
    r->epochs = number_of(line, "epochs");
    r->seconds += fmax(number_of(line, "seconds"), 0);
    r->message = message && *message ? one_line(pool_copy(&s->pool, message, strlen(message))) : "";
    if (r->state == SWEEP_COMPLETE)
        r->at_rung[rung] = r->best;
    if (better)
        s->maximise = !strcmp(better, "larger");
    if (!*s->measure && (measure = text_of(s, line, "measure")))
        s->measure = measure;
}

int sweep_read_results(struct sweep *s, struct err *err) {
    const char *path = sweep_file(s, "results.jsonl");
    char *text, *at, *end;
    size_t len;

    for (int i = 0; i < s->n; i++) {
        struct sweep_result *r = &s->trial[i].result;
        *r = (struct sweep_result){.best = (double)NAN, .epoch = (double)NAN, .message = ""};
        for (int k = 0; k < SWEEP_MOST_RUNGS; k++)
            r->at_rung[k] = (double)NAN;
    }
    if (access(path, F_OK))
        return 0;
    if (file_read(path, &text, &len, err))
        return -1;
    for (at = text; (end = memchr(at, '\n', len - (size_t)(at - text))); at = end + 1) {
        json_t *line = json_loadb(at, (size_t)(end - at), 0, NULL);
        take_result(s, line);
        json_decref(line);
    }
    free(text);
    return 0;
}

static json_t *number(double v) {
    return isfinite(v) ? json_real(v) : json_null();
}

/* Behind half a line, as a full disk leaves one, a new one begins. */
static bool ends_whole(int fd) {
    const off_t end = lseek(fd, 0, SEEK_END);
    char last = '\n';

    return end <= 0 || pread(fd, &last, 1, end - 1) != 1 || last == '\n';
}

int sweep_append(const struct sweep *s, const struct sweep_trial *t, struct err *err) {
    const struct sweep_result *r = &t->result;
    json_t *line = json_pack(
        "{s:i, s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "trial", (int)(t - s->trial) + 1,
        "rung", r->rung, "state", states[r->state], "measure", s->measure, "better",
        s->maximise ? "larger" : "smaller", "best", number(r->best), "epoch", number(r->epoch),
        "epochs", number(r->epochs), "seconds", number(r->seconds), "message", r->message);
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    char *path = file_text("%s/results.jsonl", s->folder);
    const int fd = path ? open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    int rc = 0;

    if (!text || fd < 0) {
        rc = err_set(err, ERR_IO, "%s/results.jsonl: cannot be written: %s", s->folder,
                     text ? strerror(errno) : "no memory");
    } else {
        const size_t len = strlen(text);
        text[len] = '\n'; /* over the end: a line goes out in one write */
        if ((!ends_whole(fd) && file_write(fd, "\n", 1)) || file_write(fd, text, len + 1))
            rc = err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    if (fd >= 0 && close(fd) && !rc)
        rc = err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    free(path);
    free(text);
    json_decref(line);
    return rc;
}
