#include "io/loader/loader.h"
#include "core/base/clock.h"
#include "core/base/arena.h"
#include "io/loader/prepare.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A batch from its request to its release. */
struct slot {
    int64_t *samples; /* [max_batch] */
    int32_t *visits;  /* [max_batch] */
    int64_t n, epoch;
    void *field[LOADER_MAX_FIELDS]; /* [max_batch, sample] of 4 bytes */
    bool failed;
    struct err err;
};

/* Batches are numbered from 0 in the order of their requests; batch b is in slot
 * b % LOADER_BATCHES. released <= waited <= done <= requested <= released + LOADER_BATCHES. */
struct loader {
    struct dataset *dataset;
    struct prepare prepare;
    int n_fields;
    struct loader_field field[LOADER_MAX_FIELDS];
    int64_t max_batch;

    struct arena arena;
    struct slot slot[LOADER_BATCHES];
    void *raw; /* the thread's: as struct prepare_batch */
    int64_t *rows;
    float *scratch;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, ready; /* for the thread; for loader_wait */
    int64_t requested, done;    /* under the lock, as is: */
    int64_t waited, released;   /* written by the caller only */
    atomic_bool stop;
    double wait_s;
};

/* What is to be prepared in a slot, and where. */
static struct prepare_batch batch_of(const struct loader *l, const struct slot *s) {
    struct prepare_batch b = {s->samples, s->visits, s->n,       s->epoch,
                              l->rows,    l->raw,    l->scratch, {0}};

    memcpy(b.out, s->field, sizeof b.out);
    return b;
}

static void prepare(struct loader *l, struct slot *s) {
    const struct prepare_batch b = batch_of(l, s);

    s->failed = prepare_run(&l->prepare, &b, &l->stop, &s->err) != 0;
}

static void *run(void *context) {
    struct loader *l = context;

    pthread_mutex_lock(&l->lock);
    for (;;) {
        while (l->done == l->requested && !atomic_load(&l->stop))
            pthread_cond_wait(&l->wake, &l->lock);
        if (atomic_load(&l->stop))
            break;
        struct slot *s = &l->slot[l->done % LOADER_BATCHES];
        pthread_mutex_unlock(&l->lock);
        prepare(l, s);
        pthread_mutex_lock(&l->lock);
        l->done++;
        pthread_cond_signal(&l->ready);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* Bytes of n items each of len numbers; 0 when that is more than memory can be. */
static size_t bytes_of(int64_t n, int64_t len, size_t item) {
    const int64_t most = INT64_MAX / 64 / (int64_t)item; /* a handful of these are added */

    if (len > 0 && n > most / len)
        return 0;
    return arena_round((size_t)(n * len) * item);
}

static int64_t sample_len(const struct loader_field *f) {
    return f->sample.rank ? shape_len(&f->sample) : 1;
}

/* One block for everything a batch needs. */
static int allocate(struct loader *l, struct err *err) {
    const int64_t n = l->max_batch;
    const size_t raw = bytes_of(n, l->prepare.raw_bytes, 1), rows = bytes_of(n, 1, sizeof *l->rows);
    const size_t scratch = bytes_of(1, l->prepare.scratch_len, sizeof(float));
    const size_t visits = bytes_of(n, 1, sizeof(int32_t));
    size_t field[LOADER_MAX_FIELDS], slot = rows + visits;
    bool fits = raw && rows && visits && (scratch || !l->prepare.scratch_len);

    for (int i = 0; i < l->n_fields; i++) {
        field[i] = bytes_of(n, sample_len(&l->field[i]), sizeof(float));
        fits = fits && field[i];
        slot += field[i];
    }
    if (n && !fits)
        return err_set(err, ERR_IO, "not enough memory for batches of %" PRId64, n);
    if (arena_init(&l->arena, raw + rows + scratch + LOADER_BATCHES * slot, err))
        return -1;
    l->raw = arena_take(&l->arena, raw);
    l->rows = arena_take(&l->arena, rows);
    l->scratch = arena_take(&l->arena, scratch);
    for (int i = 0; i < LOADER_BATCHES; i++) {
        l->slot[i].samples = arena_take(&l->arena, rows);
        l->slot[i].visits = arena_take(&l->arena, visits);
        for (int k = 0; k < l->n_fields; k++)
            l->slot[i].field[k] = arena_take(&l->arena, field[k]);
    }
    return 0;
}

static void release(struct loader *l) {
    arena_release(&l->arena);
    free(l);
}

static int start(struct loader *l, struct err *err) {
    int failed;

    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->wake, NULL);
    pthread_cond_init(&l->ready, NULL);
    failed = pthread_create(&l->thread, NULL, run, l);
    return failed ? err_set(err, ERR_IO, "cannot start the loader's thread: %s", strerror(failed))
                  : 0;
}

static void name_fields(struct loader *l) {
    for (; l->n_fields < dataset_n_fields(l->dataset); l->n_fields++) {
        const struct dataset_field *f = dataset_field(l->dataset, l->n_fields);

        l->field[l->n_fields] = (struct loader_field){
            .name = f->name,
            .sample = l->prepare.field[l->n_fields].sample,
            .kind = f->kind,
            .n_classes = dataset_field_classes(l->dataset, l->n_fields),
            .class_counts = dataset_class_counts(l->dataset, l->n_fields),
        };
    }
}

int loader_new(struct loader **out, const struct loader_config *config, struct err *err) {
    struct dataset *ds = config->dataset;
    struct loader *l = calloc(1, sizeof *l);

    if (!l)
        return err_set(err, ERR_IO, "not enough memory for a loader");
    l->dataset = ds;
    l->max_batch = config->max_batch;
    if (prepare_init(&l->prepare, ds, config->pipeline, config->n_pipeline, config->seed,
                     config->training, err)) {
        free(l);
        return err_wrap(err, "%s", dataset_name(ds));
    }
    name_fields(l);
    if (allocate(l, err) || start(l, err)) {
        release(l);
        return err_wrap(err, "%s", dataset_name(ds));
    }
    *out = l;
    return 0;
}

int loader_n_fields(const struct loader *loader) {
    return loader->n_fields;
}

const struct loader_field *loader_field(const struct loader *loader, int i) {
    return &loader->field[i];
}

const char *loader_name(const struct loader *loader) {
    return dataset_name(loader->dataset);
}

int64_t loader_batch_row(const struct loader_batch *batch, int field, int64_t i) {
    const struct loader *l = batch->loader;
    const struct prepare_batch b = batch_of(l, &l->slot[batch->number % LOADER_BATCHES]);

    return prepare_row(&l->prepare, &b, field, i);
}

/* A mistake of the caller, which no message to a user can mend. */
static void insist(bool held, const char *what) {
    if (held)
        return;
    fprintf(stderr, "loader: %s\n", what);
    abort();
}

void loader_request(struct loader *loader, const int64_t *samples, const int32_t *visits, int64_t n,
                    int64_t epoch) {
    struct slot *s = &loader->slot[loader->requested % LOADER_BATCHES];

    insist(loader->requested < loader->released + LOADER_BATCHES, "more batches than slots");
    insist(n >= 0 && n <= loader->max_batch, "a batch is larger than max_batch");
    s->n = n;
    s->epoch = epoch;
    if (n)
        memcpy(s->samples, samples, (size_t)n * sizeof *samples);
    for (int64_t i = 0; i < n; i++)
        s->visits[i] = visits ? visits[i] : 0;
    pthread_mutex_lock(&loader->lock);
    loader->requested++;
    pthread_cond_signal(&loader->wake);
    pthread_mutex_unlock(&loader->lock);
}

int loader_wait(struct loader *loader, struct loader_batch *out, struct err *err) {
    const double begin = clock_now();

    insist(loader->waited < loader->requested, "waits for a batch that was not requested");
    pthread_mutex_lock(&loader->lock);
    while (loader->done <= loader->waited)
        pthread_cond_wait(&loader->ready, &loader->lock);
    pthread_mutex_unlock(&loader->lock);
    loader->wait_s += clock_now() - begin;

    const int64_t number = loader->waited++;
    const struct slot *s = &loader->slot[number % LOADER_BATCHES];
    if (s->failed) {
        *err = s->err;
        return -1;
    }
    *out = (struct loader_batch){.n = s->n, .loader = loader, .number = number};
    for (int i = 0; i < loader->n_fields; i++)
        if (loader->field[i].kind == DATASET_CLASS)
            out->classes[i] = s->field[i];
        else
            out->field[i] = s->field[i];
    return 0;
}

void loader_release_batch(struct loader *loader) {
    insist(loader->released < loader->waited, "releases a batch that was not waited for");
    loader->released++;
}

double loader_wait_seconds(const struct loader *loader) {
    return loader->wait_s;
}

void loader_free(struct loader *loader) {
    if (!loader)
        return;
    atomic_store(&loader->stop, true);
    pthread_mutex_lock(&loader->lock);
    pthread_cond_signal(&loader->wake);
    pthread_mutex_unlock(&loader->lock);
    pthread_join(loader->thread, NULL);
    pthread_cond_destroy(&loader->ready);
    pthread_cond_destroy(&loader->wake);
    pthread_mutex_destroy(&loader->lock);
    release(loader);
}
