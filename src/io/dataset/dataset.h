/* dataset.h - one split of a dataset in an HDF5 file: docs/data.md is the layout. A sample has up
 * to DATASET_MAX_FIELDS fields: an image, a label, a mask, another image ... Everything that can be
 * wrong with it is found by dataset_open. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"

#include <stdbool.h>
#include <stdint.h>

enum { DATASET_FIELD_NAME = 32, DATASET_MAX_FIELDS = 8 };

#define DATASET_CACHE_BYTES ((int64_t)1 << 30)

enum dataset_kind {
    DATASET_BYTES = 1, /* unsigned char, 0 .. 255 */
    DATASET_REALS,     /* float, as stored */
    DATASET_CLASS,     /* int32_t, 0 .. classes - 1, and -1: does not count */
};

/* One thing that a sample consists of, under the name that the job language uses. */
struct dataset_field {
    char name[DATASET_FIELD_NAME]; /* "image", "label" */
    struct shape sample;           /* image: [h, w, c]; mask: [h, w]; rank 0: one number */
    enum dataset_kind kind;
    bool image;    /* [h, w, c] to look at: what brightens images brightens it */
    bool unpaired; /* row i does not belong to sample i, and rows may differ from dataset_len */
    int64_t rows;
};

struct dataset;

/* Open "path:group", as in data/cifar10.h5:train; "path" alone where there is one group, or none.
 *   cache_bytes  fields are kept in memory if they take at most so much together, else read per
 *                batch; DATASET_CACHE_BYTES is the usual choice, 0 never keeps them
 * Errors: ERR_IO or ERR_DATA, beginning with the path, naming what was found and what was expected.
 * Cost: reads all classes, and everything where it is kept. */
int dataset_open(struct dataset **out, const char *spec, int64_t cache_bytes, struct err *err);

/* NULL is fine. */
void dataset_close(struct dataset *ds);

/* The spec it was opened with, "data/x.h5:train"; for messages. */
const char *dataset_name(const struct dataset *ds);

/* Number of samples, at least 1. */
int64_t dataset_len(const struct dataset *ds);

/* The fields of a sample: image and label first where there are such, then the others by name. */
int dataset_n_fields(const struct dataset *ds);
const struct dataset_field *dataset_field(const struct dataset *ds, int i);

/* The number of the field of that name, or -1. */
int dataset_find_field(const struct dataset *ds, const char *name);

/* Datasets of the group that are no fields, each with the reason; "" where there are none. */
const char *dataset_ignored(const struct dataset *ds);

/* What was guessed of the fields where file, names and types left it open, a sentence a line with
 * how to say otherwise; "" where nothing was. Borrowed. */
const char *dataset_guesses(const struct dataset *ds);

/* Number of classes of field i: of class names where the file has them, else 1 + the largest; 0
 * where it is no class. */
int dataset_field_classes(const struct dataset *ds, int i);

/* How often each class of field i occurs, [classes] (pixels of maps); NULL where it is no class. */
const int64_t *dataset_class_counts(const struct dataset *ds, int i);

/* Name of a class of field i: from the file, else its number as text. Borrowed. */
const char *dataset_class_name(const struct dataset *ds, int i, int class);

/* Per channel of field i, [c], of pixel values scaled to 0 .. 1 (of floats as stored); NULL where
 * the file does not say. Both or none. */
const float *dataset_mean(const struct dataset *ds, int i);
const float *dataset_std(const struct dataset *ds, int i);

/* xxh3 of names, shapes, stored types, classes, their counts and all labels: a checkpoint is
 * resumed on the same data only. */
uint64_t dataset_fingerprint(const struct dataset *ds);

/* All labels of field i, [rows], -1 <= label < classes; NULL where it is not one class a sample.
 * Borrowed. */
const int32_t *dataset_labels(const struct dataset *ds, int i);

/* Where field i is in the file: "/train/images". Borrowed. */
const char *dataset_field_path(const struct dataset *ds, int i);

/* " at [0, 3, 1]" of number k of a sample of that shape; "" where it is the only one. Returns text.
 */
enum { DATASET_PLACE_TEXT = 128 };
const char *dataset_place(const struct shape *sample, int64_t k, char text[DATASET_PLACE_TEXT]);

/* Is everything in memory, so that reading cannot fail or wait? */
bool dataset_in_memory(const struct dataset *ds);

/* Copy rows index[0 .. n-1] (each 0 <= index < rows, any order, repeats allowed) of field i to
 * out[n, sample]: unsigned char, float or int32_t as its kind says. Not for two threads at a time
 * on one dataset. Errors: ERR_IO when the file cannot be read any more, ERR_DATA when it holds
 * other classes than it says. */
int dataset_read(struct dataset *ds, int i, const int64_t *index, int64_t n, void *out,
                 struct err *err);
