/* sweep_show.c - what has become of the trials, the best first. */
#include "cmd/sweep.h"
#include "cmd/findings.h"
#include "report/columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {"waiting", "complete", "failed", "stopped"};

enum { STATE_TEXT = 24 };

/* A configuration, over its seeds and folds; where it has but one trial, that. */
struct sweep_row {
    const struct sweep_trial *first;
    int n_trials, n_done, n_failed;
    struct sweep_spread spread;
    double epoch, epochs, seconds; /* mean of best, most, sum */
};

/* What all trials of a configuration have in common; returns the length of text. */
static size_t config_text(const struct sweep *s, const struct sweep_trial *t,
                          char text[SWEEP_TEXT]) {
    size_t used = 0;

    text[0] = 0;
    for (int i = 0; i < s->n_axes && used < SWEEP_TEXT; i++)
        used += (size_t)snprintf(text + used, SWEEP_TEXT - used, "%s%s=%s", i ? " " : "",
                                 s->axis[i].name, t->value[i]);
    return used;
}

const char *sweep_settings(const struct sweep *s, const struct sweep_trial *t,
                           char text[SWEEP_TEXT]) {
    size_t used = config_text(s, t, text);

    for (int i = 0; i < s->n && used < SWEEP_TEXT; i++)
        if (s->trial[i].seed != s->trial[0].seed) {
            used += (size_t)snprintf(text + used, SWEEP_TEXT - used, "%sseed=%" PRIu64,
                                     used ? " " : "", t->seed);
            break;
        }
    if (t->fold && used < SWEEP_TEXT)
        snprintf(text + used, SWEEP_TEXT - used, "%sfold=%d", used ? " " : "", t->fold);
    return text;
}

/* --- rows --- */

static struct sweep_row row_of(const struct sweep *s, int first, double *room) {
    struct sweep_row row = {.first = &s->trial[first], .epochs = (double)NAN};
    int n_epochs = 0;

    for (int i = first; i < s->n && s->trial[i].config == s->trial[first].config; i++) {
        const struct sweep_result *r = &s->trial[i].result;
        room[row.n_trials++] = r->best;
        row.n_done += r->state == SWEEP_COMPLETE;
        row.n_failed += r->state == SWEEP_FAILED;
        row.seconds += r->seconds;
        row.epochs = fmax(row.epochs, r->epochs);
        if (!isnan(r->epoch))
            row.epoch += r->epoch, n_epochs++;
    }
    row.spread = sweep_spread_of(room, row.n_trials);
    row.epoch = n_epochs ? row.epoch / n_epochs : (double)NAN;
    return row;
}

/* Rows of all configurations, the best first, of those alike the first: in the pool. */
static struct sweep_row *rows_of(const struct sweep *s, struct pool *pool, int *n) {
    struct sweep_row *rows = pool_take(pool, (size_t)s->n_configs * sizeof *rows);
    double *room = pool_take(pool, (size_t)s->n * sizeof *room);

    *n = 0;
    for (int i = 0; i < s->n; i++) {
        if (i && s->trial[i].config == s->trial[i - 1].config)
            continue;
        const struct sweep_row row = row_of(s, i, room);
        int at = (*n)++;
        for (; at > 0 && sweep_better(s, row.spread.mean, rows[at - 1].spread.mean); at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
    return rows;
}

/* --- what matters --- */

/* Rank correlation of a setting with how good its trials are: of numbers alone. */
static double importance(int axis, const struct sweep_row *rows, int n) {
    struct pool pool = {0};
    double *x = pool_take(&pool, (size_t)n * sizeof *x),
           *y = pool_take(&pool, (size_t)n * sizeof *y);
    bool numbers = true;
    int used = 0;

    for (int i = 0; i < n; i++) {
        char *end;
        const char *value = rows[i].first->value[axis];
        const double v = strtod(value, &end);
        numbers = numbers && end != value && !end[strspn(end, " \t")];
        if (isnan(rows[i].spread.mean))
            continue;
        x[used] = v;
        y[used++] = rows[i].spread.mean;
    }
    const double rank = numbers ? sweep_rank_correlation(x, y, used) : (double)NAN;
    pool_release(&pool);
    return rank;
}

static void print_importance(const struct sweep *s, const struct sweep_row *rows, int n) {
    bool any = false;

    for (int i = 0; i < s->n_axes; i++) {
        const double rank = importance(i, rows, n);
        if (isnan(rank))
            continue;
        printf("%s %s %+.2f", any ? "," : "rank correlation with the measure:", s->axis[i].name,
               rank);
        any = true;
    }
    if (any)
        printf("\n");
}

/* --- the table --- */

static void print_number(double v, int width, const char *format) {
    char text[40] = "-";

    if (!isnan(v))
        snprintf(text, sizeof text, format, v);
    printf(" %*s", width, text);
}

static int width_of(const struct sweep *s, int axis) {
    int width = columns_of(s->axis[axis].name);

    for (int i = 0; i < s->n; i++)
        width = columns_of(s->trial[i].value[axis]) > width ? columns_of(s->trial[i].value[axis])
                                                            : width;
    return width < 40 ? width : 40;
}

static void print_head(const struct sweep *s, bool several) {
    printf("%-10s %-8s %9s", several ? "from" : "trial", "state",
           *s->measure ? s->measure : "measure");
    if (several)
        printf(" %9s %9s %9s %9s %3s", "sd", "se", "least", "most", "n");
    printf(" %7s %7s %10s", "at", "epochs", "time");
    for (int i = 0; i < s->n_axes; i++) {
        printf("  ");
        columns_print(stdout, s->axis[i].name, width_of(s, i), 1);
    }
    printf("\n");
}

/* Of a halving, trials that have ended on a rung are complete as far as they were to go. */
static const char *state_of(const struct sweep *s, const struct sweep_row *row,
                            char text[STATE_TEXT]) {
    const struct sweep_result *r = &row->first->result;

    if (r->state == SWEEP_COMPLETE && r->rung < s->n_rungs - 1) {
        snprintf(text, STATE_TEXT, "rung %d", r->rung + 1);
        return text;
    }
    if (row->n_trials == 1)
        return states[r->state];
    return row->n_done == row->n_trials ? "complete" : row->n_failed ? "failed" : "part";
}

static void print_row(const struct sweep *s, const struct sweep_row *row, bool several) {
    char time[FINDING_TEXT], state[STATE_TEXT];

    printf("%-10s %-8s", row->first->name, state_of(s, row, state));
    print_number(row->spread.mean, 9, "%.4f");
    if (several) {
        print_number(row->spread.deviation, 9, "%.4f");
        print_number(row->spread.error, 9, "%.4f");
        print_number(row->spread.n ? row->spread.least : (double)NAN, 9, "%.4f");
        print_number(row->spread.n ? row->spread.most : (double)NAN, 9, "%.4f");
        printf(" %3d", row->spread.n);
    }
    print_number(row->epoch, 7, "%.4g");
    print_number(row->epochs, 7, "%.4g");
    printf(" %10s", row->seconds > 0 ? findings_time(row->seconds, time) : "-");
    for (int i = 0; i < s->n_axes; i++) {
        printf("  ");
        columns_print(stdout, row->first->value[i], width_of(s, i), 1);
    }
    printf("\n");
}

static void print_failures(const struct sweep *s) {
    for (int i = 0; i < s->n; i++)
        if (s->trial[i].result.state == SWEEP_FAILED)
            printf("%s failed: %s\n", s->trial[i].name, s->trial[i].result.message);
}

void sweep_print(const struct sweep *s) {
    const bool several = s->n > s->n_configs;
    struct pool pool = {0};
    int n;
    const struct sweep_row *rows = rows_of(s, &pool, &n);

    print_head(s, several);
    for (int i = 0; i < n; i++)
        print_row(s, &rows[i], several);
    print_importance(s, rows, n);
    print_failures(s);
    if (n && !isnan(rows[0].spread.mean) && s->n_axes) {
        char text[SWEEP_TEXT];
        config_text(s, rows[0].first, text);
        printf("best: %s=%.4f%s with %s\n", s->measure, rows[0].spread.mean,
               several ? " (mean)" : "", text);
    }
    pool_release(&pool);
}

/* --- for programs --- */

/* A text of a table, in quotes where it needs them. RFC 4180. */
static void print_csv_text(const char *text) {
    if (!text[strcspn(text, ",\"\r\n")]) {
        printf("%s", text);
        return;
    }
    putchar('"');
    for (; *text; text++)
        printf(*text == '"' ? "\"\"" : "%c", *text);
    putchar('"');
}

static void print_csv_number(double v) {
    if (isnan(v))
        printf(",");
    else
        printf(",%.9g", v);
}

void sweep_print_csv(const struct sweep *s) {
    printf("trial,config,state,%s,epoch,epochs,seconds,seed,fold",
           *s->measure ? s->measure : "measure");
    for (int i = 0; i < s->n_axes; i++) {
        putchar(',');
        print_csv_text(s->axis[i].name);
    }
    printf(",message\n");
    for (int i = 0; i < s->n; i++) {
        const struct sweep_trial *t = &s->trial[i];
        printf("%s,%d,%s", t->name, t->config + 1, states[t->result.state]);
        print_csv_number(t->result.best);
        print_csv_number(t->result.epoch);
        print_csv_number(t->result.epochs);
        print_csv_number(t->result.seconds);
        printf(",%" PRIu64 ",%d", t->seed, t->fold);
        for (int k = 0; k < s->n_axes; k++) {
            putchar(',');
            print_csv_text(t->value[k]);
        }
        putchar(',');
        print_csv_text(t->result.message);
        putchar('\n');
    }
}

static json_t *number(double v) {
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *row_json(const struct sweep *s, const struct sweep_row *row) {
    const struct sweep_spread *p = &row->spread;
    json_t *settings = json_object(), *trials = json_array();

    for (int i = 0; i < s->n_axes; i++)
        json_object_set_new(settings, s->axis[i].name, json_string(row->first->value[i]));
    for (int i = 0; i < row->n_trials; i++) {
        const struct sweep_trial *t = row->first + i;
        json_array_append_new(
            trials, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:i, s:s}", "name", t->name,
                              "state", states[t->result.state], "best", number(t->result.best),
                              "epoch", number(t->result.epoch), "epochs", number(t->result.epochs),
                              "seconds", number(t->result.seconds), "seed", (json_int_t)t->seed,
                              "fold", t->fold, "message", t->result.message));
    }
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:i, s:o}", "config", row->first->config + 1,
                     "settings", settings, "mean", number(p->mean), "sd", number(p->deviation),
                     "se", number(p->error), "n", p->n, "trials", trials);
}

void sweep_print_json(const struct sweep *s) {
    struct pool pool = {0};
    json_t *all = json_object(), *configs = json_array(), *ranks = json_object();
    int n;
    const struct sweep_row *rows = rows_of(s, &pool, &n);

    for (int i = 0; i < n; i++)
        json_array_append_new(configs, row_json(s, &rows[i]));
    for (int i = 0; i < s->n_axes; i++)
        json_object_set_new(ranks, s->axis[i].name, number(importance(i, rows, n)));
    json_object_set_new(all, "folder", json_string(s->folder));
    json_object_set_new(all, "measure", json_string(s->measure));
    json_object_set_new(all, "better", json_string(s->maximise ? "larger" : "smaller"));
    json_object_set_new(all, "configs", configs);
    json_object_set_new(all, "rank_correlation", ranks);
    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(all);
    pool_release(&pool);
}
