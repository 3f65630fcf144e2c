#include "train/overfit.h"

#include <inttypes.h>
#include <string.h>

enum { REPORTS = 20 }; /* of a run that uses all its steps */

/* What training would take for the same step. */
static void rates(const struct overfit *o, const struct rehearsal *r, double *lr) {
    const int64_t per_epoch = shard_steps(&r->data.train.shard);
    const struct schedule_time time = {.epoch = (double)o->steps / (double)per_epoch,
                                       .step = 1 / (double)per_epoch,
                                       .epochs = (double)o->most / (double)per_epoch};

    for (int i = 0; i < r->replica.n_steps; i++)
        lr[i] = schedule_at(optim_schedule(&o->job->step[i].optimizer, "lr"), &time);
}

static int pass_over(struct overfit *o, struct tryout *p, struct overfit_pass *pass,
                     struct err *err) {
    double lr[JOB_MAX_STEPS];
    int64_t n[JOB_MAX_STEPS] = {0};

    *pass = (struct overfit_pass){0};
    tryout_seek(p, o->batches);
    for (int64_t b = 0; b < o->batches; b++) {
        struct step_output out;

        rates(o, &p->run, lr);
        if (tryout_step(p, lr, &out, err))
            return -1;
        o->steps++;
        for (int i = 0; i < o->job->n_steps; i++)
            if (out.ran[i])
                pass->loss[i] += out.loss[i], n[i]++;
    }
    for (int i = 0; i < o->job->n_steps; i++) {
        pass->ran[i] = n[i] > 0;
        pass->loss[i] /= n[i] ? (double)n[i] : 1;
    }
    return 0;
}

bool overfit_learnt(const struct overfit *o) {
    for (int i = 0; i < o->job->n_steps; i++)
        if (o->last.ran[i] && o->first.ran[i] &&
            !(o->last.loss[i] * OVERFIT_SHARE <= o->first.loss[i]))
            return false;
    return true;
}

static int check_batches(const struct overfit *o, const struct rehearsal *r, struct err *err) {
    const int64_t there = shard_steps(&r->data.train.shard);

    return o->batches <= there
               ? 0
               : err_set(err, ERR_USAGE,
                         "--overfit %" PRId64 ": %s has %" PRId64 " batches of %" PRId64 " samples",
                         o->batches, o->job->train_data, there, o->job->batch);
}

static int learn(struct overfit *o, struct tryout *p, struct err *err) {
    const int64_t passes = (o->most + o->batches - 1) / o->batches;
    const int64_t every = (passes + REPORTS - 1) / REPORTS;

    for (int64_t i = 0; i < passes; i++) {
        if (pass_over(o, p, &o->last, err))
            return -1;
        if (i == 0)
            o->first = o->last;
        const bool done = i > 0 && overfit_learnt(o);
        if (o->report && (i % every == 0 || done || i == passes - 1))
            o->report(o, &o->last);
        if (done)
            return 0;
    }
    return 0;
}

int overfit_run(struct overfit *o, struct job *job, struct comm *comm, int threads,
                const struct sinks *sinks, struct err *err) {
    struct tryout p = {0};

    job->unaugmented = true;
    o->job = job;
    int rc = tryout_init(&p, job, comm, threads, sinks, err) || check_batches(o, &p.run, err);
    if (!rc) {
        o->most = control_total_steps(job, shard_steps(&p.run.data.train.shard));
        rc = learn(o, &p, err);
    }
    tryout_release(&p);
    return rc ? -1 : 0;
}
