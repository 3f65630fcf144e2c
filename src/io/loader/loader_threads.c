/* The threads of a loader: one that reads, and workers. A batch passes from its request to the
 * reader, from there sample by sample to the workers, and is ready when the last of them is done.
 * Workers go on with the next batch while others still work on this one. */
#define _DEFAULT_SOURCE /* setpriority */
#include "core/base/clock.h"
#include "io/loader/loader_private.h"

#include <string.h>
#include <sys/resource.h>

/* A processor that both want is the training's, but for a tenth or so. */
enum { WORKER_NICE = 10 };

/* Runs of samples: several where samples are many and small, so that taking them costs nothing. */
enum { RUNS_PER_WORKER = 8 };

static bool stopped(struct loader *l) {
    return atomic_load(&l->stop);
}

static void set_ready(struct loader *l, struct loader_slot *s) {
    s->ready = true;
    pthread_cond_signal(&l->to_give);
}

static void fail(struct loader_slot *s, int64_t sample, int field, const struct err *err) {
    if (sample >= s->failed)
        return;
    s->failed = sample;
    s->failed_field = field;
    s->err = *err;
}

/* --- the reader --- */

/* Under the lock, as is the caller. */
static void end_reading(struct loader *l, struct loader_slot *s, int rc, const struct err *err) {
    s->failed = s->n;
    if (rc) {
        s->failed = -1;
        s->failed_field = -1;
        s->err = *err;
    }
    s->read = true;
    s->encoded_bytes = 0;
    for (int i = 0; i < l->n_fields; i++)
        s->encoded_bytes += s->buffer[i].room;
    if (rc || !s->n)
        set_ready(l, s);
    else
        pthread_cond_broadcast(&l->to_prepare);
}

static void *read_batches(void *context) {
    struct loader *l = context;

    pthread_mutex_lock(&l->lock);
    for (int64_t number = 0;; number++) {
        struct loader_slot *s = &l->slot[number % LOADER_BATCHES];
        struct err err = {0};

        while (number == l->requested && !stopped(l))
            pthread_cond_wait(&l->to_read, &l->lock);
        if (stopped(l))
            break;
        struct trace *const trace = l->trace;
        struct pulse *const pulse = l->pulse;
        const int which = l->which;
        pthread_mutex_unlock(&l->lock);
        pulse_enter(pulse, PULSE_READER, PULSE_READ, number, which);
        pulse_sample(pulse, PULSE_READER, s->n ? s->samples[0] : -1);
        const double begin = clock_now();
        const struct prepare_batch b = loader_batch_of(l, s);
        pthread_mutex_lock(&l->dataset_lock);
        const int rc = prepare_read(&l->prepare, &b, &l->stop, &err);
        pthread_mutex_unlock(&l->dataset_lock);
        trace_add(trace, &(struct trace_event){TRACE_READ, TRACE_READER, (int32_t)number, 0, begin,
                                               clock_now()});
        pulse_enter(pulse, PULSE_READER, PULSE_IDLE, number, which);
        pthread_mutex_lock(&l->lock);
        end_reading(l, s, rc, &err);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* --- workers --- */

/* The oldest batch of which samples are to be had; of one that failed nothing more is prepared.
 * Under the lock. */
static struct loader_slot *find_work(struct loader *l) {
    const int64_t oldest = l->requested > LOADER_BATCHES ? l->requested - LOADER_BATCHES : 0;

    for (int64_t b = oldest; b < l->requested; b++) {
        struct loader_slot *s = &l->slot[b % LOADER_BATCHES];

        if (s->read && s->failed == s->n && s->taken < s->n)
            return s;
    }
    return NULL;
}

/* Prepare samples from..to - 1. Returns the first that failed, or `to`. */
static int64_t prepare_run(struct loader_worker *w, const struct prepare_batch *b, int64_t from,
                           int64_t to, int *field, struct err *err) {
    struct loader *l = w->loader;

    for (int64_t i = from; i < to && !stopped(l); i++)
        if (prepare_sample(&l->prepare, b, i, &w->scratch, field, err))
            return i;
    return to;
}

/* Who is done last with the samples that were taken: the batch is ready once it is mixed, or its
 * failure is. Under the lock, but for mixing and for reading a name. */
static void end_batch(struct loader *l, struct loader_slot *s) {
    if (s->failed < s->n) {
        const struct prepare_batch b = loader_batch_of(l, s);

        pthread_mutex_unlock(&l->lock);
        pthread_mutex_lock(&l->dataset_lock);
        prepare_explain(&l->prepare, &b, s->failed, s->failed_field, &s->err);
        pthread_mutex_unlock(&l->dataset_lock);
        pthread_mutex_lock(&l->lock);
    } else if (l->mix.mixes || l->mix.n_classes) {
        const struct prepare_batch b = loader_batch_of(l, s);

        pthread_mutex_unlock(&l->lock);
        mix_run(&l->mix, &l->prepare, &b, loader_slot_len(l, s), s->out[l->prepare.n_fields]);
        pthread_mutex_lock(&l->lock);
    }
    set_ready(l, s);
}

static size_t room_bytes(const struct image_room *room) {
    size_t bytes = 0;

    for (int i = 0; i < IMAGE_ROOM_SHELVES; i++)
        bytes += room->len[i];
    return bytes;
}

/* Take a run of samples and prepare it. Under the lock, but for that. */
static void work_on(struct loader_worker *w, struct loader_slot *s) {
    struct loader *l = w->loader;
    const struct prepare_batch b = loader_batch_of(l, s);
    const int64_t run = s->n / ((int64_t)l->n_workers * RUNS_PER_WORKER) + 1;
    const int64_t from = s->taken, to = from + run < s->n ? from + run : s->n;
    struct trace *const trace = l->trace;
    struct err err = {0};
    int field = 0;

    s->taken = to;
    pthread_mutex_unlock(&l->lock);
    const double begin = clock_now();
    const int64_t failed = prepare_run(w, &b, from, to, &field, &err);
    trace_add(trace,
              &(struct trace_event){TRACE_PREPARE, TRACE_WORKERS + (int32_t)(w - l->worker),
                                    (int32_t)from, (int32_t)(to - from), begin, clock_now()});
    pthread_mutex_lock(&l->lock);
    if (failed < to)
        fail(s, failed, field, &err);
    s->prepared += to - from;
    w->room_bytes = room_bytes(&w->scratch.room);
    if (s->prepared == (s->failed < s->n ? s->taken : s->n))
        end_batch(l, s);
}

/* On Linux a priority is a thread's own. A refusal only costs speed. */
static void yield_processors(void) {
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + WORKER_NICE);
}

static void *work(void *context) {
    struct loader_worker *w = context;
    struct loader *l = w->loader;

    yield_processors();
    pthread_mutex_lock(&l->lock);
    while (!stopped(l)) {
        struct loader_slot *s = find_work(l);

        if (s)
            work_on(w, s);
        else
            pthread_cond_wait(&l->to_prepare, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* --- all of them --- */

static int refused(const char *what, int code, struct err *err) {
    return err_set(err, ERR_IO, "cannot start the thread that %s: %s", what, strerror(code));
}

int loader_start(struct loader *l, struct err *err) {
    int code;

    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->dataset_lock, NULL);
    pthread_cond_init(&l->to_read, NULL);
    pthread_cond_init(&l->to_prepare, NULL);
    pthread_cond_init(&l->to_give, NULL);
    if ((code = pthread_create(&l->reader, NULL, read_batches, l)))
        return refused("reads", code, err);
    l->reads = true;
    for (; l->n_started < l->n_workers; l->n_started++) {
        struct loader_worker *w = &l->worker[l->n_started];

        if ((code = pthread_create(&w->thread, NULL, work, w)))
            return refused("prepares samples", code, err);
    }
    return 0;
}

void loader_stop(struct loader *l) {
    atomic_store(&l->stop, true);
    pthread_mutex_lock(&l->lock);
    pthread_cond_broadcast(&l->to_read);
    pthread_cond_broadcast(&l->to_prepare);
    pthread_mutex_unlock(&l->lock);
    if (l->reads)
        pthread_join(l->reader, NULL);
    for (int i = 0; i < l->n_started; i++)
        pthread_join(l->worker[i].thread, NULL);
    pthread_cond_destroy(&l->to_give);
    pthread_cond_destroy(&l->to_prepare);
    pthread_cond_destroy(&l->to_read);
    pthread_mutex_destroy(&l->dataset_lock);
    pthread_mutex_destroy(&l->lock);
}
