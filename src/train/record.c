#define _DEFAULT_SOURCE /* flock */
#include "train/record.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

void record_init(struct record *r, const struct job *job, struct report *report) {
    *r = (struct record){.job = job, .report = report, .lock = -1};
    r->folder = pool_print(&r->pool, "%s/%s", job->output, job->name);
}

const char *record_path(struct record *r, const char *file) {
    return pool_print(&r->pool, "%s/%s", r->folder, file);
}

/* Keep other processes out of the folder while this one lives: two runs would mix their files.
 * File systems without locks go without. */
static int lock_folder(struct record *r, struct err *err) {
    const int folder = open(r->folder, O_RDONLY | O_DIRECTORY);

    if (folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        close(folder);
        return err_set(err, ERR_IO,
                       "%s is in use by another run; give this one another name=", r->folder);
    }
    if (r->lock >= 0)
        close(r->lock);
    r->lock = folder;
    return 0;
}

static int move_aside(struct record *r, struct err *err) {
    if (access(record_path(r, "job.ini"), F_OK))
        return 0;
    for (int i = 1;; i++) {
        const char *aside = pool_print(&r->pool, "%s.%d", r->folder, i);
        if (!access(aside, F_OK))
            continue;
        if (rename(r->folder, aside))
            return err_set(err, ERR_IO, "%s: cannot be renamed to %s: %s", r->folder, aside,
                           strerror(errno));
        report_line(r->report, "%s holds an earlier run, which is now %s", r->folder, aside);
        close(r->lock);
        r->lock = -1;
        return 0;
    }
}

int record_lock(struct record *r, bool resume, struct err *err) {
    return lock_folder(r, err) || (!resume && move_aside(r, err)) ? -1 : 0;
}

int record_open(struct record *r, int64_t step, struct err *err) {
    char *text = source_print(&r->job->source);

    if (!text)
        return err_set(err, ERR_IO, "%s: no memory for the job's text", r->folder);
    int rc = runlog_open(&r->log, r->folder, text, step, err);
    free(text);
    if (!rc && r->lock < 0) /* the folder is new */
        rc = lock_folder(r, err);
    return rc;
}

static void append(struct record *r, json_t *line) {
    struct err err = {0};

    if (runlog_append(r->log, line, &err))
        report_line(r->report, "warning: %s; the line is lost, training goes on", err.msg);
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

void record_step(struct record *r, const struct progress *p, const struct control *control,
                 const struct step_output *out, double img_per_s) {
    if (!r->log)
        return;
    json_t *line = new_line(p);
    for (int i = 0; i < r->job->n_steps; i++) {
        if (!out->ran[i])
            continue;
        step_number(line, r->job->step[i].name, "loss", out->loss[i]);
        step_number(line, r->job->step[i].name, "lr", control->lr[i]);
    }
    runlog_number(line, "img_per_s", img_per_s);
    append(r, line);
}

/* Rows of numbers as lists of lists; dimensions of length 1 are left out. */
static json_t *table_json(const act *v, const struct shape *s, int axis) {
    while (axis < s->rank && s->dim[axis] == 1)
        axis++;
    if (axis == s->rank)
        return isfinite(*v) ? json_real((double)*v) : json_null();
    json_t *list = json_array();
    int64_t step = 1;
    for (int i = axis + 1; i < s->rank; i++)
        step *= s->dim[i];
    for (int64_t i = 0; i < s->dim[axis]; i++)
        json_array_append_new(list, table_json(v + i * step, s, axis + 1));
    return list;
}

void record_validation(struct record *r, const struct progress *p, const struct replica *replica) {
    const char *name;
    struct tensor table;
    double value;

    if (!r->log)
        return;
    json_t *line = new_line(p), *measures = json_object();
    for (int i = 0; evaluate_measure(replica, i, &name, &value); i++)
        runlog_number(measures, name, value);
    for (int i = 0; evaluate_table(replica, i, &name, &table); i++)
        json_object_set_new(measures, name, table_json(table.reals, &table.shape, 0));
    json_object_set_new(line, "validate", measures);
    append(r, line);
}

void record_release(struct record *r) {
    runlog_close(r->log);
    if (r->lock >= 0)
        close(r->lock);
    pool_release(&r->pool);
    *r = (struct record){0};
}
