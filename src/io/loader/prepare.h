/* prepare.h - what happens to each field of a sample between the dataset and the network: images
 * go through the pipeline, masks move along with the first image, everything else is copied. */
#pragma once
#include "io/augment/augment.h"
#include "io/dataset/dataset.h"

#include <stdatomic.h>

/* One field. */
struct prepare_field {
    bool augmented;           /* through plan; otherwise copied */
    struct augment_plan plan; /* of [h, w, c], where the field's own shape may be [h, w] */
    struct shape sample;      /* as the network sees it; rank 0: one number */
};

struct prepare {
    struct dataset *dataset; /* borrowed */
    uint64_t seed;
    bool training;
    int n_fields;
    struct prepare_field field[DATASET_MAX_FIELDS];
    int64_t scratch_len; /* floats */
    int64_t raw_bytes;   /* of one sample of the largest field, as it is read */
};

/* Where a batch is made. */
struct prepare_batch {
    const int64_t *samples; /* [n] */
    const int32_t *visits;  /* [n] how often the epoch had each before; NULL: never */
    int64_t n, epoch;
    int64_t *rows;  /* [n], scratch */
    void *raw;      /* [n, raw_bytes], scratch */
    float *scratch; /* [scratch_len] */
    /* [n, sample] of each field: int32_t of classes, float of all others */
    void *out[DATASET_MAX_FIELDS];
};

/* Plan the pipeline for every field; nothing to release.
 * Errors: ERR_CONFIG in the words of the pipeline, naming the field where it is not the image. */
int prepare_init(struct prepare *p, struct dataset *dataset, const struct applied *pipeline, int n,
                 uint64_t seed, bool training, struct err *err);

/* Which row of a field goes with sample i of a batch. */
int64_t prepare_row(const struct prepare *p, const struct prepare_batch *b, int field, int64_t i);

/* Read and augment a batch; gives up in the middle, as if done, when *stop is set.
 * Errors: reading failed. */
int prepare_run(const struct prepare *p, const struct prepare_batch *b, const atomic_bool *stop,
                struct err *err);
