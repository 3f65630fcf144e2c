/* trainer_validate.c - what is measured and drawn of a run on the way. */
#include "core/base/clock.h"
#include "dist/agree.h"
#include "train/evaluate.h"
#include "train/not_finite.h"
#include "train/trainer_parts.h"

#include <inttypes.h>
#include <stdio.h>

/* A picture that cannot be written is no reason to stop. */
static void draw_pictures(struct trainer *t) {
    struct event e = trainer_event_of(t, EVENT_PICTURE);
    const char *folder = runfolder_file(&t->folder, "pictures");
    char file[GALLERY_PATH];

    for (int i = 0; t->gallery.loader && i < t->replica.n_pictures; i++) {
        struct err err = {0};
        if (gallery_draw(&t->gallery, &t->replica, i, folder, t->progress.step, file, &err)) {
            sinks_warn(t->sinks, "%s; training goes on", err.msg);
            return;
        }
        e.picture = (struct event_picture){t->replica.picture[i].job->name, file};
        trainer_tell(t, &e);
    }
}

/* Measures and pictures are those of the averaged weights, where there are any. Pictures come
 * first: all graphs share one memory, and the measures are still to be read. */
static int look(struct trainer *t, struct err *err) {
    replica_swap_ema(&t->replica);
    draw_pictures(t);
    const int rc = evaluate_worst(&t->replica, t->data.validates_here ? &t->data.validate : NULL,
                                  t->comm, &t->worst, err);
    replica_swap_ema(&t->replica);
    return rc ? trainer_save_before_end(t, err) : 0;
}

static int measure(struct trainer *t, struct err *err) {
    struct event e = trainer_event_of(t, EVENT_VALIDATION);
    char when[48];
    const int best = t->replica.best;

    if (trainer_audit(t, err))
        return -1;
    trainer_enter(t, PULSE_VALIDATE);
    const double began = clock_now();
    e.kind = EVENT_VALIDATES;
    trainer_tell(t, &e);
    e.kind = EVENT_VALIDATION;
    if (look(t, err))
        return -1;
    trainer_trace(t, TRACE_VALIDATE, began);
    snprintf(when, sizeof when, "after step %" PRId64 ": ", t->progress.step);
    not_finite_warn(&t->replica, t->data.validates_here ? &t->data.validate : NULL, t->comm, when,
                    t->sinks);
    t->progress.validated = true;
    if (best >= 0) {
        const double value = run_value(t->replica.validate_plan, best);
        if (agree(t->comm, progress_add(&t->progress, t->progress.step, value, err), err))
            return -1;
        e.best = progress_best(&t->progress) == t->progress.n_measures - 1;
        comm_bcast(t->comm, &e.best, sizeof e.best, 0); /* rank 0 knows what was before a restart */
    }
    trainer_tell(t, &e);
    trainer_tell_worst(t, e.best);
    if (!e.best || !t->job->save_best)
        return 0;
    return trainer_save_best(t, err);
}

int trainer_validate(struct trainer *t, struct err *err) {
    const double began = clock_now();
    const int rc = measure(t, err);

    deadline_took(&t->deadline, DEADLINE_VALIDATION, clock_now() - began);
    return rc;
}
