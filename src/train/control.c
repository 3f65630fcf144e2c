#include "train/control.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t steps_of(double epochs, int64_t steps_per_epoch) {
    const double steps = round(epochs * (double)steps_per_epoch);

    return steps < 1 ? 1 : (int64_t)steps;
}

int64_t control_total_steps(const struct job *job, int64_t steps_per_epoch) {
    return job->steps ? job->steps : steps_of(job->epochs, steps_per_epoch);
}

void control_begin(struct progress *p, const struct job *job, int64_t steps_per_epoch,
                   double until) {
    p->steps_per_epoch = steps_per_epoch;
    p->total_steps = control_total_steps(job, steps_per_epoch);
    p->until = until > 0 ? steps_of(until, steps_per_epoch) : 0;
}

/* Does a period end with this step? Periods of epochs may be fractions of an epoch. */
bool interval_due(const struct interval *every, const struct progress *p) {
    if (every->steps)
        return p->step % every->steps == 0;
    if (every->epochs <= 0)
        return false;
    const double length = every->epochs * (double)p->steps_per_epoch;
    const double tiny = 1e-9; /* 0.14 epochs of 50 steps are a little more than 7 steps */
    return floor((double)p->step / length + tiny) > floor((double)(p->step - 1) / length + tiny);
}

bool interval_is_set(const struct interval *every) {
    return every->steps || every->epochs > 0;
}

/* Does the job end after this step, as far as it is known? A validation can still tell. */
static enum control_end end_of(const struct job *job, const struct progress *p) {
    if (p->step >= p->total_steps)
        return CONTROL_LENGTH;
    if (p->validated && job->patience && progress_idle(p) >= job->patience)
        return CONTROL_PATIENCE;
    return p->until && p->step >= p->until ? CONTROL_UNTIL : CONTROL_GOES_ON;
}

enum control_end control_finished(const struct job *job, const struct progress *p) {
    return job->validate && !p->validated ? CONTROL_GOES_ON : end_of(job, p);
}

void control_plan(const struct job *job, const struct progress *p, const struct applied *schedules,
                  int n, struct control *c) {
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
    if (p->step == 0)
        return;
    c->validate =
        job->validate && !p->validated && (interval_due(&job->validate_every, p) || c->finish);
    c->save_last = interval_due(&job->save_last, p) || c->finish;
    c->save_every = interval_due(&job->save_every, p);
}

/* Who asks to stop may kill soon: save at once; what is due is measured after --resume. */
void control_stop(struct control *c, enum control_stop why) {
    if (!why || c->stop || (c->finish && why == CONTROL_ASKED))
        return;
    c->stop = why;
    c->finish = CONTROL_GOES_ON;
    c->save_last = true;
    c->validate = false;
}

void control_pack(const struct control *c, double numbers[CONTROL_NUMBERS]) {
    double *more = numbers + JOB_MAX_STEPS;

    memcpy(numbers, c->lr, sizeof c->lr);
    more[0] = c->validate;
    more[1] = c->save_last;
    more[2] = c->save_every;
    more[3] = (double)c->finish;
    more[4] = (double)c->stop;
}

void control_unpack(const double numbers[CONTROL_NUMBERS], struct control *c) {
    const double *more = numbers + JOB_MAX_STEPS;

    *c = (struct control){.validate = more[0] > 0,
                          .save_last = more[1] > 0,
                          .save_every = more[2] > 0,
                          .finish = (enum control_end)(int)more[3],
                          .stop = (enum control_stop)(int)more[4]};
    memcpy(c->lr, numbers, sizeof c->lr);
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
