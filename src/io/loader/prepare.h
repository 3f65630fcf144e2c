/* prepare.h - what happens to each field of a sample between the dataset and the network: images
 * are decoded and go through the pipeline, masks move along with the first image, everything else
 * is copied. One thread reads a batch; then any number of them prepare its samples. */
#pragma once
#include "io/augment/augment.h"
#include "io/dataset/dataset.h"
#include "io/image/image.h"

#include <stdatomic.h>

/* One field. */
struct prepare_field {
    bool augmented;           /* through plan; otherwise copied */
    bool boxes;               /* [max, 5] that are moved as the leading image is */
    bool masks;               /* [max, h, w] of boxes, each through plan */
    struct augment_plan plan; /* of [h, w, c], where the field's own shape may be [h, w] */
    struct shape sample;      /* as the network sees it; rank 0: one number */
    /* Bytes of a sample as it is read; 0: nothing happens to it, it is read to where it is wanted,
     * or it is a file of any length. */
    int64_t raw_bytes;
};

struct prepare {
    struct dataset *dataset; /* borrowed */
    uint64_t seed;
    bool training, reduced;
    int n_fields;
    struct prepare_field field[DATASET_MAX_FIELDS];
    int model;            /* the leading image or volume, or -1 */
    int boxes;            /* 1 + the boxes that words of the pipeline look at; 0: none does */
    int focus;            /* 1 + the map in which words look for a focus; 0: none does */
    int64_t scratch_len;  /* floats */
    int64_t opened_bytes; /* of the largest piece that a picture is decoded to */
};

/* Where a batch is made. */
struct prepare_batch {
    const int64_t *samples; /* [n] */
    const int32_t *visits;  /* [n] how often the epoch had each before; NULL: never */
    int64_t n, epoch;
    int64_t *rows;                                     /* [n], scratch of who reads */
    void *raw[DATASET_MAX_FIELDS];                     /* [n, raw_bytes] of each field */
    struct dataset_blob *blob[DATASET_MAX_FIELDS];     /* [n] of encoded fields */
    struct dataset_buffer *buffer[DATASET_MAX_FIELDS]; /* their bytes */
    /* [n, sample] of each field: int32_t of classes, float of all others */
    void *out[DATASET_MAX_FIELDS];
};

/* What one thread that prepares needs of its own. */
struct prepare_scratch {
    float *floats;          /* [scratch_len] */
    unsigned char *opened;  /* [opened_bytes] */
    struct image_room room; /* {0} at first; whoever made it releases it */
};

/* How a dataset becomes batches. */
struct prepare_config {
    struct dataset *dataset;        /* borrowed */
    const struct applied *pipeline; /* [n_pipeline], borrowed */
    int n_pipeline;
    uint64_t seed;
    bool training;
    bool reduced; /* JPEGs may be decoded at 1/2, 1/4 or 1/8, see image.h */
};

/* Plan the pipeline for every field; nothing to release.
 * Errors: ERR_CONFIG in the words of the pipeline, naming the field where it is not the image. */
int prepare_init(struct prepare *p, const struct prepare_config *config, struct err *err);

/* What randomness depends on: seed, epoch, sample i of the batch and its visit. */
uint64_t prepare_key(const struct prepare *p, const struct prepare_batch *b, int64_t epoch,
                     int64_t i);

/* Which row of a field goes with sample i of a batch. */
int64_t prepare_row(const struct prepare *p, const struct prepare_batch *b, int field, int64_t i);

/* Read a batch; gives up in the middle, as if done, when *stop is set. Errors: reading failed. */
int prepare_read(const struct prepare *p, const struct prepare_batch *b, const atomic_bool *stop,
                 struct err *err);

/* Prepare sample i of a batch that is read. Several threads may, each another sample.
 * Errors: ERR_DATA, ERR_IO, the number of the field in *field: its picture cannot be decoded. What
 * the picture is called prepare_explain says. */
int prepare_sample(const struct prepare *p, const struct prepare_batch *b, int64_t i,
                   struct prepare_scratch *scratch, int *field, struct err *err);

/* Name the picture in an error of prepare_sample. Reads the dataset. */
void prepare_explain(const struct prepare *p, const struct prepare_batch *b, int64_t i, int field,
                     struct err *err);
