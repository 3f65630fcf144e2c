#include "train/trainer.h"
#include "core/base/clock.h"
#include "core/math/isa/isa.h"
#include "dist/agree.h"
#include "dist/groups.h"
#include "train/alike.h"
#include "train/evaluate.h"
#include "train/facts.h"
#include "train/feeds.h"
#include "train/guesses.h"
#include "train/memory.h"
#include "train/picture.h"
#include "train/runfolder.h"
#include "train/save.h"
#include "train/step.h"
#include "train/stop.h"
#include "train/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct trainer {
    struct job *job;
    struct comm *comm;
    struct groups *groups;
    int threads; /* of this rank */
    struct feeds data;
    struct gallery gallery; /* on rank 0, where the job has pictures */
    struct replica replica;
    struct alike alike;
    struct stepper stepper;
    struct progress progress;
    struct control control;
    struct save_identity identity;
    struct applied schedule[JOB_MAX_STEPS];
    struct runfolder folder;
    const struct sinks *sinks; /* borrowed */
    bool started;              /* they have been told so */
    int64_t first_step;        /* of this process */
    double start_s, trained_s,
        comm_s; /* seconds: clock at the start; in steps; waiting for ranks */
    double images;
    struct step_output recent; /* losses of the last time that each step ran; ran: since the last
                                  event that was logged */
};

/* --- setting up --- */

static int open_gallery(struct trainer *t, struct err *err) {
    return t->job->n_pictures && t->data.validates_here && !comm_rank(t->comm)
               ? gallery_init(&t->gallery, t->job, &t->data, err)
               : 0;
}

static struct replica_config replica_config(const struct trainer *t, const struct field *fields,
                                            const struct replica_data *validate) {
    return (struct replica_config){
        .job = t->job,
        .fields = fields,
        .n_fields = loader_n_fields(t->data.train.loader),
        .step_samples = shard_batch_len(&t->data.train.shard, 0),
        .batch = (feed_max_batch(&t->data.train) + t->job->accumulate - 1) / t->job->accumulate,
        .validate_batch =
            t->job->validate ? (t->data.validates_here ? feed_max_batch(&t->data.validate) : 1) : 0,
        .training = true,
        .threads = t->threads,
        .ranks = groups_all(t->groups),
        .data_name = dataset_name(t->data.train.dataset),
        .dataset = t->data.train.dataset,
        .validate_data = validate,
    };
}

/* Before anything is made for them: are all ranks' data the same? Where rank 0 alone validates,
 * only it has read what for. */
static int same_data(const struct trainer *t, struct err *err) {
    struct dataset *const data[] = {t->data.train.dataset, t->data.validate.dataset};
    const bool both = t->job->validate && !t->job->validate_on_rank0;

    return facts_check_data(t->comm, data, 1 + both, err);
}

static int make_replica(struct trainer *t, struct err *err) {
    struct field fields[LOADER_MAX_FIELDS], measured[LOADER_MAX_FIELDS];
    const struct feed *feed = t->data.validates_here ? &t->data.validate : NULL;
    const struct replica_data validate = {feed ? dataset_name(feed->dataset) : NULL, measured,
                                          feed ? feed_open_fields(feed, measured) : 0,
                                          feed ? feed->dataset : NULL};
    const struct replica_config config = replica_config(t, fields, feed ? &validate : NULL);
    char spare[256];

    feed_open_fields(&t->data.train, fields);
    if (replica_init(&t->replica, &config, err))
        return -1;
    if (replica_spare_classes(&t->replica, &config, spare, sizeof spare))
        sinks_warn(t->sinks, "%s", spare);
    for (int i = 0; i < t->replica.n_steps; i++)
        t->schedule[i] = *optim_schedule(&t->job->step[i].optimizer, "lr");
    return memory_check(replica_bytes(&t->replica), comm_local_size(t->comm), err);
}

static int allocate(struct trainer *t, struct err *err) {
    const struct replica_config config = replica_config(t, NULL, NULL);

    if (agree(t->comm, replica_allocate(&t->replica, &config, err), err))
        return -1;
    alike_init(&t->alike, &t->replica, t->comm);
    return stepper_init(&t->stepper, &t->replica, t->job, t->comm, err);
}

/* --- events --- */

/* An event of this run, whose own members are for the caller to fill. */
static struct event event_of(const struct trainer *t, enum event_kind kind) {
    return (struct event){.kind = kind,
                          .job = t->job,
                          .folder = t->folder.path,
                          .replica = &t->replica,
                          .progress = &t->progress};
}

static int tell_start(struct trainer *t, struct err *err) {
    struct event e = event_of(t, EVENT_START);

    e.start = (struct event_start){.n_samples = t->data.train.shard.n_samples,
                                   .ranks = comm_size(t->comm),
                                   .threads = team_size(t->replica.team),
                                   .kernels = isa_get()->name};
    if (agree(t->comm, sinks_start(t->sinks, &e, err), err))
        return -1;
    t->started = true;
    guesses_tell(&t->data, t->sinks);
    return 0;
}

static void tell_step(struct trainer *t) {
    const struct progress *p = &t->progress;
    const double each = (clock_now() - t->start_s) / (double)(p->step - t->first_step);
    struct event e = event_of(t, EVENT_STEP);

    e.step = (struct event_step){
        .loss = t->recent.loss,
        .ran = t->recent.ran,
        .lr = t->control.lr,
        .logged = p->step % t->job->log_every == 0 || p->step == p->total_steps,
        .img_per_s = t->images / t->trained_s,
        .left_s = each * (double)(p->total_steps - p->step),
    };
    sinks_tell(t->sinks, &e);
    if (e.step.logged)
        memset(t->recent.ran, 0, sizeof t->recent.ran);
}

/*   err  why the run ends early, or NULL */
static void tell_end(const struct trainer *t, const struct err *err) {
    const double train_s = t->trained_s > 0 ? t->trained_s : 1e-9;
    struct event e = event_of(t, EVENT_END);

    e.end =
        (struct event_end){.err = err,
                           .img_per_s = t->images / train_s,
                           .data_wait_share = loader_wait_seconds(t->data.train.loader) / train_s,
                           .comm_share = t->comm_s / train_s};
    sinks_tell(t->sinks, &e);
}

/* --- where to begin --- */

static int load_checkpoint(struct trainer *t, struct err *err) {
    const char *file = runfolder_file(&t->folder, "last.h5");

    if (access(file, F_OK)) {
        sinks_note(t->sinks, "%s is not there: beginning with step 1", file);
        return 0;
    }
    return save_resume(file, &t->replica, &t->progress, &t->identity, err);
}

/* On rank 0: the weights to begin with, which a run that goes on does not need. */
static int load_weights(struct trainer *t, bool resume, struct err *err) {
    if (comm_rank(t->comm) || (resume && !access(runfolder_file(&t->folder, "last.h5"), F_OK)))
        return 0;
    return weights_load(t->job, &t->replica, t->sinks, err);
}

/* On rank 0: take the folder, read the checkpoint that is to be resumed. */
static int open_folder(struct trainer *t, bool resume, struct err *err) {
    if (comm_rank(t->comm))
        return 0;
    if (runfolder_lock(&t->folder, resume, err) || (resume && load_checkpoint(t, err)))
        return -1;
    return runfolder_open(&t->folder, err);
}

/* Everyone gets rank 0's numbers. */
static void broadcast(struct trainer *t) {
    if (!t->progress.step)
        replica_begin_ema(&t->replica);
    alike_broadcast(&t->alike);
    comm_bcast(t->comm, &t->progress.step, sizeof t->progress.step, 0);
    comm_bcast(t->comm, &t->progress.validated, sizeof t->progress.validated, 0);
}

/* --- validation and saving --- */

/* Nothing is measured or saved of replicas that are no longer the same. */
static int audit_replicas(const struct trainer *t, struct err *err) {
    return alike_check(&t->alike, err) ? err_wrap(err, "after step %" PRId64, t->progress.step) : 0;
}

static int save_as(struct trainer *t, const char *name, struct err *err) {
    const char *file = runfolder_file(&t->folder, name);
    struct event e = event_of(t, EVENT_CHECKPOINT);
    int rc = 0;

    if (comm_rank(t->comm) == 0)
        rc = runfolder_keep(&t->folder, err) ||
             save_write(file, &t->replica, &t->progress, &t->identity, err);
    if (agree(t->comm, rc, err))
        return -1;
    e.file = file;
    sinks_tell(t->sinks, &e);
    return 0;
}

/* A picture that cannot be written is no reason to stop. */
static void draw_pictures(struct trainer *t) {
    struct err err = {0};

    if (gallery_draw(&t->gallery, &t->replica, runfolder_file(&t->folder, "pictures"),
                     t->progress.step, &err))
        sinks_warn(t->sinks, "%s; training goes on", err.msg);
}

/* Measures and pictures are those of the averaged weights, where there are any. Pictures come
 * first: all graphs share one memory, and the measures are still to be read. */
static int look(struct trainer *t, struct err *err) {
    if (audit_replicas(t, err))
        return -1;
    replica_swap_ema(&t->replica);
    draw_pictures(t);
    const int rc =
        evaluate(&t->replica, t->data.validates_here ? &t->data.validate : NULL, t->comm, err);
    replica_swap_ema(&t->replica);
    return rc;
}

static int validate(struct trainer *t, struct err *err) {
    struct event e = event_of(t, EVENT_VALIDATION);
    const int best = t->replica.best;

    if (look(t, err))
        return -1;
    t->progress.validated = true;
    if (best >= 0) {
        const double value = run_value(t->replica.validate_plan, best);
        if (agree(t->comm, progress_add(&t->progress, value, err), err))
            return -1;
        e.best = progress_best(&t->progress) == t->progress.n_measures - 1;
        comm_bcast(t->comm, &e.best, sizeof e.best, 0); /* rank 0 knows what was before a restart */
    }
    sinks_tell(t->sinks, &e);
    if (!e.best || !t->job->save_best)
        return 0;
    return audit_replicas(t, err) || save_as(t, "best.h5", err) ? -1 : 0;
}

static int save(struct trainer *t, struct err *err) {
    const struct control *c = &t->control;
    char name[40];

    if (!c->save_last && !c->save_every)
        return 0;
    if (audit_replicas(t, err) || (c->save_last && save_as(t, "last.h5", err)))
        return -1;
    snprintf(name, sizeof name, "step_%08" PRId64 ".h5", t->progress.step);
    return c->save_every ? save_as(t, name, err) : 0;
}

/* What follows the step that is done: rank 0 decides, validates with everybody, decides again
 * with what that showed, and saves. */
static int follow_up(struct trainer *t, bool stop, bool saves, struct err *err) {
    const int64_t audit_every = t->job->audit_every;
    const int n = t->replica.n_steps;

    control_decide(t->job, &t->progress, t->schedule, n, stop, t->comm, &t->control);
    if (audit_every && t->progress.step % audit_every == 0 && audit_replicas(t, err))
        return -1;
    if (t->control.validate) {
        if (validate(t, err))
            return -1;
        control_decide(t->job, &t->progress, t->schedule, n, stop, t->comm, &t->control);
    }
    return saves ? save(t, err) : 0;
}

/* --- the loop --- */

static void keep_losses(struct trainer *t, const struct step_output *out) {
    for (int i = 0; i < t->replica.n_steps; i++) {
        if (out->ran[i])
            t->recent.loss[i] = out->loss[i];
        t->recent.ran[i] = t->recent.ran[i] || out->ran[i];
    }
}

static int one_step(struct trainer *t, bool *stop, struct err *err) {
    const double start = clock_now();
    struct feed_batch batch = {0};
    struct step_output out;
    const int rc = feed_next(&t->data.train, &batch, err);
    const struct step_input in = {.batch = &batch,
                                  .rc = rc,
                                  .step = t->progress.step,
                                  .lr = t->control.lr,
                                  .stop = stop_requested()};

    if (stepper_run(&t->stepper, &in, &out, err))
        return -1;
    t->progress.step++;
    t->progress.validated = false;
    t->trained_s += clock_now() - start;
    t->comm_s += out.times.exposed_comm;
    t->images += (double)batch.global_n;
    keep_losses(t, &out);
    tell_step(t);
    *stop = out.stop;
    return 0;
}

static int loop(struct trainer *t, struct err *err) {
    bool stop = false;

    t->start_s = clock_now();
    t->first_step = t->progress.step;
    for (int i = 0; i < t->replica.n_steps; i++)
        t->recent.loss[i] = (double)NAN;
    if (stop_check(t->comm, err) || follow_up(t, false, false, err))
        return -1;
    if (t->job->validate && t->control.finish &&
        t->progress.validated) /* was finished before: measure once more */
        return look(t, err);
    feed_seek(&t->data.train, t->progress.step, t->progress.total_steps);
    while (!t->control.finish && !t->control.stop)
        if (one_step(t, &stop, err) || follow_up(t, stop, true, err))
            return -1;
    if (t->control.stop)
        return err_set(err, ERR_STOPPED,
                       "stopped on request after step %" PRId64 " of %" PRId64
                       ", saved in %s/last.h5; the same command with --resume goes on",
                       t->progress.step, t->progress.total_steps, t->folder.path);
    return 0;
}

/* Replicas are the same before rank 0 reads any file, as they come from the same seed, and after
 * everyone has what it read. */
static int prepare(struct trainer *t, const struct train_options *o, struct err *err) {
    if (agree(t->comm, groups_new(&t->groups, t->comm, err), err) ||
        agree(t->comm, feeds_init(&t->data, t->job, t->comm, t->sinks, err), err) ||
        same_data(t, err) || stop_check(t->comm, err) ||
        agree(t->comm, open_gallery(t, err), err) || agree(t->comm, make_replica(t, err), err))
        return -1;
    replica_meet(&t->replica, groups_all(t->groups));
    if (allocate(t, err))
        return -1;
    if (alike_check(&t->alike, err))
        return err_wrap(err, "made from the same seed");
    if (stop_check(t->comm, err) || agree(t->comm, load_weights(t, o->resume, err), err) ||
        stop_check(t->comm, err))
        return -1;
    t->identity = (struct save_identity){t->job->batch, t->job->seed,
                                         dataset_fingerprint(t->data.train.dataset)};
    t->progress.maximise = t->replica.maximise;
    t->progress.steps_per_epoch = shard_steps(&t->data.train.shard);
    t->progress.total_steps = control_total_steps(t->job, t->progress.steps_per_epoch);
    if (agree(t->comm, open_folder(t, o->resume, err), err))
        return -1;
    broadcast(t);
    return audit_replicas(t, err) || tell_start(t, err) ? -1 : 0;
}

int train(struct job *job, const struct train_options *options, struct comm *comm,
          struct err *err) {
    struct trainer t = {
        .job = job, .comm = comm, .threads = options->threads, .sinks = options->sinks};

    runfolder_init(&t.folder, job, t.sinks);
    const int rc = prepare(&t, options, err) || loop(&t, err) ? -1 : 0;
    if (t.started)
        tell_end(&t, rc ? err : NULL);
    runfolder_release(&t.folder);
    stepper_release(&t.stepper);
    replica_release(&t.replica);
    progress_release(&t.progress);
    gallery_release(&t.gallery);
    feeds_release(&t.data);
    groups_free(t.groups);
    return rc;
}
