#include "report/terminal.h"
#include "core/base/clock.h"
#include "train/evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* mpirun gives every rank a terminal of its own making; whether its user has one is seen from
 * mpirun's own output, where it is the parent of this process. */
static bool is_terminal(void) {
    char link[64], target[64] = "";

    if (!isatty(STDOUT_FILENO) || !getenv("OMPI_COMM_WORLD_RANK"))
        return isatty(STDOUT_FILENO);
    snprintf(link, sizeof link, "/proc/%ld/fd/1", (long)getppid());
    const ssize_t len = readlink(link, target, sizeof target - 1);
    return len > 0 && (!strncmp(target, "/dev/pts/", 9) || !strncmp(target, "/dev/tty", 8));
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

/* Every measure of the last validation, as NAME=VALUE of a result or for reading. */
static void print_measures(struct terminal *t, const struct replica *r, bool result) {
    const char *name;
    double value;

    for (int i = 0; r->validate && evaluate_measure(r, i, &name, &value); i++)
        fprintf(t->out, result ? " %s=%.4f" : "  %s %.4f", name, value);
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

static void step(struct terminal *t, const struct event *e) {
    const double now = clock_now(), left = e->step.left_s;
    const struct progress *p = e->progress;

    if (now - t->last < (t->moves ? 0.2 : 10))
        return;
    t->last = now;
    fprintf(t->out, "%sepoch %.2f/%.4g  step %" PRId64 "/%" PRId64, t->moves ? "\r\033[K" : "",
            epoch_of(p, p->step), epoch_of(p, p->total_steps), p->step, p->total_steps);
    for (int i = 0; i < e->job->n_steps; i++) {
        const char *name = e->job->step[i].name;
        if (!isnan(e->step.loss[i]))
            fprintf(t->out, "  %s%sloss %.4f  lr %.4g", name, name[0] ? " " : "", e->step.loss[i],
                    e->step.lr[i]);
    }
    fprintf(t->out, "  %.0f images/s  %d:%02d:%02d left%s", e->step.img_per_s, (int)(left / 3600),
            (int)(left / 60) % 60, (int)left % 60, t->moves ? "" : "\n");
    fflush(t->out);
    t->line_is_open = t->moves;
}

static void validation(struct terminal *t, const struct event *e) {
    begin_line(t);
    fprintf(t->out, "epoch %.4g  validate", epoch_of(e->progress, e->progress->step));
    print_measures(t, e->replica, false);
    fputs(e->best ? "  (best)" : "", t->out);
    end_line(t);
}

static void end(struct terminal *t, const struct event *e) {
    if (e->end.err)
        return; /* the program says it */
    print_line(t, "results are in %s", e->folder);
    fputs("result:", t->out);
    print_measures(t, e->replica, true);
    fprintf(t->out, " epochs=%.4g img_per_s=%.1f data_wait_share=%.4f comm_share=%.4f",
            epoch_of(e->progress, e->progress->step), e->end.img_per_s, e->end.data_wait_share,
            e->end.comm_share);
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
