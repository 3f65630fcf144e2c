/* trainer_tell.c - what those who listen are told of a run. */
#include "core/base/clock.h"
#include "core/math/isa/isa.h"
#include "dist/agree.h"
#include "train/guesses.h"
#include "train/outcome.h"
#include "train/trainer_parts.h"

#include <math.h>
#include <string.h>

struct event trainer_event_of(const struct trainer *t, enum event_kind kind) {
    return (struct event){.kind = kind,
                          .job = t->job,
                          .folder = t->folder.path,
                          .replica = &t->replica,
                          .progress = &t->progress};
}

void trainer_tell(const struct trainer *t, const struct event *e) {
    const struct pulse_beat was = pulse_pause(t->pulse, PULSE_LOG);

    sinks_tell(t->sinks, e);
    pulse_resume(t->pulse, &was);
}

double trainer_comm_share(const struct trainer *t) {
    return t->spent.total_s > 0 ? t->spent.step.exposed_comm / t->spent.total_s : 0;
}

int trainer_tell_start(struct trainer *t, struct err *err) {
    struct event e = trainer_event_of(t, EVENT_START);

    e.start = (struct event_start){
        .n_samples = t->data.train.shard.n_samples,
        .n_validate = t->data.validates_here ? t->data.validate.shard.n_samples : 0,
        .ranks = comm_size(t->comm),
        .threads = team_size(t->replica.team),
        .kernels = isa_get()->name,
        .from = t->from};
    if (agree(t->comm, sinks_start(t->sinks, &e, err), err))
        return -1;
    t->started = true;
    trainer_meet_ranks(t);
    trainer_meet_pace(t);
    guesses_tell_all(&t->data, t->sinks);
    return 0;
}

static struct event_comm comm_of(const struct trainer *t) {
    const struct step_times *spent = &t->spent.step;

    return (struct event_comm){.share = trainer_comm_share(t),
                               .control = spent->control_comm / t->spent.total_s,
                               .buckets = spent->bucket_comm / t->spent.total_s,
                               .sync = spent->sync_comm / t->spent.total_s,
                               .max = t->share_max,
                               .min = t->share_min};
}

/* Since the last step that was logged. */
static struct event_shares shares_of(const struct trainer *t) {
    const struct trainer_spent *now = &t->spent, *then = &t->logged;
    const double total_s = now->total_s - then->total_s;
    const struct event_shares s = {
        .data = (now->data_s - then->data_s) / total_s,
        .forward = (now->step.forward - then->step.forward) / total_s,
        .backward = (now->step.backward - then->step.backward) / total_s,
        .optimizer = (now->step.optimizer - then->step.optimizer) / total_s,
    };
    const double comm = (now->step.exposed_comm - then->step.exposed_comm) / total_s;
    const double known = s.data + s.forward + s.backward + s.optimizer + comm;

    return (struct event_shares){s.data, s.forward, s.backward, s.optimizer, fmax(1 - known, 0)};
}

void trainer_tell_step(struct trainer *t) {
    const struct progress *p = &t->progress;
    const double each = (clock_now() - t->start_s) / (double)(p->step - t->first_step);
    const struct event_comm comm = comm_of(t);
    const struct event_shares shares = shares_of(t);
    const bool logged = p->step % t->job->log_every == 0 || p->step == p->total_steps;
    struct event_ranks ranks;
    struct event e = trainer_event_of(t, EVENT_STEP);

    e.step = (struct event_step){
        .time = clock_utc(),
        .loss = t->recent.loss,
        .ran = t->recent.ran,
        .lr = t->control.lr,
        .logged = logged,
        .img_per_s = t->images / t->spent.total_s,
        .left_s = each * (double)(p->total_steps - p->step),
        .comm = comm_size(t->comm) > 1 ? &comm : NULL,
        .shares = logged ? &shares : NULL,
        .ranks = logged && trainer_gather_ranks(t, &ranks) ? &ranks : NULL,
    };
    const double began = clock_now();
    sinks_tell(t->sinks, &e);
    t->spent.told_s += clock_now() - began;
    trainer_watch_pace(t);
    if (!logged)
        return;
    t->logged = t->spent;
    memset(t->recent.ran, 0, sizeof t->recent.ran);
}

void trainer_tell_end(const struct trainer *t, const struct err *err) {
    const double train_s = t->spent.total_s > 0 ? t->spent.total_s : 1e-9;
    struct event e = trainer_event_of(t, EVENT_END);

    e.end =
        (struct event_end){.err = err,
                           .img_per_s = t->images / train_s,
                           .data_wait_share = loader_wait_seconds(t->data.train.loader) / train_s,
                           .comm_share = trainer_comm_share(t)};
    sinks_tell(t->sinks, &e);
}

static struct outcome outcome_of(const struct trainer *t) {
    return (struct outcome){t->job, &t->progress, t->folder.path, t->sinks};
}

void trainer_add_saved(const struct trainer *t, struct err *err) {
    const struct outcome outcome = outcome_of(t);

    outcome_add_saved(&outcome, err);
}

int trainer_conclude(struct trainer *t, enum control_end end, bool before, struct err *err) {
    const struct outcome outcome = outcome_of(t);

    if (end == CONTROL_GOES_ON)
        return outcome_stopped(&outcome, t->control.stop == CONTROL_TIME ? t->deadline.text : NULL,
                               err);
    return agree(t->comm, comm_rank(t->comm) ? 0 : outcome_say(&outcome, end, before, err), err);
}

/* What cannot be written is no reason to stop. */
void trainer_tell_worst(struct trainer *t, bool best) {
    const struct progress *p = &t->progress;
    const struct worst_run run = {.job = t->job,
                                  .dataset = t->data.validate.dataset,
                                  .step = p->step,
                                  .epoch = (double)p->step / (double)p->steps_per_epoch};
    struct err err = {0};

    if (comm_rank(t->comm) || !t->worst.room || (t->replica.best >= 0 && !best))
        return;
    if (worst_write(&t->worst, &run, t->folder.path, &err))
        sinks_warn(t->sinks, "%s; training goes on", err.msg);
}
