/* deadline.h - does what comes next still fit into the time that a run has? Rank 0 asks, and what
 * it decides goes to the others with its plan. */
#pragma once
#include "train/control.h"
#include "train/endtime.h"

/* What takes time. */
enum deadline_work { DEADLINE_STEP, DEADLINE_VALIDATION, DEADLINE_SAVE, DEADLINE_WORKS };

struct deadline {
    double at;                      /* by clock_now, which nobody sets back; HUGE_VAL: never */
    double margin_s;                /* for what follows the last save: ranks leave, scripts go on */
    double longest[DEADLINE_WORKS]; /* seconds, of late; 0: it was not done yet */
    double guess[DEADLINE_WORKS];   /* until then; of a validation in steps */
    char text[ENDTIME_TEXT];        /* "18:00:00" */
};

/* Begin to count.
 *   end       seconds since 1970; 0 or HUGE_VAL: never
 *   utc, now  clock_utc and clock_now at this moment
 * Local. */
void deadline_init(struct deadline *d, double end, double utc, double now);

/* How long that may take which was never done: a checkpoint of so many bytes, at the rate of a slow
 * file system, and a validation of as many samples as so many steps have. */
void deadline_expect(struct deadline *d, double checkpoint_bytes, double validation_steps);

/* It took so many seconds. What is long ago counts less. */
void deadline_took(struct deadline *d, enum deadline_work work, double seconds);

/* Must the run end where `next` is planned, so that nothing is lost? It must when what follows does
 * not fit: a validation and a checkpoint that are due, one more step, and the last checkpoint.
 *   steps  that come before it: 0 or 1
 *   now    clock_now
 * A job that is at its end, without a validation, ends by itself. */
bool deadline_is_near(const struct deadline *d, const struct control *next, int steps, double now);
