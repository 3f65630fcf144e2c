#include "train/deadline.h"

#include <math.h>

/* Bytes a second of a network file system that many use. */
static const double SLOW_DISK = 25e6;

void deadline_init(struct deadline *d, double end, double utc, double now) {
    const double left = end - utc;

    *d = (struct deadline){.at = HUGE_VAL};
    if (!(end > 0 && isfinite(end)))
        return;
    d->at = now + left;
    d->margin_s = fmin(fmax(left / 20, 1), 30);
    endtime_text(end, utc, d->text);
}

void deadline_expect(struct deadline *d, double checkpoint_bytes, double validation_steps) {
    d->guess[DEADLINE_SAVE] = checkpoint_bytes / SLOW_DISK;
    d->guess[DEADLINE_VALIDATION] = validation_steps;
}

void deadline_took(struct deadline *d, enum deadline_work work, double seconds) {
    const double fades = work == DEADLINE_STEP ? 0.99 : 0.9;

    d->longest[work] = fmax(seconds, fades * d->longest[work]);
}

static double expected(const struct deadline *d, enum deadline_work work) {
    if (d->longest[work] > 0)
        return d->longest[work];
    return work == DEADLINE_VALIDATION ? d->guess[work] * d->longest[DEADLINE_STEP]
                                       : d->guess[work];
}

bool deadline_is_near(const struct deadline *d, const struct control *next, int steps, double now) {
    const double step = expected(d, DEADLINE_STEP), save = expected(d, DEADLINE_SAVE);
    double needed = steps * step + save + d->margin_s;

    if (next->finish && !next->validate)
        return false;
    if (next->validate) /* which may find the best weights so far */
        needed += expected(d, DEADLINE_VALIDATION) + save;
    if (!next->finish)
        needed += step + (next->save_last + next->save_every) * save;
    return now + needed > d->at;
}
