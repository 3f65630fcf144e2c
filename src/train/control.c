#include "train/control.h"

#include <math.h>
#include <stdlib.h>

int64_t control_total_steps(const struct job *job, int64_t steps_per_epoch) {
    if (job->steps)
        return job->steps;
    const double steps = round(job->epochs * (double)steps_per_epoch);
    return steps < 1 ? 1 : (int64_t)steps;
}

/* Does a period end with this step? Periods of epochs may be fractions of an epoch. */
static bool due(const struct interval *every, const struct progress *p) {
    if (every->steps)
        return p->step % every->steps == 0;
    if (every->epochs <= 0)
        return false;
    const double length = every->epochs * (double)p->steps_per_epoch;
    const double tiny = 1e-9; /* 0.14 epochs of 50 steps are a little more than 7 steps */
    return floor((double)p->step / length + tiny) > floor((double)(p->step - 1) / length + tiny);
}

/* Does the job end after this step, as far as it is known? A validation can still tell. */
static enum control_end end_of(const struct job *job, const struct progress *p) {
    if (p->step >= p->total_steps)
        return CONTROL_LENGTH;
    return p->validated && job->patience && progress_idle(p) >= job->patience ? CONTROL_PATIENCE
                                                                              : CONTROL_GOES_ON;
}

enum control_end control_finished(const struct job *job, const struct progress *p) {
    return job->validate && !p->validated ? CONTROL_GOES_ON : end_of(job, p);
}

static void decide(const struct job *job, const struct progress *p, const struct applied *schedules,
                   int n, bool stop, struct control *c) {
    const double per_epoch = (double)p->steps_per_epoch;
    const struct schedule_time time = {.epoch = (double)p->step / per_epoch,
                                       .step = 1 / per_epoch,
                                       .epochs = (double)p->total_steps / per_epoch,
                                       .measure = p->measure,
                                       .n_measures = p->n_measures,
                                       .maximise = p->maximise};

    *c = (struct control){0};
    for (int i = 0; i < n; i++)
        c->lr[i] = schedule_at(&schedules[i], &time);
    c->finish = end_of(job, p);
    c->stop = stop && !c->finish;
    if (p->step == 0)
        return;
    /* Who asks to stop may kill soon: save at once; what is due is measured after --resume. */
    c->validate =
        job->validate && !p->validated && !c->stop && (due(&job->validate_every, p) || c->finish);
    c->save_last = due(&job->save_last, p) || c->finish || c->stop;
    c->save_every = due(&job->save_every, p);
}

void control_decide(const struct job *job, const struct progress *progress,
                    const struct applied *schedules, int n, bool stop, struct comm *comm,
                    struct control *out) {
    if (comm_rank(comm) == 0)
        decide(job, progress, schedules, n, stop, out);
    comm_bcast(comm, out, sizeof *out, 0);
}

int progress_add(struct progress *p, int64_t step, double measure, struct err *err) {
    const size_t n = (size_t)p->n_measures + 1;
    double *measures = realloc(p->measure, n * sizeof *measures);
    int64_t *steps = realloc(p->measured_at, n * sizeof *steps);

    if (measures)
        p->measure = measures;
    if (steps)
        p->measured_at = steps;
    if (!measures || !steps)
        return err_set(err, ERR_IO, "no memory for the history of measures");
    p->measured_at[p->n_measures] = step;
    p->measure[p->n_measures++] = measure;
    return 0;
}

int progress_best(const struct progress *p) {
    double most = p->maximise ? -HUGE_VAL : HUGE_VAL;
    int best = -1;

    for (int i = 0; i < p->n_measures; i++)
        if (p->maximise ? p->measure[i] > most : p->measure[i] < most)
            best = i, most = p->measure[i];
    return best;
}

int progress_idle(const struct progress *p) {
    return p->n_measures - 1 - progress_best(p);
}

double progress_epoch(const struct progress *p, int64_t steps) {
    return (double)steps / (double)p->steps_per_epoch;
}

void progress_release(struct progress *p) {
    free(p->measure);
    free(p->measured_at);
    *p = (struct progress){0};
}
