/* report.h - what the user sees of a running job: one line that moves on a terminal, plain lines
 * elsewhere, on rank 0 only. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct report {
    FILE *out;         /* NULL: silent, as on all ranks but 0 */
    bool terminal;     /* the line is written over */
    double last;       /* when a line was last written, seconds */
    bool line_is_open; /* the terminal's cursor stands behind a progress line */
};

/* Where training is; all of it since this process began. */
struct report_progress {
    double epoch, epochs;
    int64_t step, total_steps;
    const double *loss, *lr; /* [n] of the job's steps; nan: has not run yet */
    const char *const *name; /* [n] "" for a single step */
    int n;
    double img_per_s, seconds_left;
};

void report_init(struct report *r, bool speaks);

/* Show progress if it is time to: on a terminal 5 times a second, elsewhere every 10 seconds. */
void report_progress(struct report *r, const struct report_progress *p);

/* A line that stays. */
void report_line(struct report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
