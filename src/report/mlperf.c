#include "report/mlperf.h"
#include "report/lost.h"
#include "core/base/clock.h"
#include "io/file/file.h"
#include "train/evaluate.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t now_ms(void) {
    return (int64_t)(clock_utc() * 1000);
}

/* --- lines --- */

/* Takes value and metadata. */
static void line_at(struct mlperf *m, int64_t ms, int lineno, const char *type, const char *key,
                    json_t *value, json_t *metadata) {
    json_t *line = json_pack("{s:s, s:I, s:s, s:s, s:o, s:o}", "namespace", "", "time_ms",
                             (json_int_t)ms, "event_type", type, "key", key, "value", value,
                             "metadata", metadata ? metadata : json_object());
    json_t *where = json_object_get(line, "metadata");

    json_object_set_new(where, "file", json_string("mlperf.c"));
    json_object_set_new(where, "lineno", json_integer(lineno));
    char *json = json_dumps(line, JSON_REAL_PRECISION(13));
    char *text = json ? file_text(":::MLLOG %s\n", json) : NULL;
    struct err err = {0};
    const int rc = text && !file_write(m->fd, text, strlen(text))
                       ? 0
                       : err_set(&err, ERR_IO, "%s: cannot be written: %s", m->path,
                                 text ? strerror(errno) : "no memory");
    lost_tell(&m->lost, rc, &err, "the line is lost", m->warn);
    free(text);
    free(json);
    json_decref(line);
}

#define POINT(m, key, value, metadata)                                                             \
    line_at(m, now_ms(), __LINE__, "POINT_IN_TIME", key, value, metadata)
#define BEGIN_AT(m, ms, key, metadata)                                                             \
    line_at(m, ms, __LINE__, "INTERVAL_START", key, json_null(), metadata)
#define END(m, key, metadata)                                                                      \
    line_at(m, now_ms(), __LINE__, "INTERVAL_END", key, json_null(), metadata)

/* Epochs as whole numbers where they are. */
static json_t *epoch_json(double epoch) {
    return epoch == floor(epoch) ? json_integer((json_int_t)epoch) : json_real(epoch);
}

static json_t *epoch_num(double epoch) {
    json_t *metadata = json_object();

    json_object_set_new(metadata, "epoch_num", epoch_json(epoch));
    return metadata;
}

/* The epoch that the next step is in, counted from 1. */
static double next_epoch(const struct progress *p) {
    return floor(progress_epoch(p, p->step)) + 1;
}

/* --- the beginning --- */

static int open_log(struct sink *sink, const struct event *start, struct err *err) {
    struct mlperf *m = (struct mlperf *)sink;

    if (!start->job->mlperf)
        return 0;
    m->path = file_text("%s/mlperf.log", start->folder);
    if (!m->path)
        return err_set(err, ERR_IO, "%s: not enough memory for a path", start->folder);
    m->fd = open(m->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (m->fd < 0)
        return err_set(err, ERR_IO, "%s: cannot be written: %s", m->path, strerror(errno));
    return 0;
}

/* A submitter writes who it is from in the place of what nobody here knows. */
static void submission(struct mlperf *m, const struct event *e) {
    char host[64] = "unknown";

    gethostname(host, sizeof host - 1);
    POINT(m, "submission_benchmark", json_string(e->job->name), NULL);
    POINT(m, "submission_org", json_string("unknown"), NULL);
    POINT(m, "submission_division", json_string("open"), NULL);
    POINT(m, "submission_status", json_string("research"), NULL);
    POINT(m, "submission_platform", json_string(host), NULL);
}

static const double *real_of(const struct applied *a, const char *name) {
    for (const struct arg_spec *s = a->word->args; s && s->name; s++)
        if (s->kind == ARG_REAL && !strcmp(s->name, name))
            return (const void *)((const char *)a->args + s->offset);
    return NULL;
}

static void schedule(struct mlperf *m, const struct applied *lr) {
    const double *base = real_of(lr, "lr"), *warmup = real_of(lr, "warmup");

    if (base)
        POINT(m, "opt_base_learning_rate", json_real(*base), NULL);
    if (warmup)
        POINT(m, "opt_learning_rate_warmup_epochs", json_real(*warmup), NULL);
}

static void optimizer(struct mlperf *m, const struct applied *o) {
    char key[128];

    POINT(m, "opt_name", json_string(o->word->name), NULL);
    schedule(m, optim_schedule(o, "lr"));
    for (const struct arg_spec *s = o->word->args; s && s->name; s++) {
        snprintf(key, sizeof key, "%s_opt_%s", o->word->name, s->name);
        if (s->kind == ARG_REAL)
            POINT(m, key, json_real(*real_of(o, s->name)), NULL);
    }
}

/* That the caches of the system are cleared is up to those who start the job. */
static void start(struct mlperf *m, const struct event *e) {
    line_at(m, m->init_ms, __LINE__, "POINT_IN_TIME", "cache_clear", json_false(), NULL);
    BEGIN_AT(m, m->init_ms, "init_start", NULL);
    submission(m, e);
    POINT(m, "global_batch_size", json_integer(e->job->batch), NULL);
    POINT(m, "gradient_accumulation_steps", json_integer(e->job->accumulate), NULL);
    POINT(m, "seed", json_integer((json_int_t)e->job->seed), NULL);
    POINT(m, "train_samples", json_integer(e->start.n_samples), NULL);
    POINT(m, "eval_samples", json_integer(e->start.n_validate), NULL);
    for (int i = 0; i < e->job->n_steps; i++)
        optimizer(m, &e->job->step[i].optimizer);
    END(m, "init_stop", NULL);
    m->last_ms = now_ms();
    BEGIN_AT(m, m->last_ms, "run_start", NULL);
}

/* --- steps --- */

static double epochs_of_block(const struct event *e) {
    const struct interval *every = &e->job->validate_every;
    const struct progress *p = e->progress;

    if (every->epochs > 0)
        return every->epochs;
    return progress_epoch(p, every->steps ? every->steps : p->total_steps);
}

/* What the step that is done has begun, if that was not written. */
static void begin_what_is_due(struct mlperf *m, const struct event *e) {
    struct progress before = *e->progress;

    before.step--;
    if (!m->in_block) {
        json_t *metadata = json_object();
        m->block_first = next_epoch(&before);
        json_object_set_new(metadata, "first_epoch_num", epoch_json(m->block_first));
        json_object_set_new(metadata, "epoch_count", epoch_json(epochs_of_block(e)));
        BEGIN_AT(m, m->last_ms, "block_start", metadata);
        m->in_block = true;
    }
    if (!m->in_epoch)
        BEGIN_AT(m, m->last_ms, "epoch_start", epoch_num(next_epoch(&before)));
    m->in_epoch = true;
}

static void step(struct mlperf *m, const struct event *e) {
    begin_what_is_due(m, e);
    if (e->progress->step % e->progress->steps_per_epoch == 0) {
        END(m, "epoch_stop", epoch_num(progress_epoch(e->progress, e->progress->step)));
        m->in_epoch = false;
    }
}

static void end_block(struct mlperf *m) {
    json_t *metadata = json_object();

    json_object_set_new(metadata, "first_epoch_num", epoch_json(m->block_first));
    END(m, "block_stop", metadata);
    m->in_block = false;
}

/* --- validation --- */

static double epoch_of(const struct event *e) {
    return progress_epoch(e->progress, e->progress->step);
}

static void begin_validation(struct mlperf *m, const struct event *e) {
    if (m->in_block)
        end_block(m);
    BEGIN_AT(m, now_ms(), "eval_start", epoch_num(epoch_of(e)));
}

/* The measure that decides, which comes first. */
static void validation(struct mlperf *m, const struct event *e) {
    const char *name;
    double value;

    if (evaluate_measure(e->replica, 0, &name, &value)) {
        json_t *metadata = epoch_num(epoch_of(e));
        json_object_set_new(metadata, "measure", json_string(name));
        POINT(m, "eval_accuracy", isfinite(value) ? json_real(value) : json_null(), metadata);
    }
    END(m, "eval_stop", epoch_num(epoch_of(e)));
}

static void end(struct mlperf *m, const struct event *e) {
    json_t *metadata = json_object();

    if (m->in_block)
        end_block(m);
    json_object_set_new(metadata, "status", json_string(e->end.err ? "aborted" : "success"));
    END(m, "run_stop", metadata);
}

static void take(struct sink *sink, const struct event *e) {
    struct mlperf *m = (struct mlperf *)sink;

    if (m->fd < 0)
        return;
    if (e->kind == EVENT_START)
        start(m, e);
    else if (e->kind == EVENT_STEP)
        step(m, e);
    else if (e->kind == EVENT_VALIDATES)
        begin_validation(m, e);
    else if (e->kind == EVENT_VALIDATION)
        validation(m, e);
    else if (e->kind == EVENT_END)
        end(m, e);
    m->last_ms = now_ms();
}

static const struct sink_kind kind = {.open = open_log, .take = take};

void mlperf_init(struct mlperf *m, const struct sinks *warn) {
    *m = (struct mlperf){.sink = {&kind}, .warn = warn, .fd = -1, .init_ms = now_ms()};
}

void mlperf_release(struct mlperf *m) {
    if (m->fd >= 0)
        close(m->fd);
    free(m->path);
    *m = (struct mlperf){.fd = -1};
}
