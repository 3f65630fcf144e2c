#include "io/dataset_private.h"

#include <stdlib.h>
#include <string.h>

enum {
    RUN_BYTES = 4 << 20,  /* read at a time at most */
    GAP_BYTES = 16 << 10, /* rather read on than start anew */
};

void dataset_close(struct dataset *ds) {
    if (!ds)
        return;
    h5_data_close(ds->images);
    h5_close(ds->file);
    h5_texts_free(ds->class_name, ds->class_name ? ds->n_classes : 0);
    free(ds->name);
    free(ds->mean);
    free(ds->std);
    free(ds->labels);
    free(ds->counts);
    free(ds->pixels);
    free(ds->run);
    free(ds->wanted);
    free(ds);
}

const char *dataset_name(const struct dataset *ds) {
    return ds->name;
}

int64_t dataset_len(const struct dataset *ds) {
    return ds->len;
}

int dataset_n_fields(const struct dataset *ds) {
    return ds->n_fields;
}

const struct dataset_field *dataset_field(const struct dataset *ds, int i) {
    return &ds->field[i];
}

const struct dataset_field *dataset_find_field(const struct dataset *ds, const char *name) {
    for (int i = 0; i < ds->n_fields; i++)
        if (strcmp(ds->field[i].name, name) == 0)
            return &ds->field[i];
    return NULL;
}

struct shape dataset_sample_shape(const struct dataset *ds) {
    return ds->field[0].sample;
}

int dataset_n_classes(const struct dataset *ds) {
    return ds->n_classes;
}

int dataset_field_classes(const struct dataset *ds, int i) {
    return ds->field[i].kind == DATASET_CLASS ? ds->n_classes : 0;
}

const int64_t *dataset_class_counts(const struct dataset *ds, int i) {
    return ds->field[i].kind == DATASET_CLASS ? ds->counts : NULL;
}

const char *dataset_class_name(const struct dataset *ds, int i) {
    return ds->class_name[i];
}

const float *dataset_mean(const struct dataset *ds) {
    return ds->mean;
}

const float *dataset_std(const struct dataset *ds) {
    return ds->std;
}

uint64_t dataset_fingerprint(const struct dataset *ds) {
    return ds->fingerprint;
}

const int32_t *dataset_labels(const struct dataset *ds) {
    return ds->labels;
}

bool dataset_in_memory(const struct dataset *ds) {
    return ds->pixels != NULL;
}

/* [c, h, w] to [h, w, c], items of `bytes` bytes. */
static void to_channels_last(const unsigned char *from, const struct shape *sample, size_t bytes,
                             unsigned char *to) {
    const size_t area = (size_t)(sample->dim[0] * sample->dim[1]);
    const size_t channels = (size_t)sample->dim[2];

    for (size_t c = 0; c < channels; c++)
        for (size_t p = 0; p < area; p++)
            memcpy(to + (p * channels + c) * bytes, from + (c * area + p) * bytes, bytes);
}

int64_t dataset_run_rows(const struct dataset *ds) {
    const int64_t rows = RUN_BYTES / (int64_t)ds->sample_bytes;

    return rows ? rows : 1;
}

/* Rows first .. first + n - 1 into ds->run, in the file's order of channels. */
static int read_run(struct dataset *ds, int64_t first, int64_t n, struct err *err) {
    const enum h5_type type = ds->field[0].kind == DATASET_BYTES ? H5_TYPE_U8 : H5_TYPE_F32;

    return h5_data_read(ds->images, first, n, type, ds->run, err);
}

/* Image i of the run to its place. */
static void take_image(const struct dataset *ds, int64_t i, unsigned char *to) {
    const unsigned char *from = ds->run + (size_t)i * ds->sample_bytes;

    if (ds->channels_first)
        to_channels_last(from, &ds->field[0].sample,
                         ds->field[0].kind == DATASET_BYTES ? 1 : sizeof(float), to);
    else
        memcpy(to, from, ds->sample_bytes);
}

int dataset_load(struct dataset *ds, struct err *err) {
    const int64_t most = dataset_run_rows(ds);
    unsigned char *pixels = malloc((size_t)ds->len * ds->sample_bytes);

    if (!pixels)
        return err_set(err, ERR_IO, "%s: no memory for its images", ds->name);
    for (int64_t first = 0; first < ds->len; first += most) {
        const int64_t n = ds->len - first < most ? ds->len - first : most;

        if (read_run(ds, first, n, err)) {
            free(pixels);
            return -1;
        }
        for (int64_t i = 0; i < n; i++)
            take_image(ds, i, pixels + (size_t)(first + i) * ds->sample_bytes);
    }
    ds->pixels = pixels;
    return 0;
}

static int by_row(const void *a, const void *b) {
    const struct wanted *x = a, *y = b;

    return (x->row > y->row) - (x->row < y->row);
}

/* Read in the order of the file, neighbours together. */
static int read_sorted(struct dataset *ds, const int64_t *index, int64_t n, unsigned char *out,
                       struct err *err) {
    const int64_t most = dataset_run_rows(ds), gap = 1 + GAP_BYTES / (int64_t)ds->sample_bytes;
    struct wanted *wanted = ds->wanted;

    for (int64_t i = 0; i < n; i++)
        wanted[i] = (struct wanted){index[i], i};
    qsort(wanted, (size_t)n, sizeof *wanted, by_row);
    for (int64_t begin = 0, end; begin < n; begin = end) {
        const int64_t first = wanted[begin].row;

        end = begin + 1;
        while (end < n && wanted[end].row - wanted[end - 1].row <= gap &&
               wanted[end].row - first < most)
            end++;
        if (read_run(ds, first, wanted[end - 1].row - first + 1, err))
            return -1;
        for (int64_t i = begin; i < end; i++)
            take_image(ds, wanted[i].row - first, out + (size_t)wanted[i].at * ds->sample_bytes);
    }
    return 0;
}

int dataset_read_images(struct dataset *ds, const int64_t *index, int64_t n, void *out,
                        struct err *err) {
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= ds->len)
            return err_set(err, ERR_DATA, "%s: sample %lld was asked for, it has %lld", ds->name,
                           (long long)index[i], (long long)ds->len);
    if (ds->pixels) {
        for (int64_t i = 0; i < n; i++)
            memcpy((unsigned char *)out + (size_t)i * ds->sample_bytes,
                   ds->pixels + (size_t)index[i] * ds->sample_bytes, ds->sample_bytes);
        return 0;
    }
    if (n > ds->most_wanted) {
        struct wanted *more = realloc(ds->wanted, (size_t)n * sizeof *more);

        if (!more)
            return err_set(err, ERR_IO, "%s: out of memory", ds->name);
        ds->wanted = more;
        ds->most_wanted = n;
    }
    return read_sorted(ds, index, n, out, err);
}
