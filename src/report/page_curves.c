#include "report/page_curves.h"
#include "core/base/pool.h"
#include "report/page_lines.h"
#include "report/page_table.h"
#include "report/page_thin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CURVE_STEP, CURVE_VALUE, CURVE_ERROR, CURVE_COLUMNS };
enum { SHARES = 500 };

/* Numbers by rising step. */
struct page_curve {
    const char *name;
    bool validate, has_errors;
    double *column[CURVE_COLUMNS]; /* [n] each */
    int n;
};

struct page_log {
    struct pool pool;
    struct page_curve *curve;
    int n_curves;
    struct page_curve clock; /* step, epoch, time */
    const struct page_best *best;
    json_t *tables, *best_line; /* best_line: "best" as it goes into the run */
};

static double number_of(const json_t *v) {
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static json_t *number_json(double v) {
    return !isfinite(v)                      ? json_null()
           : v == floor(v) && fabs(v) < 1e15 ? json_integer((json_int_t)v)
                                             : json_real(v);
}

static void push(struct page_log *log, struct page_curve *c, const double *numbers) {
    for (int k = 0; k < CURVE_COLUMNS; k++) {
        c->column[k] = pool_grow(&log->pool, c->column[k], c->n, sizeof *c->column[k]);
        c->column[k][c->n] = numbers[k];
    }
    c->n++;
}

static struct page_curve *find(struct page_log *log, const char *name, bool validate) {
    for (int i = 0; i < log->n_curves; i++)
        if (log->curve[i].validate == validate && !strcmp(log->curve[i].name, name))
            return &log->curve[i];
    log->curve = pool_grow(&log->pool, log->curve, log->n_curves, sizeof *log->curve);
    struct page_curve *c = &log->curve[log->n_curves++];
    *c = (struct page_curve){.name = pool_copy(&log->pool, name, strlen(name)),
                             .validate = validate};
    return c;
}

static void add_point(struct page_log *log, const char *name, bool validate, double step,
                      const json_t *value, const json_t *error) {
    if (!json_is_number(value) && !json_is_null(value))
        return;
    struct page_curve *c = find(log, name, validate);
    const double numbers[CURVE_COLUMNS] = {step, number_of(value), number_of(error)};
    c->has_errors = c->has_errors || json_is_number(error);
    push(log, c, numbers);
}

/* Is this validation the best so far? Then it becomes the one that the page names. */
static bool is_best(struct page_log *log, const json_t *line, const json_t *measures) {
    const struct page_best *b = log->best;
    const double v = b->measure ? number_of(json_object_get(measures, b->measure)) : (double)NAN;
    const double best = number_of(json_object_get(log->best_line, "value"));

    if (isnan(v) || (log->best_line && (b->maximise ? v <= best : v >= best)))
        return false;
    json_decref(log->best_line);
    log->best_line = json_pack(
        "{s:o, s:f, s:o, s:O, s:o, s:b}", "measure", page_text(b->measure), "value", v, "error",
        number_json(number_of(json_object_get(json_object_get(line, "error"), b->measure))), "step",
        json_object_get(line, "step"), "epoch",
        number_json(number_of(json_object_get(line, "epoch"))), "maximise", b->maximise);
    return true;
}

static void take_validation(struct page_log *log, const json_t *line, json_t *measures) {
    const double step = number_of(json_object_get(line, "step"));
    const json_t *errors = json_object_get(line, "error");
    const bool best = is_best(log, line, measures);
    const char *name;
    json_t *value;

    json_object_foreach(measures, name, value) {
        if (json_is_array(value))
            page_table_keep(log->tables, name, value, line, best);
        else
            add_point(log, name, true, step, value, json_object_get(errors, name));
    }
}

static int take(void *context, json_t *line, struct err *err) {
    struct page_log *log = context;
    json_t *measures = json_object_get(line, "validate");
    const double step = number_of(json_object_get(line, "step"));
    const double at[CURVE_COLUMNS] = {step, number_of(json_object_get(line, "epoch")),
                                      number_of(json_object_get(line, "time"))};
    const char *name;
    json_t *value;

    (void)err;
    if (!log->clock.n || log->clock.column[0][log->clock.n - 1] < step)
        push(log, &log->clock, at);
    if (measures) {
        take_validation(log, line, measures);
        return 0;
    }
    json_object_foreach(line, name, value) if (strcmp(name, "step") != 0 &&
                                               strcmp(name, "epoch") != 0 &&
                                               strcmp(name, "time") != 0)
        add_point(log, name, false, step, value, NULL);
    return 0;
}

/* The numbers at[n] of v, less `from`. */
static json_t *list(const double *v, const size_t *at, size_t n, double from) {
    json_t *out = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(out, number_json(v[at[i]] - from));
    return out;
}

/* Shares of one time are laid on top of each other: at the same steps, each the mean since the
 * last. Thins the curve itself. */
static size_t thin_share(const struct page_curve *c, size_t points, size_t *at) {
    const size_t all = (size_t)c->n, n = all < points ? all : points;
    double *v = c->column[CURVE_VALUE];

    for (size_t i = 0, begin = 0; i < n; i++) {
        double sum = 0;
        at[i] = page_thin_even(i, n, all);
        for (size_t k = begin; k <= at[i]; k++)
            sum += v[k];
        v[at[i]] = sum / (double)(at[i] + 1 - begin);
        begin = at[i] + 1;
    }
    return n;
}

static json_t *curve_json(const struct page_curve *c, size_t points, size_t *at) {
    const size_t len = strlen(c->name), suffix = strlen("_share");
    const bool share = !c->validate && len > suffix && !strcmp(c->name + len - suffix, "_share");
    const size_t n = share ? thin_share(c, points < SHARES ? points : SHARES, at)
                           : page_thin_curve(c->column[CURVE_VALUE], (size_t)c->n, points, at);
    json_t *out = json_pack("{s:o, s:b, s:o, s:o}", "name", page_text(c->name), "validate",
                            c->validate, "step", list(c->column[CURVE_STEP], at, n, 0), "value",
                            list(c->column[CURVE_VALUE], at, n, 0));

    if (c->has_errors)
        json_object_set_new(out, "error", list(c->column[CURVE_ERROR], at, n, 0));
    return out;
}

/* The first time that a line says; the last. NAN: none does. */
static double began(const struct page_curve *clock) {
    for (int i = 0; i < clock->n; i++)
        if (isfinite(clock->column[2][i]))
            return clock->column[2][i];
    return (double)NAN;
}

static double ended(const struct page_curve *clock) {
    for (int i = clock->n; i-- > 0;)
        if (isfinite(clock->column[2][i]))
            return clock->column[2][i];
    return (double)NAN;
}

static json_t *clock_json(const struct page_curve *c, size_t points, size_t *at) {
    const size_t all = (size_t)c->n, n = all < points ? all : points;

    for (size_t i = 0; i < n; i++)
        at[i] = page_thin_even(i, n, all);
    if (n) /* curves begin where the clock does */
        at[0] = 0;
    return json_pack("{s:o, s:o, s:o}", "step", list(c->column[0], at, n, 0), "epoch",
                     list(c->column[1], at, n, 0), "time", list(c->column[2], at, n, began(c)));
}

static void add_summary(json_t *run, const struct page_curve *clock) {
    const int last = clock->n - 1;
    const double step = last < 0 ? 0 : clock->column[0][last];
    const double epoch = last < 0 ? 0 : clock->column[1][last];

    json_object_set_new(run, "step", number_json(step));
    json_object_set_new(run, "epoch", number_json(epoch));
    json_object_set_new(run, "steps_per_epoch", number_json(round(step / epoch)));
    json_object_set_new(run, "began", number_json(floor(began(clock))));
    json_object_set_new(run, "seconds", number_json(ended(clock) - began(clock)));
}

static void add_all(json_t *run, struct page_log *log, size_t points, size_t *at) {
    json_t *curves = json_array();

    for (int i = 0; i < log->n_curves; i++)
        json_array_append_new(curves, curve_json(&log->curve[i], points, at));
    json_object_set_new(run, "curves", curves);
    json_object_set_new(run, "clock", clock_json(&log->clock, points, at));
    json_object_set(run, "tables", log->tables);
    if (log->best_line)
        json_object_set(run, "best", log->best_line);
    add_summary(run, &log->clock);
}

int page_curves_add(json_t *run, const char *path, const struct page_best *best, size_t points,
                    struct err *err) {
    struct page_log log = {.best = best, .tables = json_array()};
    size_t *at = malloc((points + 2) * sizeof *at);
    int rc = at && log.tables ? 0 : err_set(err, ERR_IO, "%s: no memory for its curves", path);

    if (!rc)
        rc = page_lines_read(path, true, take, &log, err);
    if (!rc)
        add_all(run, &log, points, at);
    json_decref(log.tables);
    json_decref(log.best_line);
    pool_release(&log.pool);
    free(at);
    return rc;
}
