/* dataset_private.h - what opening and reading a dataset share. */
#pragma once
#include "io/dataset.h"
#include "io/h5.h"

struct wanted {
    int64_t row, at; /* in the file, in the batch */
};

struct dataset {
    char *name;
    struct h5 *file;        /* NULL where the images are in memory */
    struct h5_data *images; /* likewise */
    struct dataset_field field[2];
    int n_fields;
    int64_t len;
    size_t sample_bytes; /* of one image */
    bool channels_first; /* in the file: [n, c, h, w] */
    int n_classes;
    char **class_name; /* [n_classes] */
    float *mean, *std; /* [c] or NULL */
    int32_t *labels;   /* [len] or NULL */
    int64_t *counts;   /* [n_classes] of labels */
    uint64_t fingerprint;
    unsigned char *pixels; /* [len, h, w, c]; NULL: not kept */
    unsigned char *run;    /* dataset_run_rows images as in the file */
    struct wanted *wanted; /* [most_wanted] */
    int64_t most_wanted;
};

/* How many images are read at a time at most. */
int64_t dataset_run_rows(const struct dataset *ds);

/* Read all images to ds->pixels. */
int dataset_load(struct dataset *ds, struct err *err);
