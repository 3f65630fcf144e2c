#include "report/terminal.h"
#include "core/base/clock.h"
#include "report/columns.h"
#include "report/progress_line.h"
#include "report/result.h"
#include "train/evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <unistd.h>

/* --- lines --- */

static void begin_line(struct terminal *t) {
    if (t->line_is_open)
        fputs("\r\033[K", t->out);
    t->line_is_open = false;
}

static void end_line(struct terminal *t) {
    fputc('\n', t->out);
    fflush(t->out);
}

static void print_line(struct terminal *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A line that stays. */
static void print_line(struct terminal *t, const char *fmt, ...) {
    va_list ap;

    begin_line(t);
    va_start(ap, fmt);
    vfprintf(t->out, fmt, ap);
    va_end(ap);
    end_line(t);
}

/* A line that moves must fit: a terminal that breaks it cannot take it back. */
static void move_line(struct terminal *t, const struct progress_line *l) {
    int columns = t->columns, rows;

    if (!columns)
        screen_size(STDOUT_FILENO, &columns, &rows);
    fputs("\r\033[K", t->out);
    progress_line_print(t->out, l, columns - 1, &t->screen);
    fflush(t->out);
    t->line_is_open = true;
}

/* Is it time for another line of progress? */
static bool is_due(struct terminal *t) {
    const double now = clock_now();

    if (now - t->last < (t->screen.moves ? 0.2 : 10))
        return false;
    t->last = now;
    return true;
}

static double epoch_of(const struct progress *p, int64_t steps) {
    return (double)steps / (double)p->steps_per_epoch;
}

/* Every measure of the last validation, for reading. */
static void print_measures(struct terminal *t, const struct replica *r) {
    const char *name;
    double value, error;

    for (int i = 0; evaluate_measure(r, i, &name, &value); i++) {
        fprintf(t->out, "  %s %.4f", name, value);
        if (evaluate_error(r, i, &error))
            fprintf(t->out, " ±%.4f", error);
    }
}

/* --- events --- */

static void start(struct terminal *t, const struct event *e) {
    const struct event_start *s = &e->start;
    const struct progress *p = e->progress;
    const struct replica *r = e->replica;
    const double mib = 1 << 20;

    print_line(t,
               "%s: %" PRId64 " samples, batch %" PRId64
               " over %d rank%s x %d thread%s (%s), %" PRId64 " step%s an epoch, %" PRId64 " steps",
               e->job->name, s->n_samples, e->job->batch, s->ranks, s->ranks == 1 ? "" : "s",
               s->threads, s->threads == 1 ? "" : "s", s->kernels, p->steps_per_epoch,
               p->steps_per_epoch == 1 ? "" : "s", p->total_steps);
    for (int i = 0; i < r->model.n_nets; i++)
        print_line(t, "net %s: %" PRId64 " parameters", r->model.nets[i]->name,
                   net_n_weights(r->model.nets[i]));
    print_line(t,
               "each rank holds %.1f MiB of weights and gradients, %.1f MiB of "
               "optimiser moments, %.1f MiB of activations",
               (double)model_bytes(&r->model) / mib, (double)replica_moment_bytes(r) / mib,
               (double)replica_activation_bytes(r) / mib);
    if (s->from)
        print_line(t, "going on after step %" PRId64 " of %s", p->step, s->from);
}

/* "epoch 1.50/4  step 15/40  loss 0.5000 ..." */
static void print_progress(FILE *out, const struct event *e) {
    const struct progress *p = e->progress;
    char left[PROGRESS_LEFT];

    fprintf(out, "epoch %.2f/%.10g  step %" PRId64 "/%" PRId64, epoch_of(p, p->step),
            epoch_of(p, p->total_steps), p->step, p->total_steps);
    for (int i = 0; i < e->job->n_steps; i++) {
        const char *name = e->job->step[i].name;
        if (!isnan(e->step.loss[i]))
            fprintf(out, "  %s%sloss %.4f  lr %.4g", name, name[0] ? " " : "", e->step.loss[i],
                    e->step.lr[i]);
    }
    fprintf(out, "  %.0f images/s  %s", e->step.img_per_s, progress_left(e->step.left_s, left));
}

static void add_share(struct progress_line *l, double share) {
    l->share = share;
    progress_line_add(l, WORTH_ALWAYS, "%3.0f%%", floor(100 * share));
    progress_line_add(l, WORTH_BAR, "%s", "");
}

/* The same, as far as there is room for it, behind a bar. */
static void move_progress(struct terminal *t, const struct event *e) {
    const struct progress *p = e->progress;
    struct progress_line l = {.spark = &t->loss};
    char left[PROGRESS_LEFT];

    add_share(&l, (double)p->step / (double)p->total_steps);
    progress_line_add(&l, WORTH_EPOCH, "epoch %.2f/%.10g", epoch_of(p, p->step),
                      epoch_of(p, p->total_steps));
    progress_line_add(&l, WORTH_STEP, "step %" PRId64 "/%" PRId64, p->step, p->total_steps);
    for (int i = 0; i < e->job->n_steps; i++) {
        const char *name = e->job->step[i].name;
        if (isnan(e->step.loss[i]))
            continue;
        progress_line_add(&l, WORTH_LOSS, "%s%sloss %.4f", name, name[0] ? " " : "",
                          e->step.loss[i]);
        if (i == 0)
            progress_line_add(&l, WORTH_SPARK, "%s", "");
        progress_line_add(&l, WORTH_RATE_OF_LEARNING, "lr %.4g", e->step.lr[i]);
    }
    progress_line_add(&l, WORTH_SPEED, "%.0f images/s", e->step.img_per_s);
    progress_line_add(&l, WORTH_LEFT, "%s", progress_left(e->step.left_s, left));
    move_line(t, &l);
}

static void step(struct terminal *t, const struct event *e) {
    if (e->job->n_steps)
        spark_add(&t->loss, e->step.loss[0]);
    if (!is_due(t))
        return;
    if (t->screen.moves) {
        move_progress(t, e);
        return;
    }
    print_progress(t->out, e);
    end_line(t);
}

/* How far a pass over data is, such as a validation: on terminals only. */
static void pass(struct terminal *t, const struct event *e) {
    struct progress_line l = {0};

    if (!t->screen.moves || !is_due(t))
        return;
    add_share(&l, (double)e->pass.done / (double)e->pass.total);
    progress_line_add(&l, WORTH_LOSS, "%s", e->pass.of);
    progress_line_add(&l, WORTH_STEP, "batch %" PRId64 "/%" PRId64, e->pass.done, e->pass.total);
    move_line(t, &l);
}

/* What was shown last may be a pass that is over. */
static void end_pass(struct terminal *t) {
    begin_line(t);
    fflush(t->out);
}

static void validation(struct terminal *t, const struct event *e) {
    begin_line(t);
    fprintf(t->out, "epoch %.6g  validate", epoch_of(e->progress, e->progress->step));
    print_measures(t, e->replica);
    if (e->best)
        fprintf(t->out, "  %s(best)%s", screen_ink(&t->screen, INK_GOOD), screen_plain(&t->screen));
    end_line(t);
}

static void end(struct terminal *t, const struct event *e) {
    if (e->end.err) { /* the program says it, on a line of its own */
        if (t->line_is_open)
            end_line(t);
        t->line_is_open = false;
        return;
    }
    print_line(t, "results are in %s", e->folder);
    fputs("result:", t->out);
    result_values(t->out, e->replica);
    fprintf(t->out, " epochs=%.6g img_per_s=%.1f data_wait_share=%.4f comm_share=%.4f",
            epoch_of(e->progress, e->progress->step), e->end.img_per_s, e->end.data_wait_share,
            e->end.comm_share);
    result_errors(t->out, e->replica);
    end_line(t);
}

static void take(struct sink *sink, const struct event *e) {
    struct terminal *t = (struct terminal *)sink;

    switch (e->kind) {
    case EVENT_START:
        start(t, e);
        break;
    case EVENT_STEP:
        step(t, e);
        break;
    case EVENT_PASS:
        if (e->pass.done < e->pass.total)
            pass(t, e);
        else
            end_pass(t);
        break;
    case EVENT_VALIDATION:
        validation(t, e);
        break;
    case EVENT_CHECKPOINT:
    case EVENT_VALIDATES:
    case EVENT_PICTURE:
    case EVENT_TRACE:
    case EVENT_TENSORS:
    case EVENT_FOLDER:
        break;
    case EVENT_NOTE:
        print_line(t, "%s", e->text);
        break;
    case EVENT_WARNING:
        print_line(t, "%swarning: %s%s", screen_ink(&t->screen, INK_WARNING), e->text,
                   screen_plain(&t->screen));
        break;
    case EVENT_END:
        end(t, e);
        break;
    }
}

static const struct sink_kind kind = {.take = take};

void terminal_init(struct terminal *t) {
    *t = (struct terminal){
        .sink = {&kind}, .out = stdout, .screen = screen_of(STDOUT_FILENO), .last = clock_now()};
}
