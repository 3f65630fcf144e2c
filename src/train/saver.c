#include "train/saver.h"
#include "core/base/clock.h"
#include "core/base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum state { RESTS, WORKS, ENDS };

/* One that is being written: a file that was owed, and the file of the job. */
enum { MOST_OUTCOMES = 2 };

/* A file that insists, which could not be written. */
struct owed {
    struct saver_outcome of;        /* file: NULL: there is none */
    struct checkpoint_image *image; /* as it will be; NULL: there was no memory for one, */
    struct save save;               /* which is to be made of this, */
    real *numbers;                  /* and these */
};

struct saver {
    struct pulse *pulse; /* borrowed, or NULL */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum state state; /* under the lock */
    bool threaded;

    /* Of the thread while it works, else of who calls. */
    real *copy; /* NULL: training waits; with a thread, until what is owed gives it back */
    struct save save;
    bool copied; /* its numbers are in the copy */
    struct saver_job job;
    struct owed owed;
    struct saver_outcome outcome[MOST_OUTCOMES];
    int n_outcomes, n_told;
};

/* --- writing --- */

static void add_outcome(struct saver *s, const struct saver_outcome *o) {
    s->outcome[s->n_outcomes++] = *o;
}

/* Its numbers were those of the copy, which is free again. */
static void forget_owed(struct saver *s) {
    checkpoint_image_free(s->owed.image);
    save_release(&s->owed.save);
    if (s->threaded && !s->copy)
        s->copy = s->owed.numbers;
    else
        free(s->owed.numbers);
    s->owed = (struct owed){0};
}

/* The numbers of a save, which stay what they are while training goes on: the copy that they are
 * in, without which training waits for what is written meanwhile, or another one. */
static real *keep_numbers(struct saver *s, struct save *save) {
    real *numbers = s->copy, *to;
    int64_t len = 0;

    if (s->copied) {
        s->copy = NULL;
        return numbers;
    }
    for (int i = 0; i < save->n; i++)
        len += shape_len(&save->t[i].shape);
    if (!(numbers = to = malloc((size_t)len * sizeof *numbers)))
        return NULL;
    for (int i = 0; i < save->n; i++) {
        const int64_t n = shape_len(&save->t[i].shape);
        save->t[i].data = memcpy(to, save->t[i].data, (size_t)n * sizeof *to);
        to += n;
    }
    return numbers;
}

/* To be written with the next one. Takes over the image, or else what is saved. */
static void owe(struct saver *s, struct saver_outcome *o, struct checkpoint_image *image) {
    real *numbers = image ? NULL : keep_numbers(s, &s->save);

    o->owed = image || numbers;
    if (!o->owed)
        return;
    s->owed = (struct owed){.of = *o, .image = image, .numbers = numbers};
    if (image)
        return;
    s->owed.save = s->save;
    s->save = (struct save){0};
}

static int make_image(struct checkpoint_image **image, const char *file, const struct save *save,
                      struct err *err) {
    return checkpoint_image_new(image, file, save->t, save->n, save->meta, err);
}

static void write_owed(struct saver *s) {
    struct owed *owed = &s->owed;
    struct saver_outcome o = owed->of;

    o.err = (struct err){0};
    o.rc = owed->image ? 0 : make_image(&owed->image, o.file, &owed->save, &o.err);
    if (!o.rc)
        o.rc = checkpoint_image_write(owed->image, o.file, 0, s->job.lock, &o.err);
    o.owed = o.rc != 0;
    add_outcome(s, &o);
    if (!o.rc)
        forget_owed(s);
}

static void write_job(struct saver *s) {
    const struct saver_job *job = &s->job;
    struct saver_outcome o = {.file = job->file, .step = job->step};
    struct checkpoint_image *image = NULL;
    const double began = clock_now();

    o.rc = make_image(&image, job->file, &s->save, &o.err);
    if (!o.rc)
        o.rc = checkpoint_image_write(image, job->file, job->keep, job->lock, &o.err);
    if (o.rc && job->insists)
        owe(s, &o, image);
    if (!o.owed)
        checkpoint_image_free(image);
    o.seconds = clock_now() - began;
    add_outcome(s, &o);
    save_release(&s->save);
}

static void work(struct saver *s) {
    if (s->owed.of.file && s->job.insists) /* a better one has come */
        forget_owed(s);
    if (s->owed.of.file)
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
    s->copied = saver_room(s, job) != NULL;
    if (!s->copied) {
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
