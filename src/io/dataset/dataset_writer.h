/* dataset_writer.h - writes a dataset file as docs/data.md describes it, split by split. The file
 * appears under its name only when it is complete. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"
#include "io/dataset/dataset.h"

#include <stdint.h>

struct dataset_writer;

/* Write to path.tmp for now. Errors: those of dataset_file_init. */
int dataset_writer_new(struct dataset_writer **out, const char *path, struct err *err);

/* A dataset of a split. */
struct writer_field {
    const char *name; /* of the dataset: "images", "mask" */
    /* DATASET_BYTES: unsigned char [h, w, c] or [d, h, w, c]; DATASET_REALS: float of any shape;
     * DATASET_CLASS of rank 0, or where `wide`: int32_t; else, maps: unsigned char [h, w] or
     * [d, h, w], 255: does not count. */
    enum dataset_kind kind;
    struct shape sample;
    int n_classes; /* of class maps: their names are their numbers, where class_name is NULL */
    const char *const *class_name; /* [n_classes], borrowed until the last split is finished */
    bool wide;                     /* classes of places, int32_t, of which there may be many */
    bool unpaired;
    bool measured;    /* floats: mean and std of the last dimension's channels are attributes */
    const char *says; /* attribute kind: "image", "class" or "real"; NULL: by name and type */
};

/* Begin the group `name` with these fields. Mean and standard deviation of images, in every split,
 * are those of the first split. */
int dataset_writer_fields(struct dataset_writer *writer, const char *name,
                          const struct writer_field *fields, int n, struct err *err);

/* Add rows[n, sample] to field i of the split. */
int dataset_writer_add(struct dataset_writer *writer, int i, const void *rows, int64_t n,
                       struct err *err);

/* Give field i of the split an attribute: what its numbers are called, or facts of it as numbers.
 */
int dataset_writer_texts(struct dataset_writer *writer, int i, const char *name,
                         const char *const *texts, int n, struct err *err);
int dataset_writer_reals(struct dataset_writer *writer, int i, const char *name,
                         const double *values, int n, struct err *err);

/* Begin the group `name` for images of sample [h, w, c], bytes, and labels. */
int dataset_writer_split(struct dataset_writer *writer, const char *name,
                         const struct shape *sample, struct err *err);

/* Add images[n, h, w, c] and labels[n] to the split. */
int dataset_writer_append(struct dataset_writer *writer, const unsigned char *images,
                          const int32_t *labels, int64_t n, struct err *err);

/* Add the attributes, bring the file to the disk and give it its name.
 *   classes  [n_classes] names; n_classes 0: none */
int dataset_writer_finish(struct dataset_writer *writer, const char *const *classes, int n_classes,
                          struct err *err);

/* An unfinished file is removed. NULL is fine. */
void dataset_writer_free(struct dataset_writer *writer);
