#include "train/outcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where the best weights are. */
static const char *place_of_best(const struct outcome *o, struct pool *pool) {
    if (!o->job->save_best)
        return "not kept: [checkpoint] best = false";
    return access(pool_print(pool, "%s/best.h5", o->folder), F_OK) ? "but best.h5 is not there"
                                                                   : "in best.h5";
}

static void say_best(const struct outcome *o) {
    const struct progress *p = o->progress;
    const int best = progress_best(p);
    struct pool pool = {0};

    if (best >= 0)
        sinks_note(o->sinks, "best: %s=%.4f at epoch %.6g, %s", o->job->best, p->measure[best],
                   progress_epoch(p, p->measured_at[best]), place_of_best(o, &pool));
    else if (p->n_measures)
        sinks_note(o->sinks, "best: none, %s was never a finite number", o->job->best);
    pool_release(&pool);
}

/* "all 4 epochs are done" */
static const char *length_text(const struct outcome *o, struct pool *pool) {
    const struct progress *p = o->progress;

    if (p->step > p->total_steps)
        return pool_print(pool, "%" PRId64 " steps are done, more than the %" PRId64 " of the job",
                          p->step, p->total_steps);
    if (o->job->steps)
        return pool_print(pool, "all %" PRId64 " steps are done", p->total_steps);
    const double epochs = progress_epoch(p, p->total_steps);
    return epochs == 1 ? "its one epoch is done"
                       : pool_print(pool, "all %.6g epochs are done", epochs);
}

static void say_end(const struct outcome *o, enum control_end end, bool before) {
    const int idle = progress_idle(o->progress);
    const char *more = end == CONTROL_PATIENCE ? "patience =" : "epochs = or steps =";

    if (end == CONTROL_UNTIL) {
        sinks_note(o->sinks,
                   "ended after step %" PRId64 " of %" PRId64 ", as --until asks; --resume goes on",
                   o->progress->step, o->progress->total_steps);
        return;
    }
    struct pool pool = {0};
    const char *why = end == CONTROL_PATIENCE
                          ? pool_print(&pool, "patience: %d validation%s without a better %s", idle,
                                       idle == 1 ? "" : "s", o->job->best)
                          : length_text(o, &pool);

    if (before)
        sinks_note(o->sinks, "%s is finished (%s): nothing is left to do; a larger %s goes on",
                   o->folder, why, more);
    else
        sinks_note(o->sinks, "ended after step %" PRId64 ": %s", o->progress->step, why);
    pool_release(&pool);
}

int outcome_say(const struct outcome *o, enum control_end end, bool before, struct err *err) {
    const struct progress *p = o->progress;

    say_end(o, end, before);
    if (!p->n_measures || progress_best(p) >= 0) {
        say_best(o);
        return 0;
    }
    return err_set(err, ERR_DATA,
                   "[validate] best: %s was never a finite number in %d validation%s: there is no "
                   "best.h5; the last weights are in %s/last.h5",
                   o->job->best, p->n_measures, p->n_measures == 1 ? "" : "s", o->folder);
}

int outcome_stopped(const struct outcome *o, const char *end, struct err *err) {
    const struct progress *p = o->progress;

    say_best(o);
    return err_set(err, ERR_STOPPED,
                   "%s%s%s after step %" PRId64 " of %" PRId64
                   ", saved in %s/last.h5; the same command with --resume goes on",
                   end ? "the time ends at " : "", end ? end : "",
                   end ? ": stopped" : "stopped on request", p->step, p->total_steps, o->folder);
}

void outcome_add_saved(const struct outcome *o, struct err *err) {
    const size_t used = strlen(err->msg);

    snprintf(err->msg + used, sizeof err->msg - used,
             "; what was trained up to step %" PRId64 " of %" PRId64
             " is saved in %s/last.h5, for --resume",
             o->progress->step, o->progress->total_steps, o->folder);
}
