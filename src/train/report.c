#include "train/report.h"
#include "core/base/clock.h"
#include "train/step.h"

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

void report_init(struct report *r, bool speaks) {
    *r = (struct report){.out = speaks ? stdout : NULL};
    r->terminal = speaks && is_terminal();
    r->last = clock_now();
}

void report_progress(struct report *r, const struct report_progress *p) {
    const double now = clock_now(), left = p->seconds_left;

    if (!r->out || now - r->last < (r->terminal ? 0.2 : 10))
        return;
    r->last = now;
    fprintf(r->out, "%sepoch %.2f/%.4g  step %" PRId64 "/%" PRId64, r->terminal ? "\r\033[K" : "",
            p->epoch, p->epochs, p->step, p->total_steps);
    for (int i = 0; i < p->n; i++)
        if (!isnan(p->loss[i]))
            fprintf(r->out, "  %s%sloss %.4f  lr %.4g", p->name[i], p->name[i][0] ? " " : "",
                    p->loss[i], p->lr[i]);
    fprintf(r->out, "  %.0f images/s  %d:%02d:%02d left%s", p->img_per_s, (int)(left / 3600),
            (int)(left / 60) % 60, (int)left % 60, r->terminal ? "" : "\n");
    fflush(r->out);
    r->line_is_open = r->terminal;
}

void report_line(struct report *r, const char *fmt, ...) {
    va_list ap;

    if (!r->out)
        return;
    if (r->line_is_open)
        fputs("\r\033[K", r->out);
    r->line_is_open = false;
    va_start(ap, fmt);
    vfprintf(r->out, fmt, ap);
    va_end(ap);
    fputc('\n', r->out);
    fflush(r->out);
}
