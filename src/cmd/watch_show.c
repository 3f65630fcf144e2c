#include "cmd/watch_show.h"
#include "report/columns.h"
#include "report/curve.h"
#include "report/progress_line.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { CURVE_LEAST = 4, CURVE_PLAIN = 8, CURVE_MOST = 12, HEAD_LINES = 5, NAME_MOST = 30 };

/* --- state --- */

static const struct {
    const char *name;
    enum ink ink;
} states[] = {
    [WATCH_NO_RUN] = {"no run", INK_DIM},       [WATCH_RUNNING] = {"running", INK_GOOD},
    [WATCH_STALE] = {"stale", INK_WARNING},     [WATCH_ENDED] = {"ended", INK_GOOD},
    [WATCH_STOPPED] = {"stopped", INK_WARNING}, [WATCH_FAILED] = {"failed", INK_ERROR},
};

enum { AGE_TEXT = 32 };

/* "last line 3 min ago", in the largest unit. */
static const char *age_text(double age_s, char text[AGE_TEXT]) {
    static const struct {
        double s;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "h"}, {60, "min"}, {0, "s"}};
    int i = 0;

    while (age_s < 2 * units[i].s)
        i++;
    snprintf(text, AGE_TEXT, "%.0f %s", floor(age_s / fmax(1, units[i].s)), units[i].name);
    return text;
}

static void print_state(const struct watch_page *p, const struct watch_run *r) {
    char said[WATCH_TEXT + 64], age[AGE_TEXT];
    size_t used = 0;

    fprintf(p->out, "%s  %s%s%s", r->name, screen_ink(&p->screen, states[r->state].ink),
            states[r->state].name, screen_plain(&p->screen));
    said[0] = 0;
    if (r->said[0])
        used = (size_t)snprintf(said, sizeof said, ", %s", r->said);
    if (isfinite(r->age_s))
        snprintf(said + used, sizeof said - used, ", last line %s ago", age_text(r->age_s, age));
    const int left = p->columns - columns_of(r->name) - 2 - columns_of(states[r->state].name);
    fprintf(p->out, "%.*s\n", (int)columns_cut(said, left > 0 ? left : 0), said);
}

/* --- how far it is --- */

static void add_share(struct progress_line *l, double share) {
    l->share = share;
    if (isfinite(share))
        progress_line_add(l, WORTH_ALWAYS, "%3.0f%%", floor(100 * fmin(1, share)));
    else
        progress_line_add(l, WORTH_ALWAYS, "%4s", "");
    progress_line_add(l, WORTH_BAR, "%s", "");
}

static void print_progress(const struct watch_page *p, const struct watch_run *r) {
    struct progress_line l = {0};
    const double steps = watch_run_steps(r);
    char left[PROGRESS_LEFT];

    if (isnan(r->step))
        return;
    add_share(&l, watch_run_share(r));
    if (isfinite(steps) && r->step > 0) {
        progress_line_add(&l, WORTH_EPOCH, "epoch %.2f/%.10g", r->epoch,
                          r->epoch * steps / r->step);
        progress_line_add(&l, WORTH_STEP, "step %.0f/%.0f", r->step, steps);
    } else {
        progress_line_add(&l, WORTH_EPOCH, "epoch %.2f", r->epoch);
        progress_line_add(&l, WORTH_STEP, "step %.0f", r->step);
    }
    if (isfinite(r->lr))
        progress_line_add(&l, WORTH_RATE_OF_LEARNING, "lr %.4g", r->lr);
    if (isfinite(r->img_per_s))
        progress_line_add(&l, WORTH_SPEED, "%.0f images/s", r->img_per_s);
    if (isfinite(r->comm_share))
        progress_line_add(&l, WORTH_RATE_OF_LEARNING, "communication %.1f %%", 100 * r->comm_share);
    if (!watch_run_is_over(r))
        progress_line_add(&l, WORTH_LEFT, "%s", progress_left(watch_run_left_s(r), left));
    progress_line_print(p->out, &l, p->columns, &p->screen);
    fputc('\n', p->out);
}

static void print_ranks(const struct watch_page *p, const struct watch_run *r) {
    struct progress_line l = {0};

    if (!r->n_ranks)
        return;
    progress_line_add(&l, WORTH_ALWAYS, "%d ranks", r->n_ranks);
    progress_line_add(&l, WORTH_LEFT, "computing %.3g to %.3g ms a step", 1e3 * r->fastest_s,
                      1e3 * r->slowest_s);
    progress_line_add(&l, WORTH_EPOCH, "slowest rank %d", r->slowest);
    progress_line_add(&l, WORTH_LOSS, "waiting %.1f %%", 100 * r->wait_share);
    progress_line_print(p->out, &l, p->columns, &p->screen);
    fputc('\n', p->out);
}

/* --- numbers --- */

/* "validate top1 0.9765  best 0.9765 at epoch 8", and the course of it where it gets no curve. */
static void print_number(const struct watch_page *p, const struct watch_run *r,
                         const struct watch_series *s, bool spark) {
    const int best = s == watch_run_deciding(r) ? watch_run_best(r, s) : -1;
    struct progress_line l = {0};
    struct spark course = {0};
    char error[32] = "";

    for (int i = 0; spark && i < s->n; i++)
        spark_add(&course, s->value[i]);
    l.spark = &course;
    if (isfinite(s->error))
        snprintf(error, sizeof error, " %s%.4f", p->screen.utf8 ? "±" : "+-", s->error);
    progress_line_add(&l, WORTH_ALWAYS, "%s%s %.4f%s", s->measured ? "validate " : "", s->name,
                      s->value[s->n - 1], error);
    if (best >= 0)
        progress_line_add(&l, WORTH_LOSS, "best %.4f at epoch %.4g", s->value[best],
                          s->epoch[best]);
    if (spark)
        progress_line_add(&l, WORTH_SPARK, "%s", "");
    const bool is_best = best >= 0 && best == s->n - 1;
    fputs(is_best ? screen_ink(&p->screen, INK_GOOD) : "", p->out);
    progress_line_print(p->out, &l, p->columns, &p->screen);
    fputs(is_best ? screen_plain(&p->screen) : "", p->out);
    fputc('\n', p->out);
}

static void print_curve(const struct watch_page *p, const struct watch_run *r,
                        const struct watch_series *s, int rows) {
    const struct curve c = {.x = s->epoch, .y = s->value, .n = s->n, .to = r->epoch};

    fputs(screen_ink(&p->screen, INK_BAR), p->out);
    curve_print(p->out, &c, p->columns, rows, p->screen.utf8);
    fputs(screen_plain(&p->screen), p->out);
}

static void print_axis(const struct watch_page *p, const struct watch_run *r) {
    char to[40];
    const int width = p->columns - CURVE_LABEL;
    const int len = snprintf(to, sizeof to, "epoch %.4g", r->epoch);

    if (width > len + 2)
        fprintf(p->out, "%*s0%*s\n", CURVE_LABEL, "", width - 1, to);
}

/* The first numbers get a curve, as many as there is room for; the others a line. */
static void print_numbers(const struct watch_page *p, const struct watch_run *r) {
    const int n = r->n_series, room = p->rows ? p->rows - HEAD_LINES : n * (CURVE_PLAIN + 1);
    int curves = n;

    while (curves && curves * (CURVE_LEAST + 1) + n - curves > room)
        curves--;
    const int each = curves ? (room - (n - curves)) / curves - 1 : 0;
    for (int i = 0; i < n; i++) {
        print_number(p, r, &r->series[i], i >= curves);
        if (i < curves)
            print_curve(p, r, &r->series[i], each < CURVE_MOST ? each : CURVE_MOST);
        if (i == curves - 1)
            print_axis(p, r);
    }
}

void watch_show_run(const struct watch_page *p, const struct watch_run *r) {
    print_state(p, r);
    print_progress(p, r);
    print_ranks(p, r);
    print_numbers(p, r);
}

/* --- several --- */

/* The number that tells most: the best of the deciding measure, else the first loss. */
static void add_number(struct progress_line *l, const struct watch_run *r) {
    const struct watch_series *s = watch_run_deciding(r);
    const int best = s ? watch_run_best(r, s) : -1;
    char text[LINE_PIECE] = "";

    if (r->n_series)
        snprintf(text, sizeof text, "%.20s %.4f", r->series[0].name,
                 r->series[0].value[r->series[0].n - 1]);
    progress_line_add(l, WORTH_LOSS, "%-14s", text);
    text[0] = 0;
    if (best >= 0)
        snprintf(text, sizeof text, "best %.20s %.4f", s->name, s->value[best]);
    progress_line_add(l, WORTH_LEFT, "%-18s", text);
}

static void print_row(const struct watch_page *p, const struct watch_run *r, int width) {
    struct progress_line l = {0};
    char left[PROGRESS_LEFT], name[4 * NAME_MOST + 1];
    const int bytes = (int)columns_cut(r->name, width);

    snprintf(name, sizeof name, "%.*s%*s", bytes, r->name, width - columns_of(r->name), "");
    progress_line_add(&l, WORTH_ALWAYS, "%.*s", LINE_PIECE - 1, name);
    progress_line_add(&l, WORTH_ALWAYS, "%-7s", states[r->state].name);
    add_share(&l, watch_run_share(r));
    if (isfinite(r->epoch))
        progress_line_add(&l, WORTH_EPOCH, "epoch %-6.4g", r->epoch);
    else
        progress_line_add(&l, WORTH_EPOCH, "%12s", "");
    add_number(&l, r);
    if (watch_run_is_over(r) || !isfinite(r->img_per_s))
        progress_line_add(&l, WORTH_SPEED, "%15s", "");
    else
        progress_line_add(&l, WORTH_SPEED, "%6.0f images/s", r->img_per_s);
    progress_line_add(&l, WORTH_STEP, "%14s",
                      watch_run_is_over(r) ? "" : progress_left(watch_run_left_s(r), left));
    fputs(screen_ink(&p->screen, states[r->state].ink), p->out);
    progress_line_print(p->out, &l, p->columns, &p->screen);
    fprintf(p->out, "%s\n", screen_plain(&p->screen));
}

void watch_show_runs(const struct watch_page *p, const struct watch_run *runs, int n) {
    const int room = p->rows && p->rows <= n ? p->rows - 2 : n; /* one says how many more */
    int width = 4;

    for (int i = 0; i < n; i++)
        width = columns_of(runs[i].name) > width ? columns_of(runs[i].name) : width;
    for (int i = 0; i < room; i++)
        print_row(p, &runs[i], width < NAME_MOST ? width : NAME_MOST);
    if (room < n)
        fprintf(p->out, "and %d more\n", n - room);
}
