#define _DEFAULT_SOURCE /* winsize, fmemopen */
#include "report/terminal.h"
#include "core/base/clock.h"
#include "report/columns.h"
#include "report/result.h"
#include "train/evaluate.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TERMINAL_PATH = 64 };

/* mpirun gives every rank a terminal of its own making; whether its user has one, and how wide it
 * is, is seen from mpirun's own output, where it is the parent of this process. "": no terminal. */
static const char *user_terminal(char path[TERMINAL_PATH]) {
    char link[64], target[TERMINAL_PATH];

    snprintf(link, sizeof link,
             getenv("OMPI_COMM_WORLD_RANK") ? "/proc/%ld/fd/1" : "/proc/self/fd/1",
             (long)getppid());
    const ssize_t len = readlink(link, target, sizeof target - 1);
    target[len > 0 ? len : 0] = 0;
    if (strncmp(target, "/dev/pts/", 9) != 0 && strncmp(target, "/dev/tty", 8) != 0)
        target[0] = 0;
    memcpy(path, target, TERMINAL_PATH);
    return path;
}

static bool is_terminal(void) {
    char path[TERMINAL_PATH];

    return isatty(STDOUT_FILENO) && *user_terminal(path);
}

/* Columns now: windows are resized. */
static int terminal_columns(void) {
    const char *said = getenv("COLUMNS");
    struct winsize size = {0};
    char path[TERMINAL_PATH];
    const int file = open(user_terminal(path), O_RDONLY | O_NOCTTY | O_CLOEXEC);

    if (file >= 0) {
        (void)ioctl(file, TIOCGWINSZ, &size);
        close(file);
    }
    return size.ws_col ? size.ws_col : said && atoi(said) > 0 ? atoi(said) : 80;
}

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
               " over %d rank%s x %d thread%s (%s), %" PRId64 " steps an epoch, %" PRId64 " steps",
               e->job->name, s->n_samples, e->job->batch, s->ranks, s->ranks == 1 ? "" : "s",
               s->threads, s->threads == 1 ? "" : "s", s->kernels, p->steps_per_epoch,
               p->total_steps);
    for (int i = 0; i < r->model.n_nets; i++)
        print_line(t, "net %s: %" PRId64 " parameters", r->model.nets[i]->name,
                   net_n_weights(r->model.nets[i]));
    print_line(t,
               "each rank holds %.1f MiB of weights and gradients, %.1f MiB of "
               "optimiser moments, %.1f MiB of activations",
               (double)model_bytes(&r->model) / mib, (double)replica_moment_bytes(r) / mib,
               (double)replica_activation_bytes(r) / mib);
    if (p->step)
        print_line(t, "going on after step %" PRId64 " of %s/last.h5", p->step, e->folder);
}

/* "epoch 1.50/4  step 15/40  loss 0.5000 ..." */
static void print_progress(FILE *out, const struct event *e) {
    const struct progress *p = e->progress;
    const double left = e->step.left_s;

    fprintf(out, "epoch %.2f/%.10g  step %" PRId64 "/%" PRId64, epoch_of(p, p->step),
            epoch_of(p, p->total_steps), p->step, p->total_steps);
    for (int i = 0; i < e->job->n_steps; i++) {
        const char *name = e->job->step[i].name;
        if (!isnan(e->step.loss[i]))
            fprintf(out, "  %s%sloss %.4f  lr %.4g", name, name[0] ? " " : "", e->step.loss[i],
                    e->step.lr[i]);
    }
    fprintf(out, "  %.0f images/s  %d:%02d:%02d left", e->step.img_per_s, (int)(left / 3600),
            (int)(left / 60) % 60, (int)left % 60);
}

/* A line that moves must fit: a terminal that breaks it cannot take it back. */
static void step(struct terminal *t, const struct event *e) {
    const double now = clock_now();
    char line[1024] = "";
    FILE *text;

    if (now - t->last < (t->moves ? 0.2 : 10))
        return;
    t->last = now;
    text = fmemopen(line, sizeof line, "w");
    if (!text)
        return; /* there will be another */
    print_progress(text, e);
    fclose(text);
    line[sizeof line - 1] = 0;
    if (!t->moves) {
        fputs(line, t->out);
        end_line(t);
        return;
    }
    const int columns = t->columns ? t->columns : terminal_columns();
    fprintf(t->out, "\r\033[K%.*s", (int)columns_cut(line, columns - 1), line);
    fflush(t->out);
    t->line_is_open = true;
}

static void validation(struct terminal *t, const struct event *e) {
    begin_line(t);
    fprintf(t->out, "epoch %.6g  validate", epoch_of(e->progress, e->progress->step));
    print_measures(t, e->replica);
    fputs(e->best ? "  (best)" : "", t->out);
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
    case EVENT_VALIDATION:
        validation(t, e);
        break;
    case EVENT_CHECKPOINT:
        break;
    case EVENT_NOTE:
        print_line(t, "%s", e->text);
        break;
    case EVENT_WARNING:
        print_line(t, "warning: %s", e->text);
        break;
    case EVENT_END:
        end(t, e);
        break;
    }
}

static const struct sink_kind kind = {.take = take};

void terminal_init(struct terminal *t) {
    *t = (struct terminal){
        .sink = {&kind}, .out = stdout, .moves = is_terminal(), .last = clock_now()};
}
