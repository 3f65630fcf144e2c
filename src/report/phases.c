#include "report/phases.h"
#include "io/file/file.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct phase of_run[] = {
    {"before the first step", offsetof(struct event_times, start)},
    {"waiting for data", offsetof(struct event_times, data)},
    {"forward", offsetof(struct event_times, forward)},
    {"backward", offsetof(struct event_times, backward)},
    {"optimiser", offsetof(struct event_times, optimizer)},
    {"exposed communication", offsetof(struct event_times, exposed)},
    {"  losses and control", offsetof(struct event_times, control)},
    {"  gradients", offsetof(struct event_times, buckets)},
    {"  batch norm", offsetof(struct event_times, sync)},
    {"validation", offsetof(struct event_times, validate)},
    {"saving", offsetof(struct event_times, save)},
    {"comparing replicas", offsetof(struct event_times, audit)},
    {"other", offsetof(struct event_times, other)},
    {"total", offsetof(struct event_times, total)},
};

static double seconds_of(const struct phases *p, int rank, size_t at) {
    return *(const double *)(const void *)((const char *)p->all + p->size * (size_t)rank + at);
}

struct phase_spread phases_spread(const struct phases *p, size_t at) {
    struct phase_spread s = {0};

    for (int r = 0; r < p->n_ranks; r++) {
        const double seconds = seconds_of(p, r, at);
        if (r == 0 || seconds > s.max)
            s.max = seconds, s.most = r;
        if (r == 0 || seconds < s.min)
            s.min = seconds, s.least = r;
        s.mean += seconds / p->n_ranks;
    }
    return s;
}

static void print_row(FILE *out, const struct phases *p, const struct phase *phase, double unit) {
    const struct phase_spread s = phases_spread(p, phase->at);
    const double whole = phases_spread(p, p->phase[p->n - 1].at).mean;

    fprintf(out, "%-22s", phase->name);
    if (p->n_ranks > 1) {
        fprintf(out, " %10.3f %6d %10.3f %6d ", s.max / unit, s.most, s.min / unit, s.least);
        if (s.min > 0)
            fprintf(out, "%8.2f", s.max / s.min);
        else
            fprintf(out, "%8s", "-");
    }
    fprintf(out, " %10.3f %5.1f %%\n", s.mean / unit, whole > 0 ? 100 * s.mean / whole : 0);
}

void phases_print(FILE *out, const struct phases *p, const char *title, double unit) {
    fprintf(out, "%-22s", title);
    if (p->n_ranks > 1)
        fprintf(out, " %10s %6s %10s %6s %8s", "max", "rank", "min", "rank", "max/min");
    fprintf(out, " %10s %7s\n", p->n_ranks > 1 ? "mean" : "time", "share");
    for (int i = 0; i < p->n; i++)
        print_row(out, p, &p->phase[i], unit);
}

void phases_print_run(FILE *out, const struct event_phases *run) {
    const struct phases p = {of_run, sizeof of_run / sizeof *of_run, run->rank, sizeof *run->rank,
                             run->n};
    char title[64];

    snprintf(title, sizeof title, "s of %" PRId64 " step%s", run->steps,
             run->steps == 1 ? "" : "s");
    phases_print(out, &p, title, 1);
}

static int write_file(const struct event *e, const char *path, struct err *err) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return err_set(err, ERR_IO, "%s: no memory", path);
    phases_print_run(out, &e->phases);
    const int rc = fclose(out) ? err_set(err, ERR_IO, "%s: no memory", path)
                               : file_replace(path, text, len, err);
    free(text);
    return rc;
}

static void take(struct sink *sink, const struct event *e) {
    const struct phases_file *f = (const struct phases_file *)sink;
    struct err err = {0};

    if (e->kind != EVENT_PHASES)
        return;
    char *path = file_text("%s/phases.txt", e->folder);
    if (!path)
        sinks_warn(f->warn, "phases.txt: no memory");
    else if (write_file(e, path, &err))
        sinks_warn(f->warn, "%s", err.msg);
    free(path);
}

static const struct sink_kind kind = {.take = take};

void phases_file_init(struct phases_file *f, const struct sinks *warn) {
    *f = (struct phases_file){{&kind}, warn};
}
