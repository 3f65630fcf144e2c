#include "train/saver.h"
#include "core/base/clock.h"
#include "core/base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum state { RESTS, WORKS, ENDS };

/* One that is being written: a file that was owed, and the file of the job. */
enum { MOST_OUTCOMES = 2 };

struct saver {
    struct pulse *pulse; /* borrowed, or NULL */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum state state; /* under the lock */
    bool threaded;

    /* Of the thread while it works, else of who calls. */
    real *copy; /* NULL: training waits */
    struct save save;
    struct saver_job job;
    int64_t step;                  /* of the save */
    struct checkpoint_image *owed; /* of a file that insists, which could not be written */
    struct saver_outcome owed_of;
    struct saver_outcome outcome[MOST_OUTCOMES];
    int n_outcomes, n_told;
};

/* --- writing --- */

static void add_outcome(struct saver *s, const struct saver_outcome *o) {
    s->outcome[s->n_outcomes++] = *o;
}

static void forget_owed(struct saver *s) {
    checkpoint_image_free(s->owed);
    s->owed = NULL;
}

static void write_owed(struct saver *s) {
    struct saver_outcome o = s->owed_of;

    o.err = (struct err){0};
    o.rc = checkpoint_image_write(s->owed, o.file, 0, s->job.lock, &o.err);
    add_outcome(s, &o);
    if (!o.rc)
        forget_owed(s);
}

static void write_job(struct saver *s) {
    const struct saver_job *job = &s->job;
    struct saver_outcome o = {.file = job->file, .step = job->step};
    struct checkpoint_image *image = NULL;
    const double began = clock_now();

    o.rc = checkpoint_image_new(&image, job->file, s->save.t, s->save.n, s->save.meta, &o.err);
    if (!o.rc)
        o.rc = checkpoint_image_write(image, job->file, job->keep, job->lock, &o.err);
    if (o.rc && image && job->insists) {
        s->owed = image;
        s->owed_of = o;
    } else {
        checkpoint_image_free(image);
    }
    o.seconds = clock_now() - began;
    add_outcome(s, &o);
    save_release(&s->save);
}

static void work(struct saver *s) {
    if (s->owed && s->job.insists) /* a better one has come */
        forget_owed(s);
    if (s->owed)
        write_owed(s);
    write_job(s);
}

static void *run(void *context) {
    struct saver *s = context;

    pthread_mutex_lock(&s->lock);
    while (s->state != ENDS) {
        if (s->state == RESTS) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        pulse_enter(s->pulse, PULSE_SAVER, PULSE_SAVE, s->job.step, -1);
        work(s);
        pulse_enter(s->pulse, PULSE_SAVER, PULSE_IDLE, s->job.step, -1);
        pthread_mutex_lock(&s->lock);
        s->state = RESTS;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- for who trains --- */

int saver_new(struct saver **out, int64_t len, struct pulse *pulse, struct err *err) {
    struct saver *s = calloc(1, sizeof *s);

    if (!s)
        return err_set(err, ERR_IO, "no memory to save checkpoints");
    s->pulse = pulse;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (len)
        s->copy = malloc((size_t)len * sizeof *s->copy);
    s->threaded = s->copy && !thread_start(&s->thread, 0, run, s);
    if (!s->threaded) {
        free(s->copy);
        s->copy = NULL;
    }
    *out = s;
    return 0;
}

bool saver_is_threaded(const struct saver *s) {
    return s->threaded;
}

/* Does the thread work? Where it is waited for, it does no longer. */
static bool works(struct saver *s, bool waits) {
    pthread_mutex_lock(&s->lock);
    while (waits && s->state == WORKS)
        pthread_cond_wait(&s->changed, &s->lock);
    const bool does = s->state == WORKS;
    pthread_mutex_unlock(&s->lock);
    return does;
}

real *saver_room(struct saver *s, const struct saver_job *job) {
    return job->waits ? NULL : s->copy;
}

void saver_write(struct saver *s, const struct saver_job *job, const struct save *save) {
    s->job = *job;
    s->save = *save;
    s->n_outcomes = s->n_told = 0;
    if (!saver_room(s, job)) {
        work(s);
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->state = WORKS;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

bool saver_told(struct saver *s, bool waits, struct saver_outcome *out) {
    if (works(s, waits) || s->n_told == s->n_outcomes)
        return false;
    *out = s->outcome[s->n_told++];
    return true;
}

void saver_free(struct saver *s) {
    if (!s)
        return;
    if (s->threaded) {
        works(s, true);
        pthread_mutex_lock(&s->lock);
        s->state = ENDS;
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
    }
    forget_owed(s);
    save_release(&s->save);
    free(s->copy);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
