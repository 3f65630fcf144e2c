#include "train/trainer.h"
#include "core/base/clock.h"
#include "core/math/isa/isa.h"
#include "dist/agree.h"
#include "dist/audit.h"
#include "train/memory.h"
#include "train/picture.h"
#include "train/record.h"
#include "train/weights.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

struct trainer {
    struct job *job;
    struct comm *comm;
    int threads; /* of this rank */
    struct feed train, validate;
    bool validates_here;    /* this rank has a share of the validation */
    struct gallery gallery; /* on rank 0, where the job has pictures */
    struct replica replica;
    struct stepper stepper;
    struct progress progress;
    struct control control;
    struct save_identity identity;
    struct applied schedule[JOB_MAX_STEPS];
    struct pool pool;
    struct record record;
    struct report report;
    int64_t first_step; /* of this process */
    double started, trained_s,
        comm_s; /* seconds: clock at the start; in steps; waiting for ranks */
    double images;
    struct step_output recent; /* losses of the last time that each step ran; ran: since the last
                                  line of the log */
};

/* --- setting up --- */

/* Validation has every field of training, in the same shape and of the same kind. */
static int check_alike(const struct trainer *t, struct err *err) {
    const char *train = t->job->train_data, *validate = t->job->validate_data;
    const struct loader *a = t->train.loader, *b = t->validate.loader;
    char x[SHAPE_TEXT], y[SHAPE_TEXT];

    for (int i = 0, k; i < loader_n_fields(a); i++) {
        const struct loader_field *f = loader_field(a, i);

        for (k = 0; k < loader_n_fields(b) && strcmp(loader_field(b, k)->name, f->name);)
            k++;
        if (k == loader_n_fields(b))
            return err_set(err, ERR_DATA, "%s has no %s, but %s has", validate, f->name, train);
        const struct shape *other = &loader_field(b, k)->sample;
        if (!shape_equal(&f->sample, other))
            return err_set(err, ERR_CONFIG, "%s gives %s %s, but %s gives %s", train, f->name,
                           shape_text(&f->sample, x), validate, shape_text(other, y));
        if ((f->kind == DATASET_CLASS) != (loader_field(b, k)->kind == DATASET_CLASS))
            return err_set(err, ERR_CONFIG, "%s is class numbers in one of %s and %s only", f->name,
                           train, validate);
    }
    return 0;
}

static int open_feeds(struct trainer *t, struct err *err) {
    const struct job *job = t->job;
    struct feed_config config = {.job = job,
                                 .spec = job->train_data,
                                 .batch = job->batch,
                                 .training = true,
                                 .rank = comm_rank(t->comm),
                                 .size = comm_size(t->comm)};

    if (!job->train_data)
        return err_set(err, ERR_CONFIG, "%s: [data] has no key train", job->path);
    if (!job->n_steps)
        return err_set(err, ERR_CONFIG, "%s: there is no [step]", job->path);
    if (job->epochs <= 0 && !job->steps)
        return err_set(err, ERR_CONFIG, "%s: [job] has neither epochs nor steps", job->path);
    if (job->validate && !job->validate_data)
        return pos_error(err, job->validate->pos, "[validate] needs a key validate in [data]");
    if (feed_init(&t->train, &config, err))
        return -1;
    if (!job->validate || (job->validate_on_rank0 && comm_rank(t->comm) > 0))
        return 0;
    config.spec = job->validate_data;
    config.batch = job->validate_batch;
    config.training = false;
    if (job->validate_on_rank0)
        config.rank = 0, config.size = 1;
    t->validates_here = true;
    if (feed_init(&t->validate, &config, err))
        return -1;
    return check_alike(t, err);
}

static int open_gallery(struct trainer *t, struct err *err) {
    return t->job->n_pictures && !comm_rank(t->comm) ? gallery_init(&t->gallery, t->job, err) : 0;
}

static struct replica_config replica_config(const struct trainer *t, const struct field *fields,
                                            const int *classes) {
    return (struct replica_config){
        .job = t->job,
        .fields = fields,
        .most_classes = classes,
        .n_fields = loader_n_fields(t->train.loader),
        .batch = (feed_max_batch(&t->train) + t->job->accumulate - 1) / t->job->accumulate,
        .validate_batch =
            t->job->validate ? (t->validates_here ? feed_max_batch(&t->validate) : 1) : 0,
        .training = true,
        .threads = t->threads,
        .data_name = dataset_name(t->train.dataset),
    };
}

/* Classes of a field in both datasets. */
static int n_classes(const struct trainer *t, int field) {
    const struct loader_field *f = loader_field(t->train.loader, field), *v = NULL;

    for (int i = 0; t->validates_here && i < loader_n_fields(t->validate.loader); i++)
        if (!strcmp(loader_field(t->validate.loader, i)->name, f->name))
            v = loader_field(t->validate.loader, i);
    return v && v->n_classes > f->n_classes ? v->n_classes : f->n_classes;
}

static int make_replica(struct trainer *t, struct err *err) {
    struct field fields[LOADER_MAX_FIELDS];
    int classes[LOADER_MAX_FIELDS];
    const struct replica_config config = replica_config(t, fields, classes);

    feed_open_fields(&t->train, fields);
    for (int i = 0; i < config.n_fields; i++)
        classes[i] = n_classes(t, i);

    if (replica_init(&t->replica, &config, err))
        return -1;
    for (int i = 0; i < t->replica.n_steps; i++)
        memcpy(&t->schedule[i], t->job->step[i].optimizer.args, sizeof t->schedule[i]);
    return memory_check(replica_bytes(&t->replica), comm_local_size(t->comm), err);
}

static int allocate(struct trainer *t, struct err *err) {
    const struct replica_config config = replica_config(t, NULL, NULL);

    if (replica_allocate(&t->replica, &config, err))
        return -1;
    return stepper_init(&t->stepper, &t->replica, t->job, t->comm, err);
}

/* --- where to begin --- */

static int load_checkpoint(struct trainer *t, struct err *err) {
    const char *file = record_path(&t->record, "last.h5");

    if (access(file, F_OK)) {
        report_line(&t->report, "%s is not there: beginning with step 1", file);
        return 0;
    }
    return save_resume(file, &t->replica, &t->progress, &t->identity, err);
}

/* On rank 0: the weights to begin with, which a run that goes on does not need. */
static int load_weights(struct trainer *t, bool resume, struct err *err) {
    if (comm_rank(t->comm) || (resume && !access(record_path(&t->record, "last.h5"), F_OK)))
        return 0;
    return weights_load(t->job, &t->replica, &t->report, err);
}

/* On rank 0: take the folder, read the checkpoint that is to be resumed, open the log. */
static int open_record(struct trainer *t, bool resume, struct err *err) {
    if (comm_rank(t->comm))
        return 0;
    if (record_lock(&t->record, resume, err) || (resume && load_checkpoint(t, err)))
        return -1;
    return record_open(&t->record, t->progress.step, err);
}

/* Everyone gets rank 0's numbers; then the replicas are compared. */
static int broadcast(struct trainer *t, struct err *err) {
    struct replica *r = &t->replica;
    const int n = 2 * r->model.n_nets;
    const real **span = pool_take(&t->pool, (size_t)(n + 1) * sizeof *span);
    int64_t *len = pool_take(&t->pool, (size_t)(n + 1) * sizeof *len);
    const char **names = pool_take(&t->pool, (size_t)(n + 1) * sizeof *names);

    for (int i = 0; i < r->model.n_nets; i++) {
        struct net *net = r->model.nets[i];
        comm_bcast(t->comm, net->w, (size_t)net->weights.len * sizeof(real), 0);
        comm_bcast(t->comm, net->state, (size_t)net->states.len * sizeof(real), 0);
        span[2 * i] = net->w, len[2 * i] = net->weights.len;
        span[2 * i + 1] = net->state, len[2 * i + 1] = net->states.len;
        names[2 * i] = pool_print(&t->pool, "weights of %s", net->name);
        names[2 * i + 1] = pool_print(&t->pool, "running statistics of %s", net->name);
    }
    for (int i = 0; i < r->model.n_nets; i++) {
        const struct net *net = r->model.nets[i];
        const size_t bytes = (size_t)net->weights.len * sizeof(real);
        if (net->ema && !t->progress.step)
            memcpy(net->ema, net->w, bytes);
        if (net->ema)
            comm_bcast(t->comm, net->ema, bytes, 0);
    }
    for (int i = 0; i < r->n_steps; i++) {
        struct replica_step *s = &r->step[i];
        comm_bcast(t->comm, &s->n_updates, sizeof s->n_updates, 0);
        for (int k = 0; k < s->n_train; k++)
            for (int m = 0; m < s->optimizer->n_moments; m++)
                comm_bcast(t->comm, s->nets[k].moment[m],
                           (size_t)s->train[k]->weights.len * sizeof(real), 0);
    }
    comm_bcast(t->comm, &t->progress.step, sizeof t->progress.step, 0);
    comm_bcast(t->comm, &t->progress.validated, sizeof t->progress.validated, 0);
    return audit_spans(t->comm, span, len, names, n, err);
}

/* --- validation and saving --- */

/* A picture that cannot be written is no reason to stop. */
static void draw_pictures(struct trainer *t) {
    struct err err = {0};

    if (gallery_draw(&t->gallery, &t->replica, record_path(&t->record, "pictures"),
                     t->progress.step, &err))
        report_line(&t->report, "warning: %s; training goes on", err.msg);
}

/* Measures and pictures are those of the averaged weights, where there are any. Pictures come
 * first: all graphs share one memory, and the measures are still to be read. */
static int look(struct trainer *t, struct err *err) {
    replica_swap_ema(&t->replica);
    draw_pictures(t);
    const int rc = evaluate(&t->replica, t->validates_here ? &t->validate : NULL, t->comm, err);
    replica_swap_ema(&t->replica);
    return rc;
}

static int validate(struct trainer *t, struct err *err) {
    const double epoch = (double)t->progress.step / (double)t->progress.steps_per_epoch;
    const char *name, *text = "";
    bool best = false;
    double value;
    int rc = 0;

    if (look(t, err))
        return -1;
    t->progress.validated = true;
    record_validation(&t->record, &t->progress, &t->replica);
    if (t->replica.best >= 0) {
        rc = progress_add(&t->progress, run_value(t->replica.validate_plan, t->replica.best), err);
        best = progress_best(&t->progress) == t->progress.n_measures - 1;
    }
    for (int i = 0; evaluate_measure(&t->replica, i, &name, &value); i++)
        text = pool_print(&t->pool, "%s  %s %.4f", text, name, value);
    report_line(&t->report, "epoch %.4g  validate%s%s", epoch, text, best ? "  (best)" : "");
    if (!rc && best && t->job->save_best && comm_rank(t->comm) == 0)
        rc = save_write(record_path(&t->record, "best.h5"), &t->replica, &t->progress, &t->identity,
                        err);
    return agree(t->comm, rc, err);
}

static int save(struct trainer *t, struct err *err) {
    const struct control *c = &t->control;
    char name[40];
    int rc = 0;

    if (!c->save_last && !c->save_every)
        return 0;
    snprintf(name, sizeof name, "step_%08" PRId64 ".h5", t->progress.step);
    if (comm_rank(t->comm) == 0 && c->save_last)
        rc = save_write(record_path(&t->record, "last.h5"), &t->replica, &t->progress, &t->identity,
                        err);
    if (comm_rank(t->comm) == 0 && c->save_every && !rc)
        rc =
            save_write(record_path(&t->record, name), &t->replica, &t->progress, &t->identity, err);
    return agree(t->comm, rc, err);
}

/* What follows the step that is done: rank 0 decides, validates with everybody, decides again
 * with what that showed, and saves. */
static int follow_up(struct trainer *t, bool stop, bool saves, struct err *err) {
    const int n = t->replica.n_steps;

    control_decide(t->job, &t->progress, t->schedule, n, stop, t->comm, &t->control);
    if (t->control.validate) {
        if (validate(t, err))
            return -1;
        control_decide(t->job, &t->progress, t->schedule, n, stop, t->comm, &t->control);
    }
    return saves ? save(t, err) : 0;
}

/* --- the loop --- */

static void show_progress(struct trainer *t) {
    const struct progress *p = &t->progress;
    const char *names[JOB_MAX_STEPS];
    const double done = (double)(p->step - t->first_step);
    const double each = (clock_now() - t->started) / done;

    for (int i = 0; i < t->replica.n_steps; i++)
        names[i] = t->job->step[i].name;
    const struct report_progress line = {
        .epoch = (double)p->step / (double)p->steps_per_epoch,
        .epochs = (double)p->total_steps / (double)p->steps_per_epoch,
        .step = p->step,
        .total_steps = p->total_steps,
        .loss = t->recent.loss,
        .lr = t->control.lr,
        .name = names,
        .n = t->replica.n_steps,
        .img_per_s = t->images / t->trained_s,
        .seconds_left = each * (double)(p->total_steps - p->step),
    };
    report_progress(&t->report, &line);
}

static void keep_losses(struct trainer *t, const struct step_output *out) {
    for (int i = 0; i < t->replica.n_steps; i++) {
        if (out->ran[i])
            t->recent.loss[i] = out->loss[i];
        t->recent.ran[i] = t->recent.ran[i] || out->ran[i];
    }
}

static void log_step(struct trainer *t) {
    record_step(&t->record, &t->progress, &t->control, &t->recent, t->images / t->trained_s);
    memset(t->recent.ran, 0, sizeof t->recent.ran);
}

static int one_step(struct trainer *t, bool *stop, struct err *err) {
    const double start = clock_now();
    struct feed_batch batch = {0};
    struct step_output out;
    const int rc = feed_next(&t->train, &batch, err);
    const struct step_input in = {.batch = &batch,
                                  .rc = rc,
                                  .step = t->progress.step,
                                  .lr = t->control.lr,
                                  .stop = control_stop_requested()};

    if (stepper_run(&t->stepper, &in, &out, err))
        return -1;
    t->progress.step++;
    t->progress.validated = false;
    t->trained_s += clock_now() - start;
    t->comm_s += out.times.exposed_comm;
    t->images += (double)batch.global_n;
    keep_losses(t, &out);
    if (t->progress.step % t->job->log_every == 0 || t->progress.step == t->progress.total_steps)
        log_step(t);
    show_progress(t);
    *stop = out.stop;
    return 0;
}

static int loop(struct trainer *t, struct err *err) {
    bool stop = false;

    t->started = clock_now();
    t->first_step = t->progress.step;
    for (int i = 0; i < t->replica.n_steps; i++)
        t->recent.loss[i] = (double)NAN;
    if (follow_up(t, false, false, err))
        return -1;
    if (t->job->validate && t->control.finish &&
        t->progress.validated) /* was finished before: measure once more */
        return look(t, err);
    feed_seek(&t->train, t->progress.step, t->progress.total_steps);
    while (!t->control.finish && !t->control.stop)
        if (one_step(t, &stop, err) || follow_up(t, stop, true, err))
            return -1;
    if (t->control.stop)
        return err_set(err, ERR_STOPPED,
                       "stopped on request after step %" PRId64 " of %" PRId64
                       ", saved in %s/last.h5; the same command with --resume goes on",
                       t->progress.step, t->progress.total_steps, t->record.folder);
    return 0;
}

static void print_start(struct trainer *t) {
    const struct replica *r = &t->replica;
    const struct progress *p = &t->progress;

    report_line(&t->report,
                "%s: %" PRId64 " samples, batch %" PRId64
                " over %d rank%s x %d thread%s (%s), %" PRId64 " steps an epoch, %" PRId64 " steps",
                t->job->name, t->train.shard.n_samples, t->job->batch, comm_size(t->comm),
                comm_size(t->comm) == 1 ? "" : "s", team_size(r->team),
                team_size(r->team) == 1 ? "" : "s", isa_get()->name, p->steps_per_epoch,
                p->total_steps);
    for (int i = 0; i < r->model.n_nets; i++)
        report_line(&t->report, "net %s: %" PRId64 " parameters", r->model.nets[i]->name,
                    net_n_weights(r->model.nets[i]));
    report_line(&t->report,
                "each rank holds %.1f MiB of weights and gradients, %.1f MiB of "
                "optimiser moments, %.1f MiB of activations",
                (double)model_bytes(&r->model) / (1 << 20),
                (double)replica_moment_bytes(r) / (1 << 20),
                (double)replica_activation_bytes(r) / (1 << 20));
    if (p->step)
        report_line(&t->report, "going on after step %" PRId64 " of %s/last.h5", p->step,
                    t->record.folder);
}

static void print_result(struct trainer *t) {
    const double train_s = t->trained_s > 0 ? t->trained_s : 1e-9;
    const char *text = "", *name;
    double value;

    for (int i = 0; t->replica.validate && evaluate_measure(&t->replica, i, &name, &value); i++)
        text = pool_print(&t->pool, "%s %s=%.4f", text, name, value);
    report_line(&t->report, "results are in %s", t->record.folder);
    report_line(&t->report,
                "result:%s epochs=%.4g img_per_s=%.1f data_wait_share=%.4f "
                "comm_share=%.4f",
                text, (double)t->progress.step / (double)t->progress.steps_per_epoch,
                t->images / train_s, loader_wait_seconds(t->train.loader) / train_s,
                t->comm_s / train_s);
}

static int prepare(struct trainer *t, const struct train_options *o, struct err *err) {
    if (agree(t->comm, open_feeds(t, err), err) || agree(t->comm, open_gallery(t, err), err) ||
        agree(t->comm, make_replica(t, err), err) || agree(t->comm, allocate(t, err), err) ||
        agree(t->comm, load_weights(t, o->resume, err), err))
        return -1;
    t->identity =
        (struct save_identity){t->job->batch, t->job->seed, dataset_fingerprint(t->train.dataset)};
    t->progress.maximise = t->replica.maximise;
    t->progress.steps_per_epoch = shard_steps(&t->train.shard);
    t->progress.total_steps = control_total_steps(t->job, t->progress.steps_per_epoch);
    if (agree(t->comm, open_record(t, o->resume, err), err) || broadcast(t, err))
        return -1;
    print_start(t);
    return 0;
}

int train(struct job *job, const struct train_options *options, struct comm *comm,
          struct err *err) {
    struct trainer t = {.job = job, .comm = comm, .threads = options->threads};
    int rc;

    control_catch_signals();
    report_init(&t.report, comm_rank(comm) == 0);
    record_init(&t.record, job, &t.report);
    rc = prepare(&t, options, err);
    if (!rc)
        rc = loop(&t, err);
    if (!rc)
        print_result(&t);
    record_release(&t.record);
    stepper_release(&t.stepper);
    replica_release(&t.replica);
    progress_release(&t.progress);
    gallery_release(&t.gallery);
    feed_release(&t.validate);
    feed_release(&t.train);
    pool_release(&t.pool);
    return rc;
}
