#include "train/trainer_parts.h"
#include "core/base/clock.h"
#include "dist/agree.h"
#include "dist/groups.h"
#include "train/crash.h"
#include "train/hosts.h"
#include "train/resume.h"
#include "train/setup.h"
#include "train/stop.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void trainer_enter(const struct trainer *t, enum pulse_phase phase) {
    pulse_enter(t->pulse, PULSE_MAIN, phase, t->progress.step, -1);
}

/* --- setting up --- */

static int open_gallery(struct trainer *t, struct err *err) {
    return t->job->n_pictures && t->data.validates_here && !comm_rank(t->comm)
               ? gallery_init(&t->gallery, t->job, &t->data, err)
               : 0;
}

static struct setup setup_of(const struct trainer *t) {
    return (struct setup){t->job, t->comm, t->groups, &t->data, t->threads, t->sinks};
}

static int make_replica(struct trainer *t, struct err *err) {
    const struct setup setup = setup_of(t);

    if (setup_plan(&setup, &t->replica, err))
        return -1;
    for (int i = 0; i < t->replica.n_steps; i++)
        t->schedule[i] = *optim_schedule(&t->job->step[i].optimizer, "lr");
    return 0;
}

static int allocate(struct trainer *t, struct err *err) {
    const struct setup setup = setup_of(t);

    if (agree(t->comm, setup_allocate(&setup, &t->replica, err), err))
        return -1;
    if (agree(t->comm, worst_init(&t->worst, &t->replica, t->job->worst, err), err))
        return -1;
    team_pin(t->replica.team, t->places->core, t->places->n_cores);
    fault_names_init(&t->names, &t->replica);
    atomic_store(&t->named, true);
    alike_init(&t->alike, &t->replica, t->comm);
    alike_add_labels(&t->alike, &t->replica, t->data.train.dataset);
    if (stepper_init(&t->stepper, &t->replica, t->job, t->comm, t->gradients.shared, err))
        return -1;
    if (stepper_choice(&t->stepper))
        sinks_note(t->sinks,
                   "[dist] allreduce = %s is fastest here; in place of auto it gives a "
                   "resumed run the same bits",
                   stepper_choice(&t->stepper));
    if (agree(t->comm,
              comm_rank(t->comm) ? 0 : histograms_new(&t->histograms, &t->replica, t->job, err),
              err) ||
        agree(t->comm, trainer_plan_trace(t, err), err))
        return -1;
    return local_sgd_init(&t->local, &t->replica, t->job, t->comm, t->sinks, err);
}

static int same_data(const struct trainer *t, struct err *err) {
    const struct setup setup = setup_of(t);

    return setup_compare(&setup, err);
}

/* --- where to begin --- */

static int load_checkpoint(struct trainer *t, struct err *err) {
    const struct resume resume = {runfolder_file(&t->folder, "last.h5"), t->folder.path,
                                  &t->identity, t->sinks};

    if (resume_load(&resume, &t->replica, &t->progress, &t->from, &t->folder.pool, err))
        return -1;
    t->finished = control_finished(t->job, &t->progress);
    return 0;
}

/* On rank 0: take the folder, which stays as it is where the run goes on, or has saved nothing. */
static int take_folder(struct trainer *t, bool resume, struct err *err) {
    if (comm_rank(t->comm))
        return 0;
    if (runfolder_lock(&t->folder, resume, err))
        return -1;
    atomic_store(&t->locked, true);
    return 0;
}

/* On rank 0: read the checkpoint that is to be resumed. A run that is finished stays as it is. */
static int open_folder(struct trainer *t, struct err *err) {
    if (comm_rank(t->comm))
        return 0;
    if (t->resumes && load_checkpoint(t, err))
        return -1;
    if (t->finished)
        return 0;
    fault_put_aside(t->folder.path);
    return runfolder_open(&t->folder, err);
}

/* Everyone gets rank 0's numbers. */
static void broadcast(struct trainer *t) {
    if (!t->progress.step)
        replica_begin_ema(&t->replica);
    alike_broadcast(&t->alike);
    comm_bcast(t->comm, &t->progress.step, sizeof t->progress.step, 0);
    comm_bcast(t->comm, &t->progress.validated, sizeof t->progress.validated, 0);
    comm_bcast(t->comm, &t->finished, sizeof t->finished, 0);
}

/* --- comparing --- */

/* Ranks that were apart are so no longer; the time is that of waiting for each other. Sums of the
 * steps before may still be under way, where all of the job's steps have rested since. */
static void meet(struct trainer *t) {
    stepper_settle(&t->stepper);
    const struct pulse_beat was = pulse_pause(t->pulse, PULSE_SUM);
    const double start = clock_now();

    local_sgd_meet(&t->local);
    const double waited = clock_now() - start;
    pulse_resume(t->pulse, &was);
    t->spent.step.bucket_comm += waited;
    t->spent.step.exposed_comm += waited;
}

/* Updates of the last step may have been left out, where its gradients are not finite. */
static int check_updates(struct trainer *t, struct err *err) {
    meet(t);
    return agree(t->comm, stepper_check(&t->stepper, err), err);
}

int trainer_audit(struct trainer *t, struct err *err) {
    const double began = clock_now(), met_s = t->spent.step.bucket_comm;

    if (check_updates(t, err))
        return -1;
    trainer_enter(t, PULSE_AUDIT);
    t->audited = t->progress.step;
    t->unlike = alike_check(&t->alike, err);
    t->spent.audit_s += clock_now() - began - (t->spent.step.bucket_comm - met_s);
    return t->unlike ? err_wrap(err, "after step %" PRId64, t->progress.step) : 0;
}

/* Oftener than that, in the memory of hosts. */
static int keep_copy(struct trainer *t, struct err *err) {
    if (!trainer_copy_is_due(t))
        return 0;
    if (trainer_audit(t, err))
        return -1;
    partner_keep(&t->partner, &t->identity, &t->replica, &t->progress);
    return 0;
}

/* Rank 0 tells everyone in a message of its own, where no step is at hand or a validation has shown
 * more. */
static void decide(struct trainer *t) {
    if (comm_rank(t->comm) == 0)
        trainer_plan(t, false, &t->control);
    comm_bcast(t->comm, &t->control, sizeof t->control, 0);
}

/* Ranks that are apart are compared when they have met: what is trained depends on no audit. */
static bool audit_is_due(const struct trainer *t) {
    const int64_t every = t->job->audit_every;

    return every && t->progress.step - t->audited >= every && !t->local.apart;
}

/* What follows the step that is done, as rank 0 has planned it: everybody validates, rank 0 decides
 * again with what that showed, and saves. */
static int follow_up(struct trainer *t, bool saves, struct err *err) {
    trainer_hear_saver(t, false);
    if (audit_is_due(t) && trainer_audit(t, err))
        return -1;
    if (t->control.validate) {
        const bool save_last = t->control.save_last; /* which somebody may have asked for */
        if (trainer_validate(t, err))
            return -1;
        decide(t);
        t->control.save_last = t->control.save_last || save_last;
        saves = true;
    }
    return saves ? trainer_save(t, err) : 0;
}

/* --- the loop --- */

static void keep_losses(struct trainer *t, const struct step_output *out) {
    for (int i = 0; i < t->replica.n_steps; i++) {
        if (out->ran[i]) {
            t->recent.loss[i] = out->loss[i];
            culprit_losses_add(&t->losses[i], out->loss[i]);
        }
        t->recent.ran[i] = t->recent.ran[i] || out->ran[i];
    }
}

static int one_step(struct trainer *t, struct err *err) {
    const double start = clock_now();
    struct feed_batch batch = {0};
    struct control next;
    struct step_output out;
    const int rc = feed_next(&t->data.train, &batch, err);
    const double read_s = clock_now() - start;
    const struct step_input in = {.batch = &batch,
                                  .rc = rc,
                                  .step = t->progress.step,
                                  .lr = t->control.lr,
                                  .stop = stop_requested(),
                                  .save = stop_save_requested(),
                                  .apart = local_sgd_part(&t->local, t->progress.step),
                                  .control = comm_rank(t->comm) ? NULL : &next,
                                  .waits = trainer_comm_share(t)};

    trainer_trace(t, TRACE_DATA, start);
    if (in.control)
        trainer_plan(t, true, &next);
    const double looked = clock_now();
    trainer_begin_looking(t, rc ? NULL : &batch);
    const double looked_s = clock_now() - looked;
    if (stepper_run(&t->stepper, &in, &out, err))
        return out.unread ? trainer_save_before_end(t, err) : -1;
    t->progress.step++;
    t->progress.validated = false;
    trainer_enter(t, PULSE_LOG);
    if (local_sgd_is_due(&t->local, t->progress.step))
        meet(t);
    trainer_trace(t, TRACE_STEP, start);
    t->spent.total_s += clock_now() - start - looked_s;
    t->spent.data_s += read_s;
    t->spent.samples += (double)batch.data.n;
    step_times_add(&t->spent.step, &out.times);
    t->share_max = out.most_waits;
    t->share_min = out.least_waits;
    t->images += (double)batch.global_n;
    keep_losses(t, &out);
    trainer_tell_step(t);
    trainer_end_looking(t);
    t->control = out.control;
    return 0;
}

static int take_steps(struct trainer *t, struct err *err) {
    t->start_s = clock_now();
    t->first_step = t->saved_step = t->progress.step;
    for (int i = 0; i < t->replica.n_steps; i++)
        t->recent.loss[i] = (double)NAN;
    if (stop_check(t->comm, err))
        return -1;
    decide(t);
    if (follow_up(t, false, err))
        return -1;
    feed_seek(&t->data.train, t->progress.step, t->progress.total_steps);
    while (!t->control.finish && !t->control.stop) {
        const double began = clock_now();
        trainer_begin_trace(t);
        if (one_step(t, err))
            return -1;
        deadline_took(&t->deadline, DEADLINE_STEP, clock_now() - began);
        if (follow_up(t, true, err) || keep_copy(t, err) || trainer_end_trace(t, err))
            return -1;
    }
    if (check_updates(t, err))
        return -1;
    trainer_tell_phases(t);
    return 0;
}

/* What a run that comes to its end says of itself is no fault. */
static int loop(struct trainer *t, struct err *err) {
    if (!take_steps(t, err))
        return trainer_conclude(t, t->control.finish, false, err);
    trainer_hear_saver(t, true);
    trainer_tell_fault(t, err);
    return -1;
}

/* What the checkpoints of this run say that they are of. */
static int identify(struct trainer *t, struct err *err) {
    const struct feed *validate = t->data.validates_here ? &t->data.validate : NULL;

    return identity_init(&t->identity, t->job, &t->data.train, validate, &t->replica,
                         &t->replica.model.pool, err);
}

/* Replicas are the same before rank 0 reads any file, as they come from the same seed, and after
 * everyone has what it read. */
static int prepare(struct trainer *t, const struct train_options *o, struct err *err) {
    hosts_tell(t->places, t->sinks);
    if ((t->job->tests_links && hosts_test(t->comm, t->places, t->sinks, err)) ||
        agree(t->comm, groups_new(&t->groups, t->comm, t->job->reproducible, err), err) ||
        feeds_init(&t->data, t->job, t->comm, t->sinks, err))
        return -1;
    feeds_say_to(&t->data, t->pulse);
    if (same_data(t, err) || stop_check(t->comm, err) ||
        agree(t->comm, open_gallery(t, err), err) || agree(t->comm, make_replica(t, err), err) ||
        agree(t->comm, trainer_plan_saving(t, err), err))
        return -1;
    replica_meet(&t->replica, groups_all(t->groups));
    gradients_reserve(&t->gradients, &t->replica, t->job, t->comm, t->sinks);
    if (allocate(t, err))
        return -1;
    if (alike_check(&t->alike, err))
        return err_wrap(err, "made from the same seed");
    trainer_find_copy(t, o->resume);
    if (stop_check(t->comm, err) || agree(t->comm, trainer_load_weights(t, o->resume, err), err) ||
        stop_check(t->comm, err))
        return -1;
    if (agree(t->comm, identify(t, err), err))
        return -1;
    t->progress.maximise = t->replica.maximise;
    t->data.validate.most_steps = o->validate_steps;
    control_begin(&t->progress, t->job, shard_steps(&t->data.train.shard), o->until);
    if (agree(t->comm, take_folder(t, o->resume, err), err) || trainer_bring_copy(t, err) ||
        agree(t->comm, open_folder(t, err), err))
        return -1;
    broadcast(t);
    if (!t->finished)
        trainer_watch_crashes(t, t->folder.path);
    trainer_begin_time(t, o->end);
    if (trainer_audit(t, err) || (!t->finished && trainer_tell_start(t, err)))
        return -1;
    trainer_begin_copies(t);
    return 0;
}

int train(struct job *job, const struct train_options *options, struct comm *comm,
          struct err *err) {
    struct trainer t = {.began_s = clock_now(),
                        .job = job,
                        .comm = comm,
                        .copy = -1,
                        .pulse = pulse_new(),
                        .threads = options->threads,
                        .places = options->places,
                        .sinks = options->sinks};

    comm_say_to(comm, t.pulse);
    trainer_watch_crashes(&t, NULL);
    trainer_enter(&t, PULSE_START);
    runfolder_init(&t.folder, job, t.sinks);
    partner_init(&t.partner, comm, t.sinks);
    int rc = trainer_watch(&t, err) || prepare(&t, options, err);
    if (!rc)
        rc = t.finished ? trainer_conclude(&t, t.finished, true, err) : loop(&t, err);
    trainer_enter(&t, PULSE_END);
    trainer_hear_saver(&t, true);
    if (t.started)
        trainer_tell_end(&t, rc ? err : NULL);
    saver_free(t.saver);
    crash_forget();
    trainer_unwatch(&t);
    trainer_end_copies(&t, rc, err);
    partner_release(&t.partner);
    runfolder_release(&t.folder);
    local_sgd_release(&t.local);
    stepper_release(&t.stepper);
    histograms_free(t.histograms);
    replica_release(&t.replica);
    gradients_release(&t.gradients);
    progress_release(&t.progress);
    gallery_release(&t.gallery);
    worst_release(&t.worst);
    feeds_release(&t.data);
    trace_free(t.trace);
    groups_free(t.groups);
    comm_say_to(comm, NULL);
    pulse_free(t.pulse);
    return rc;
}
