#include "cmd/watch_run.h"
#include "core/base/one_line.h"
#include "io/file/file.h"
#include "io/file/lock_owner.h"
#include "train/meta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Nothing for so long is nothing any more, where lines come more often than that. */
static const double STALE_S = 120, STALE_LINES = 10;

/* --- the log --- */

static double number_of(const json_t *value) {
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void keep_number(const json_t *line, const char *key, double *out) {
    const json_t *value = json_object_get(line, key);

    if (json_is_number(value))
        *out = json_number_value(value);
}

static void forget(void *context) {
    struct watch_run *r = context;

    pool_release(&r->pool);
    r->series = NULL;
    r->n_series = r->n_times = 0;
    r->step = r->epoch = r->lr = r->img_per_s = r->comm_share = (double)NAN;
}

/* NULL: there is none yet; every one that there is has a value. */
static struct watch_series *find_series(const struct watch_run *r, const char *name,
                                        bool measured) {
    for (int i = 0; i < r->n_series; i++)
        if (r->series[i].measured == measured && !strcmp(r->series[i].name, name))
            return &r->series[i];
    return NULL;
}

static struct watch_series *add_series(struct watch_run *r, const char *name, bool measured) {
    r->series = pool_grow(&r->pool, r->series, r->n_series, sizeof *r->series);
    struct watch_series *s = &r->series[r->n_series++];
    *s = (struct watch_series){.name = one_line(pool_copy(&r->pool, name, strlen(name))),
                               .measured = measured};
    return s;
}

static void add_point(struct watch_run *r, const char *name, bool measured, double value) {
    struct watch_series *s = find_series(r, name, measured);

    if (!s)
        s = add_series(r, name, measured);
    s->epoch = pool_grow(&r->pool, s->epoch, s->n, sizeof *s->epoch);
    s->value = pool_grow(&r->pool, s->value, s->n, sizeof *s->value);
    s->epoch[s->n] = r->epoch;
    s->value[s->n++] = value;
    s->error = (double)NAN;
}

/* Is it "loss", or that of a step that has a name? */
static bool is_called(const char *key, const char *what) {
    const char *dot = strrchr(key, '.');

    return !strcmp(dot ? dot + 1 : key, what);
}

static void add_time(struct watch_run *r, double time) {
    if (r->n_times == WATCH_TIMES) {
        memmove(r->times, r->times + 1, (WATCH_TIMES - 1) * sizeof *r->times);
        memmove(r->time_steps, r->time_steps + 1, (WATCH_TIMES - 1) * sizeof *r->time_steps);
        r->n_times--;
    }
    r->times[r->n_times] = time;
    r->time_steps[r->n_times++] = r->step;
}

static void take_line(void *context, const json_t *line) {
    json_t *validate = json_object_get(line, "validate"), *value;
    struct watch_run *r = context;
    const char *key;
    double time = (double)NAN;

    keep_number(line, "step", &r->step);
    keep_number(line, "epoch", &r->epoch);
    keep_number(line, "img_per_s", &r->img_per_s);
    keep_number(line, "comm_share", &r->comm_share);
    keep_number(line, "time", &time);
    if (isfinite(time))
        add_time(r, time);
    json_object_foreach((json_t *)line, key, value) {
        if (is_called(key, "loss"))
            add_point(r, key, false, number_of(value));
        else if (is_called(key, "lr"))
            r->lr = number_of(value);
    }
    json_object_foreach(validate, key, value) {
        if (json_is_number(value) || json_is_null(value)) /* others are tables */
            add_point(r, key, true, number_of(value));
    }
    json_object_foreach(json_object_get(line, "error"), key, value) {
        struct watch_series *measure = find_series(r, key, true);
        if (measure)
            measure->error = number_of(value);
    }
}

/* --- ranks --- */

static void forget_ranks(void *context) {
    struct watch_run *r = context;

    r->n_ranks = 0;
}

static double item(const json_t *list, size_t i) {
    return number_of(json_array_get(list, i));
}

static void take_ranks(void *context, const json_t *line) {
    const json_t *compute = json_object_get(line, "compute_s"),
                 *wait = json_object_get(line, "wait_s"), *data = json_object_get(line, "data_s");
    const size_t n = json_array_size(compute);
    struct watch_run *r = context;
    double waited = 0, all = 0;

    if (!n || json_array_size(wait) != n || json_array_size(data) != n)
        return;
    r->n_ranks = (int)n;
    r->slowest_s = -INFINITY;
    r->fastest_s = INFINITY;
    for (size_t i = 0; i < n; i++) {
        const double own = item(compute, i);
        if (own > r->slowest_s) {
            r->slowest_s = own;
            r->slowest = (int)i;
        }
        r->fastest_s = fmin(r->fastest_s, own);
        waited += item(wait, i);
        all += own + item(wait, i) + item(data, i);
    }
    r->wait_share = all > 0 ? waited / all : (double)NAN;
}

/* --- how it ended --- */

static void forget_end(void *context) {
    struct watch_run *r = context;

    r->failed = false;
}

static void take_event(void *context, const json_t *line) {
    const char *event = json_string_value(json_object_get(line, "event"));
    const char *state = json_string_value(json_object_get(line, "state"));
    const char *text = json_string_value(json_object_get(line, "text"));
    struct watch_run *r = context;

    if (!event || (strcmp(event, "start") != 0 && strcmp(event, "end") != 0))
        return;
    r->failed = *event == 'e' && state && !strcmp(state, "failed");
    snprintf(r->why, sizeof r->why, "%s", text ? text : "");
}

/* --- the job, and what a checkpoint says of its measure --- */

static double changed(const char *path) {
    struct stat st;

    return stat(path, &st) ? 0 : (double)st.st_mtim.tv_sec + 1e-9 * (double)st.st_mtim.tv_nsec;
}

static void look_at_job(struct watch_run *r, const char *path) {
    const double now = changed(path);
    struct err ignored = {0};
    struct job job = {0};

    if (now == r->job_changed)
        return;
    r->job_changed = now;
    r->epochs = r->steps = r->batch = (double)NAN;
    r->best[0] = 0;
    if (now > 0 && !job_read(&job, path, NULL, 0, &ignored)) {
        if (job.steps)
            r->steps = (double)job.steps;
        else
            r->epochs = job.epochs;
        r->batch = (double)job.batch;
        r->patience = job.patience;
        snprintf(r->best, sizeof r->best, "%s", job.best ? job.best : "");
    }
    job_release(&job);
}

/* Which way is better is the same in every checkpoint: one that can be read tells it. */
static void look_for_better(struct watch_run *r, struct pool *pool) {
    static const char *const files[] = {"best.h5", "last.h5"};

    for (int i = 0; i < 2 && !r->better && r->best[0]; i++) {
        const char *path = pool_print(pool, "%s/%s", r->folder, files[i]), *way;
        struct err ignored = {0};
        struct meta meta = {0};
        if (access(path, R_OK) || meta_open(&meta, path, &ignored)) {
            meta_release(&meta);
            continue;
        }
        way = meta_string(&meta, "measures.better");
        r->better = !strcmp(way, "larger") ? 1 : !strcmp(way, "smaller") ? -1 : 0;
        meta_release(&meta);
    }
}

/* --- does it live? --- */

static double seconds_now(void) {
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* How long a run may be silent that lives: validations, and the time before the first step, are
 * longer than steps. */
static double most_silence(const struct watch_run *r) {
    const int n = r->n_times;

    return n > 1 ? fmax(STALE_S, STALE_LINES * (r->times[n - 1] - r->times[0]) / (n - 1))
                 : 5 * STALE_S;
}

static bool has_ended(const struct watch_run *r) {
    const struct watch_series *s = watch_run_deciding(r);
    const int best = s ? watch_run_best(r, s) : -1;

    return watch_run_share(r) >= 1 ||
           (r->patience && s && r->better && s->n - 1 - best >= r->patience);
}

static void state_of_lock(struct watch_run *r, const char *text, double lock_changed) {
    struct lock_owner owner, mine;

    r->state = WATCH_RUNNING;
    if (lock_owner_read(&owner, text)) /* just being written */
        return;
    lock_owner_init(&mine);
    mine.job[0] = 0; /* a watcher in the run's own Slurm job is no reason to take it for ended */
    const enum lock_state state = lock_owner_state(&owner, &mine);
    const double since = fmax(lock_changed, r->metrics.changed);
    snprintf(r->said, sizeof r->said, "process %lld on %.100s", (long long)owner.pid, owner.host);
    if (state == LOCK_LEFT) {
        r->state = WATCH_FAILED;
        snprintf(r->said, sizeof r->said,
                 "process %lld on %.100s has ended without giving the folder back",
                 (long long)owner.pid, owner.host);
    } else if (state == LOCK_UNSEEN && seconds_now() - since > most_silence(r)) {
        r->state = WATCH_STALE;
    }
}

/* A run that has let go of its folder. */
static void state_of_rest(struct watch_run *r, struct pool *pool) {
    struct err ignored = {0};
    char *fault = NULL;
    size_t len;

    if (!file_read(pool_print(pool, "%s/fault.txt", r->folder), &fault, &len, &ignored)) {
        r->state = WATCH_FAILED;
        snprintf(r->said, sizeof r->said, "%.*s", (int)strcspn(fault, "\n"), fault);
    } else if (r->failed) {
        r->state = WATCH_FAILED;
        memcpy(r->said, r->why, sizeof r->said);
    } else if (has_ended(r)) {
        r->state = WATCH_ENDED;
    } else {
        r->state = WATCH_STOPPED;
        if (!access(pool_print(pool, "%s/last.h5", r->folder), F_OK))
            snprintf(r->said, sizeof r->said, "--resume goes on");
    }
    free(fault);
}

static void find_state(struct watch_run *r, struct pool *pool) {
    const char *path = pool_print(pool, "%s/lock", r->folder);
    struct err ignored = {0};
    char *text = NULL;
    size_t len;

    r->said[0] = 0;
    if (!access(path, F_OK) && !file_read(path, &text, &len, &ignored))
        state_of_lock(r, text, changed(path));
    else if (r->job_changed <= 0 && r->metrics.changed <= 0)
        r->state = WATCH_NO_RUN;
    else
        state_of_rest(r, pool);
    one_line(r->said);
    r->age_s = r->metrics.changed > 0 ? fmax(0, seconds_now() - r->metrics.changed) : (double)NAN;
    free(text);
}

void watch_run_look(struct watch_run *r) {
    struct pool pool = {0};

    if (!r->metrics.path)
        forget(r);
    r->metrics.path = pool_print(&pool, "%s/metrics.jsonl", r->folder);
    r->ranks.path = pool_print(&pool, "%s/ranks.jsonl", r->folder);
    r->events.path = pool_print(&pool, "%s/events.jsonl", r->folder);
    look_at_job(r, pool_print(&pool, "%s/job.ini", r->folder));
    watch_log_read(&r->metrics, r, forget, take_line);
    watch_log_read(&r->ranks, r, forget_ranks, take_ranks);
    watch_log_read(&r->events, r, forget_end, take_event);
    look_for_better(r, &pool);
    find_state(r, &pool);
    r->metrics.path = r->ranks.path = r->events.path = "";
    pool_release(&pool);
}

void watch_run_release(struct watch_run *r) {
    pool_release(&r->pool);
    *r = (struct watch_run){0};
}

/* --- what follows --- */

bool watch_run_is_over(const struct watch_run *r) {
    return r->state != WATCH_RUNNING && r->state != WATCH_STALE;
}

double watch_run_steps(const struct watch_run *r) {
    return isnan(r->steps) ? round(r->step / r->epoch * r->epochs) : r->steps;
}

double watch_run_share(const struct watch_run *r) {
    return r->step / watch_run_steps(r);
}

double watch_run_left_s(const struct watch_run *r) {
    const double left = fmax(0, watch_run_steps(r) - r->step);
    const int n = r->n_times;
    const double steps = n > 1 ? r->time_steps[n - 1] - r->time_steps[0] : 0;

    if (steps > 0)
        return left * (r->times[n - 1] - r->times[0]) / steps;
    return left * r->batch / r->img_per_s;
}

const struct watch_series *watch_run_deciding(const struct watch_run *r) {
    for (int i = 0; i < r->n_series; i++)
        if (r->series[i].measured && r->best[0] && !strcmp(r->series[i].name, r->best))
            return &r->series[i];
    return NULL;
}

int watch_run_best(const struct watch_run *r, const struct watch_series *s) {
    int best = -1;

    for (int i = 0; i < s->n && r->better; i++)
        if (isfinite(s->value[i]) &&
            (best < 0 || r->better * s->value[i] > r->better * s->value[best]))
            best = i;
    return best;
}
