/* loader_private.h - what a loader is, for those who make it, call it, and work in it. */
#pragma once
#include "core/base/arena.h"
#include "io/loader/loader.h"
#include "io/loader/mix.h"
#include "io/loader/prepare.h"

#include <pthread.h>
#include <stdatomic.h>

/* A batch from its request to its release. */
struct loader_slot {
    int64_t *samples; /* [max_batch] */
    int32_t *visits;  /* [max_batch] */
    int64_t n, epoch; /* n: to be prepared, with the partner of the last where there is one */
    void *raw[LOADER_MAX_FIELDS]; /* as struct prepare_batch */
    struct dataset_blob *blob[LOADER_MAX_FIELDS];
    struct dataset_buffer buffer[LOADER_MAX_FIELDS];
    void *out[LOADER_MAX_FIELDS]; /* [max_batch, sample] of 4 bytes */

    /* Under the lock: */
    bool read, ready;
    size_t encoded_bytes;    /* of the buffers */
    int64_t taken, prepared; /* samples that workers have begun, and are done with */
    /* The first sample that failed; n: none. As samples are taken in their order, all before it are
     * taken, too: the lowest of all that fail is found however many workers there are. */
    int64_t failed;
    int failed_field; /* -1: reading failed, and err says it all */
    struct err err;
};

struct loader_worker {
    struct loader *loader;
    struct prepare_scratch scratch;
    size_t room_bytes; /* of scratch.room; under the lock */
    pthread_t thread;
};

/* Batches are numbered from 0 in the order of their requests; batch b is in slot
 * b % LOADER_BATCHES. released <= waited <= requested <= released + LOADER_BATCHES. */
struct loader {
    struct dataset *dataset;
    struct prepare prepare;
    struct mix mix;
    int n_fields;
    struct loader_field field[LOADER_MAX_FIELDS];
    int64_t max_batch; /* most samples that a slot prepares */

    struct arena arena;
    struct loader_slot slot[LOADER_BATCHES];
    int64_t *rows; /* the reader's, as struct prepare_batch */
    int n_workers; /* there are; */
    int n_started; /* of these run */
    struct loader_worker *worker;

    pthread_t reader;
    bool reads; /* the reader runs */
    pthread_mutex_t lock;
    pthread_cond_t to_read, to_prepare, to_give; /* for the reader, workers, loader_wait */
    pthread_mutex_t dataset_lock;                /* of who reads the dataset */
    int64_t requested;                           /* under the lock */
    int64_t waited, released;                    /* written by the caller only */
    struct trace *trace;                         /* under the lock; NULL: nobody looks */
    struct pulse *pulse;                         /* likewise */
    int which;                                   /* of the pulse's readers */
    atomic_bool stop;
    double wait_s;
};

/* Samples of a slot that are given. */
static inline int64_t loader_slot_len(const struct loader *l, const struct loader_slot *s) {
    return s->n - (s->n && l->mix.mixes);
}

/* What is to be prepared in a slot, and where. */
struct prepare_batch loader_batch_of(const struct loader *l, struct loader_slot *s);

/* Take the memory of everything but encoded pictures. Errors: ERR_IO. */
int loader_allocate(struct loader *l, struct err *err);

/* Give all memory back, once no thread runs. */
void loader_release(struct loader *l);

/* Start the threads. Errors: ERR_IO; those that run then are for loader_stop. */
int loader_start(struct loader *l, struct err *err);

/* End the threads that run, whatever they do. */
void loader_stop(struct loader *l);
