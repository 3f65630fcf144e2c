/* loader.h - batches that are read, decoded and augmented while the network works on others: by one
 * thread that reads batch after batch, ahead, and by workers that prepare samples, each straight
 * into its place in the batch. What is in a batch does not depend on the number of workers.
 *
 *   loader_request(b0); loader_request(b1);
 *   loader_wait -> b0; ... train on b0 ...; loader_release_batch; loader_request(b2);
 *   loader_wait -> b1; ...
 *
 * All calls come from one thread. After loader_new nothing is allocated but memory for encoded
 * pictures, which grows to the largest batch of them and the largest picture. The loader's threads
 * run where their creator may: make loaders before a team pins the calling thread to a processor.
 * Workers leave a processor to whoever else wants it, and sleep while there is nothing to do. */
#pragma once
#include "core/base/err.h"
#include "core/base/pulse.h"
#include "core/base/tensor.h"
#include "core/base/trace.h"
#include "core/base/word.h"
#include "io/dataset/dataset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOADER_BATCHES = 3, /* requested and not yet released: one is trained on, one is prepared, one
                         * is read */
    LOADER_MAX_FIELDS = DATASET_MAX_FIELDS + 1, /* those of the dataset, and target of mix.h */
};

struct loader;

struct loader_config {
    struct dataset *dataset;        /* borrowed until loader_free, and nobody else's until then */
    const struct applied *pipeline; /* [n_pipeline] words of augment_find(); borrowed likewise */
    int n_pipeline;
    uint64_t seed;
    bool training;     /* false: nothing is random, see augment.h */
    bool reduced;      /* see struct image_piece */
    int64_t max_batch; /* samples; largest n of a request */
    int workers;       /* threads that prepare; 0: one; no more than a batch has samples */
};

/* A field as the network sees it. */
struct loader_field {
    const char *name;    /* "image", "label" */
    struct shape sample; /* without the batch dimension; rank 0: one number a sample */
    enum dataset_kind kind;
    int n_classes;               /* of DATASET_CLASS, -1: not known; 0 for other kinds */
    const int64_t *class_counts; /* [n_classes] how often each occurs in the dataset */
};

struct loader_batch {
    int64_t n; /* samples */
    /* As loader_field(i): [n, sample], 64-byte aligned; belongs to the loader, until the batch is
     * released. In `classes` where the field is DATASET_CLASS, else in `field`; NULL in the other.
     */
    const float *field[LOADER_MAX_FIELDS];
    const int32_t *classes[LOADER_MAX_FIELDS];
    const struct loader *loader; /* whose batch it is; NULL: made up */
    int64_t number;              /* of its request */
};

/* Check the pipeline against the dataset, allocate, start the threads.
 * Errors: ERR_CONFIG from the pipeline; ERR_IO when memory or a thread is refused. */
int loader_new(struct loader **out, const struct loader_config *config, struct err *err);

/* The fields of every batch, in the dataset's order; where the pipeline mixes samples that have a
 * label, `target` is the last: [classes], the share of each class. Borrowed until loader_free. */
int loader_n_fields(const struct loader *loader);
const struct loader_field *loader_field(const struct loader *loader, int i);

/* What the dataset is called. */
const char *loader_name(const struct loader *loader);

/* Have a batch prepared. Returns at once.
 *   samples  [n] indices into the dataset, copied; n <= max_batch; may be 0
 *   visits   [n] how often the epoch had each sample before, copied; NULL: never
 *   epoch    what randomness depends on, with seed, sample and visit
 * At most LOADER_BATCHES are requested and not released; more abort, as a mistake of the caller. */
void loader_request(struct loader *loader, const int64_t *samples, const int32_t *visits, int64_t n,
                    int64_t epoch);

/* The sample that the last one of a batch is mixed with, where the pipeline mixes: the next one of
 * the whole step, whose last is followed by its first. */
struct loader_partner {
    int64_t sample;
    int32_t visit;
};

/* The same of a part of a step; loader_request's is the step itself. Without a mixing word the
 * partner is nothing. */
void loader_request_part(struct loader *loader, const int64_t *samples, const int32_t *visits,
                         int64_t n, const struct loader_partner *partner, int64_t epoch);

/* Wait for the oldest request that was not waited for yet.
 * Errors: what the threads ran into with that batch (ERR_IO, ERR_DATA), of pictures that cannot be
 * decoded the first in the batch, by its name; the batch then counts as waited for, and is released
 * as any other. */
int loader_wait(struct loader *loader, struct loader_batch *out, struct err *err);

/* The row of the dataset that field `field` of sample i of a batch is, while the batch is not
 * released: the sample itself, but of unpaired fields. */
int64_t loader_batch_row(const struct loader_batch *batch, int field, int64_t i);

/* Look for a number in a batch that is not finite, while the batch is not released: "field image of
 * sample 3 of a.h5:train is nan at [0, 0, 0]" to text[len], the place as the network sees it.
 * false where all are finite, and of batches that are made up. Cost: one pass over the batch. */
bool loader_batch_not_finite(const struct loader_batch *batch, char *text, size_t len);

/* Give the memory of the oldest batch that was waited for back to the loader. */
void loader_release_batch(struct loader *loader);

/* Seconds that loader_wait has waited so far, in sum. */
double loader_wait_seconds(const struct loader *loader);

/* How many threads prepare samples. */
int loader_n_workers(const struct loader *loader);

/* Keep what the threads do in a trace, borrowed until loader_free. */
void loader_trace(struct loader *loader, struct trace *trace);

/* From now on the thread that reads says in a pulse, borrowed until loader_free, what it reads, and
 * which loader it is. */
void loader_say_to(struct loader *loader, struct pulse *pulse, int which);

/* Bytes that the loader holds: its batches, what its workers need, and room for encoded pictures as
 * large as it has become so far. */
int64_t loader_bytes(struct loader *loader);

/* End the threads, at any moment, and free everything. NULL is fine. */
void loader_free(struct loader *loader);
