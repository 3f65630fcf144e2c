/* trainer_time.c - the time that a run has, and what is left of it. */
#include "core/base/clock.h"
#include "train/trainer_parts.h"

#include <math.h>

/* A validation, in steps: it takes less for a sample, as nothing is differentiated. */
static double validation_steps(const struct trainer *t) {
    const int alone = t->job->validate_on_rank0 ? comm_size(t->comm) : 1;

    if (!t->job->validate || !t->data.validates_here)
        return 0;
    return alone * (double)t->data.validate.shard.n_samples / (double)t->job->batch;
}

void trainer_begin_time(struct trainer *t, double end) {
    deadline_init(&t->deadline, end, clock_utc(), clock_now());
    deadline_expect(&t->deadline, (double)save_len(&t->replica) * sizeof(real),
                    validation_steps(t));
    if (isfinite(t->deadline.at) && !t->finished)
        sinks_note(t->sinks, "the time ends at %s: what does not fit before is left to --resume",
                   t->deadline.text);
}

void trainer_plan(const struct trainer *t, bool ahead, struct control *out) {
    struct progress at = t->progress;

    if (ahead) {
        at.step++;
        at.validated = false;
    }
    control_plan(t->job, &at, t->schedule, t->replica.n_steps, out);
    const bool has_done = at.step > t->first_step || t->deadline.longest[DEADLINE_VALIDATION] > 0;
    if (has_done && deadline_is_near(&t->deadline, out, ahead, clock_now()))
        control_stop(out, CONTROL_TIME);
}
