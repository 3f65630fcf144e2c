/* trainer_save.c - what of a run goes to the disk, and what becomes of a run where it does not. */
#include "core/base/clock.h"
#include "dist/agree.h"
#include "train/memory.h"
#include "train/shards.h"
#include "train/trainer_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A file of the run. */
struct run_file {
    const char *name;
    int keep;     /* of the ones before */
    bool insists; /* it is tried again */
    bool ends;    /* no other comes after it */
};

/* --- who writes --- */

/* Is there room for a copy of what is saved, beside what all ranks of this host are going to take
 * and the file as it is made? */
static bool has_room(const struct trainer *t) {
    const double left = memory_left(), saved = (double)save_len(&t->replica) * sizeof(real);
    const double ranks =
        (double)(replica_bytes(&t->replica) + shards_bytes(&t->replica, 0, comm_size(t->comm))) *
        comm_local_size(t->comm);

    return left < 0 || left >= ranks + 2 * saved;
}

int trainer_plan_saving(struct trainer *t, struct err *err) {
    const int64_t len = save_len(&t->replica);
    const bool wanted = !t->job->stops_on_unsaved;

    if (comm_rank(t->comm))
        return 0;
    if (saver_new(&t->saver, wanted && has_room(t) ? len : 0, t->pulse, err))
        return -1;
    if (wanted && !saver_is_threaded(t->saver))
        sinks_note(t->sinks,
                   "there are no %.0f MiB for a copy of what is saved: training waits while a "
                   "checkpoint is written",
                   (double)len * sizeof(real) / (1 << 20));
    return 0;
}

/* --- what became of it --- */

/* Does the run go on without it? Not where somebody else has the folder, and not where numbers are
 * not finite. */
static bool goes_on(const struct trainer *t, bool ends, const struct err *why) {
    return !ends && !t->job->stops_on_unsaved && !t->folder.lost && why->kind == ERR_IO;
}

static bool is_file(const char *path, const char *name) {
    return !strcmp(strrchr(path, '/') + 1, name);
}

/* owed: what it was to hold is kept, and tried again. */
static void warn_unsaved(const struct trainer *t, const char *file, bool owed,
                         const struct err *why) {
    if (!is_file(file, "last.h5"))
        sinks_warn(t->sinks, "%s; training goes on, %s", why->msg,
                   owed ? "and the next checkpoint tries again" : "without it");
    else if (t->saved_step)
        sinks_warn(t->sinks,
                   "%s; training goes on, --resume would go on after step %" PRId64
                   ", and the next checkpoint tries again",
                   why->msg, t->saved_step);
    else
        sinks_warn(
            t->sinks,
            "%s; training goes on, nothing of it is saved yet, and the next checkpoint tries "
            "again",
            why->msg);
}

static void tell_written(struct trainer *t, const struct saver_outcome *o) {
    struct progress then = t->progress;
    struct event e = trainer_event_of(t, EVENT_CHECKPOINT);

    then.step = o->step;
    e.progress = &then;
    e.file = o->file;
    if (is_file(o->file, "last.h5"))
        t->saved_step = o->step;
    if (is_file(o->file, "best.h5"))
        t->no_best = (struct err){0};
    sinks_tell(t->sinks, &e);
}

/* Say in the error of a run what is left of it. Returns -1. */
static int add_saved(const struct trainer *t, struct err *err) {
    const struct err inner = *err;

    if (t->folder.lost || inner.kind != ERR_IO)
        return -1;
    if (t->saved_step)
        return err_set(err, ERR_IO, "%s; --resume would go on after step %" PRId64, inner.msg,
                       t->saved_step);
    return err_set(err, ERR_IO, "%s; nothing of the run is saved", inner.msg);
}

/* The run goes on without a file. What the best was, and is nowhere kept, is missing at its end. */
static void lose(struct trainer *t, const char *file, bool owed, const struct err *why) {
    if (is_file(file, "best.h5") && !owed)
        t->no_best = *why;
    warn_unsaved(t, file, owed, why);
}

/* On rank 0. Errors: that of a file without which the run does not go on. */
static int hear(struct trainer *t, bool waits, bool ends, struct err *err) {
    struct saver_outcome o;
    int rc = 0;

    while (t->saver && saver_told(t->saver, waits, &o)) {
        deadline_took(&t->deadline, DEADLINE_SAVE, o.seconds);
        if (!o.rc) {
            tell_written(t, &o);
        } else if (goes_on(t, ends, &o.err)) {
            lose(t, o.file, o.owed, &o.err);
        } else {
            *err = o.err;
            rc = add_saved(t, err);
        }
    }
    return rc;
}

void trainer_hear_saver(struct trainer *t, bool waits) {
    struct err none;

    hear(t, waits, false, &none); /* who waits for a file hears of it elsewhere */
}

/* --- what is written --- */

/* Is the folder still this run's? A rank that was stuck may go on while its job is ended: then the
 * folder has been given back, and stays so. */
static int keep_folder(struct trainer *t, struct err *err) {
    const int rc = runfolder_keep(&t->folder, err);

    if (!atomic_load(&t->leaves))
        return rc;
    lock_drop(&t->folder.lock);
    for (;;)
        pause(); /* the watchdog ends this process */
}

/* Not what is written, which may take a while: what it is. Of what insists it is there, whatever
 * the folder is like now. */
static int take_down(struct trainer *t, const struct saver_job *job, struct save *save,
                     struct err *err) {
    if (keep_folder(t, err) && !(job->insists && goes_on(t, job->waits, err)))
        return -1;
    return save_take(save, job->file, &t->identity, &t->replica, &t->progress,
                     saver_room(t->saver, job), err);
}

/* At the end of a run its best is there. */
static int check_best(const struct trainer *t, struct err *err) {
    if (!t->no_best.kind)
        return 0;
    *err = t->no_best;
    return err_wrap(err, "the best weights are not saved");
}

static int write_file(struct trainer *t, const struct run_file *w, struct err *err) {
    const struct saver_job job = {.file = runfolder_file(&t->folder, w->name),
                                  .lock = &t->folder.lock,
                                  .step = t->progress.step,
                                  .keep = w->keep,
                                  .insists = w->insists,
                                  .waits = w->ends || t->job->stops_on_unsaved};
    struct err why = {0};
    struct save save;

    if (hear(t, true, false, err))
        return -1;
    if (!take_down(t, &job, &save, &why)) {
        saver_write(t->saver, &job, &save);
        if (hear(t, job.waits, w->ends, err))
            return -1;
    } else if (goes_on(t, w->ends, &why)) {
        lose(t, job.file, false, &why);
    } else {
        *err = why;
        return add_saved(t, err);
    }
    return w->ends ? check_best(t, err) : 0;
}

static int save_as(struct trainer *t, const struct run_file *w, struct err *err) {
    const double began = clock_now();

    trainer_enter(t, PULSE_SAVE);
    if (agree(t->comm, comm_rank(t->comm) ? 0 : write_file(t, w, err), err))
        return -1;
    trainer_trace(t, TRACE_SAVE, began);
    return 0;
}

static int save_last(struct trainer *t, bool ends, struct err *err) {
    const struct run_file last = {"last.h5", t->job->keep_last, false, ends};

    return save_as(t, &last, err);
}

int trainer_save_best(struct trainer *t, struct err *err) {
    const struct run_file best = {"best.h5", 0, true, false};

    return trainer_audit(t, err) || save_as(t, &best, err) ? -1 : 0;
}

int trainer_save(struct trainer *t, struct err *err) {
    const struct control *c = &t->control;
    const bool ends = c->finish || c->stop;
    char name[40];
    const struct run_file step = {name, 0, false, ends};

    if (!c->save_last && !c->save_every)
        return 0;
    if (trainer_audit(t, err))
        return -1;
    snprintf(name, sizeof name, "step_%08" PRId64 ".h5", t->progress.step);
    if (c->save_every && save_as(t, &step, err))
        return -1;
    if (!c->save_last)
        return 0;
    stepper_forget(&t->stepper);
    return save_last(t, ends, err);
}

int trainer_save_before_end(struct trainer *t, struct err *cause) {
    struct err err = {0};

    if (t->progress.step == t->first_step)
        return -1;
    if (trainer_audit(t, &err) || save_last(t, true, &err))
        sinks_warn(t->sinks, "what was trained is not saved: %s", err.msg);
    else
        trainer_add_saved(t, cause);
    return -1;
}
