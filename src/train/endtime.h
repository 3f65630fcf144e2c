/* endtime.h - when the time of a run is over, as a user or Slurm says it. Times are seconds since
 * 1970, UTC; clock times and dates are those of the host. */
#pragma once
#include "core/base/err.h"

enum {
    ENDTIME_TEXT = 32,
    ENDTIME_LATE_S =
        60 /* a limit of Slurm's that has passed for longer than a start takes is none */
};

/* Read one of
 *   18:00  18:00:30                    today, or tomorrow where that has passed
 *   2026-12-01T18:00  2026-12-01T18:00:30
 *   3h30m  1d12h  90m  45s  5400       from now on; a number alone is seconds
 *   @1796148000                        seconds since 1970, as `date` reads and Slurm writes them:
 *                                      for programs, which may be late
 *   never                              HUGE_VAL
 *   now   what the time is
 * Errors: ERR_USAGE: it is none of these, no day of the calendar, or has passed. */
int endtime_read(const char *text, double now, double *end, struct err *err);

/* "18:00:00", of another day than now's "2026-12-01 18:00:00". Returns text. */
const char *endtime_text(double end, double now, char text[ENDTIME_TEXT]);

/* When Slurm ends the job that this process belongs to; 0: it does not say, or the job has no
 * limit.
 *   env  the value of a variable of that name, or NULL; getenv in the program */
double endtime_slurm(char *(*env)(const char *name), double now);
