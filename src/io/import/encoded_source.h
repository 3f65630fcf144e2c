/* encoded_source.h - where pictures that are kept encoded come from: files, or a generator. */
#pragma once
#include "core/base/err.h"
#include "io/import/import_seen.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sums over decoded pixels, as red, green, blue, and as grey; whole numbers, so that they are exact
 * in any order: 2^64 / 255^2 pixels fit. */
struct encoded_tally {
    uint64_t n_pixels, sum[4], squares[4];
};

/* One picture as it will be stored. {0} is releasable by free(bytes). */
struct encoded_sample {
    unsigned char *bytes; /* [len], owned */
    int64_t len;
    int channels;            /* that it has as stored, 1 or 3 */
    bool recoded;            /* it is no longer the file that it was, but a JPEG */
    bool converted;          /* which the file was not */
    struct import_seen seen; /* of the picture as it was */
    struct encoded_tally tally;
};

struct encoded_source_split {
    const char *name; /* of the group */
    int64_t n;
};

/* Samples are numbered within each split. All functions may be called by several threads. */
struct encoded_source {
    const void *context;
    int n_splits;
    const struct encoded_source_split *split; /* [n_splits]; mean and std are those of the first */
    const char *const *class_name;            /* [n_classes] */
    int n_classes;
    /* All that decides what a sample becomes, but the sample itself: another number, other bytes.
     */
    uint64_t options;
    /* What a sample is called, for as long as the source lives, and its class. */
    const char *(*name)(const void *context, int split, int64_t i);
    int32_t (*class)(const void *context, int split, int64_t i);
    /* Another number where the sample may be another than it was. */
    uint64_t (*identity)(const void *context, int split, int64_t i);
    /* How many bytes it will have at most, about. */
    int64_t (*about)(const void *context, int split, int64_t i);
    /* Make the bytes that are stored. Errors: ERR_DATA where it is broken, which may be skipped;
     * ERR_IO. What is in *out then is released by the caller. */
    int (*make)(const void *context, int split, int64_t i, struct encoded_sample *out,
                struct err *err);
};

/* Add the pixels[n, channels] of a picture, 1 or 3 channels. */
void encoded_tally_pixels(struct encoded_tally *tally, const unsigned char *pixels, int64_t n,
                          int channels);

/* Write the dataset file `target` in the layout of encoded images, by options->threads. What has
 * been done is kept in the folder target.import, from which the next call goes on, however this one
 * ended. The file depends on the source alone. Adds to result.
 * Errors: the source's, ERR_IO; ERR_STOPPED where options->progress.stopped says so. */
int import_encoded(const struct encoded_source *source, const char *target,
                   const struct import_options *options, struct import_result *result,
                   struct err *err);
