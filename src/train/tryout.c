#include "train/tryout.h"
#include "dist/agree.h"
#include "train/stop.h"
#include "train/weights.h"

static int load(struct tryout *p, const struct sinks *sinks, struct err *err) {
    struct rehearsal *r = &p->run;
    struct alike alike;

    if (agree(r->comm, comm_rank(r->comm) ? 0 : weights_load(r->job, &r->replica, sinks, err), err))
        return -1;
    alike_init(&alike, &r->replica, r->comm);
    alike_broadcast(&alike);
    replica_begin_ema(&r->replica);
    return 0;
}

int tryout_init(struct tryout *p, struct job *job, struct comm *comm, int threads,
                const struct sinks *sinks, struct err *err) {
    *p = (struct tryout){0};
    return rehearsal_init(&p->run, job, comm, threads, sinks, err) || load(p, sinks, err) ? -1 : 0;
}

void tryout_seek(struct tryout *p, int64_t steps) {
    feed_seek(&p->run.data.train, 0, steps);
}

int tryout_step(struct tryout *p, const double *lr, struct step_output *out, struct err *err) {
    struct feed_batch batch = {0};
    const int rc = feed_next(&p->run.data.train, &batch, err);
    const struct step_input in = {
        .batch = &batch, .rc = rc, .step = p->step, .lr = lr, .stop = stop_requested()};

    if (stepper_run(&p->run.stepper, &in, out, err))
        return -1;
    p->step++;
    return out->stop ? err_set(err, ERR_STOPPED, "stopped on request; nothing is kept") : 0;
}

void tryout_release(struct tryout *p) {
    rehearsal_release(&p->run);
    *p = (struct tryout){0};
}
