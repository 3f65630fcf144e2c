/* dataset.h - one split of a labelled image dataset in an HDF5 file: docs/data.md is the layout.
 * Everything that can be wrong with it is found by dataset_open. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"

#include <stdbool.h>
#include <stdint.h>

enum { DATASET_FIELD_NAME = 32 };

#define DATASET_CACHE_BYTES ((int64_t)1 << 30)

enum dataset_kind {
    DATASET_BYTES = 1, /* unsigned char, 0 .. 255 */
    DATASET_REALS,     /* float, as stored */
    DATASET_CLASS,     /* int32_t, 0 .. dataset_n_classes - 1 */
};

/* What a sample consists of, under the names that the job language uses. */
struct dataset_field {
    char name[DATASET_FIELD_NAME]; /* "image", "label" */
    struct shape sample;           /* image: [h, w, c]; label: rank 0, one number */
    enum dataset_kind kind;
};

struct dataset;

/* Open "path:group", as in data/cifar10.h5:train; "path" alone where there is one group, or none.
 *   cache_bytes  images are kept in memory if they take at most so much, else read per batch;
 *                DATASET_CACHE_BYTES is the usual choice, 0 never keeps them
 * Errors: ERR_IO or ERR_DATA, beginning with the path, naming what was found and what was expected.
 * Cost: reads all labels, and all images where they are kept. */
int dataset_open(struct dataset **out, const char *spec, int64_t cache_bytes, struct err *err);

/* NULL is fine. */
void dataset_close(struct dataset *ds);

/* The spec it was opened with, "data/x.h5:train"; for messages. */
const char *dataset_name(const struct dataset *ds);

/* Number of samples, at least 1. */
int64_t dataset_len(const struct dataset *ds);

/* The fields of a sample: field 0 is the image, field 1 the label where there are labels. */
int dataset_n_fields(const struct dataset *ds);
const struct dataset_field *dataset_field(const struct dataset *ds, int i);

/* The field of that name, or NULL. */
const struct dataset_field *dataset_find_field(const struct dataset *ds, const char *name);

/* [h, w, c] of an image, whatever order the file has. */
struct shape dataset_sample_shape(const struct dataset *ds);

/* Number of classes: of class names where the file has them, else 1 + the largest label;
 * 0 without labels. */
int dataset_n_classes(const struct dataset *ds);

/* The same for field i: 0 where it is no class; and how often each of them occurs, [classes], NULL
 * where it is no class. */
int dataset_field_classes(const struct dataset *ds, int i);
const int64_t *dataset_class_counts(const struct dataset *ds, int i);

/* Name of class i: from the file, else its number as text. Borrowed. */
const char *dataset_class_name(const struct dataset *ds, int i);

/* Per channel, [c], of pixel values scaled to 0 .. 1 (of float images as stored); NULL where the
 * file does not say. Both or none. */
const float *dataset_mean(const struct dataset *ds);
const float *dataset_std(const struct dataset *ds);

/* xxh3 of shapes, stored types, class names and all labels: a checkpoint is resumed on the same
 * data only. */
uint64_t dataset_fingerprint(const struct dataset *ds);

/* All labels, [len], 0 <= label < n_classes; NULL without labels. Borrowed. */
const int32_t *dataset_labels(const struct dataset *ds);

/* Are the images in memory, so that reading cannot fail or wait? */
bool dataset_in_memory(const struct dataset *ds);

/* Copy images index[0 .. n-1] (each 0 <= index < len, any order, repeats allowed) to
 * out[n, h, w, c]: unsigned char or float as the image field's kind says. Not for two threads at
 * a time on one dataset. Errors: ERR_IO when the file cannot be read any more. */
int dataset_read_images(struct dataset *ds, const int64_t *index, int64_t n, void *out,
                        struct err *err);
