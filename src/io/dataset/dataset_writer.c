#include "io/dataset/dataset_writer.h"

#include "io/dataset/content_hash.h"
#include "io/dataset/dataset_file.h"
#include "io/dataset/row_hash.h"
#include "io/h5/h5.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CHANNELS = 4, PATH_TEXT = 4096, LABEL_ROWS = 1 << 16, CLASS_TEXT = 24 };

/* A dataset of the split being written. */
struct output {
    struct writer_field field;
    char name[DATASET_FIELD_NAME], path[PATH_TEXT];
    struct h5_data *data;
    struct content_hash *hash;
    struct row_hash *rows;
    int64_t *count; /* [n_classes, at least 256] of class maps: of this split; owned */
};

/* Of an image field in the first split; whole numbers, so that sums are exact: 2^64 / 255^2 pixels
 * fit. */
struct statistics {
    uint64_t n_pixels, sum[MOST_CHANNELS], sum_squares[MOST_CHANNELS];
    int n_channels;
    /* of floats, [n_channels], owned: their mean, and the sum of squares around it */
    double *mean, *around;
    double n_values; /* of each channel */
};

struct dataset_writer {
    struct dataset_file file;
    struct output output[DATASET_MAX_FIELDS];
    int n_outputs;
    struct statistics statistics[DATASET_MAX_FIELDS]; /* every split has the same fields */
    int n_splits;
};

int dataset_writer_new(struct dataset_writer **out, const char *path, struct err *err) {
    struct dataset_writer *w = calloc(1, sizeof *w);

    if (!w)
        return err_set(err, ERR_IO, "%s: out of memory", path);
    if (dataset_file_init(&w->file, path, err)) {
        dataset_writer_free(w);
        return -1;
    }
    *out = w;
    return 0;
}

static void close_outputs(struct dataset_writer *w) {
    for (int i = 0; i < w->n_outputs; i++) {
        h5_data_close(w->output[i].data);
        content_hash_free(w->output[i].hash);
        row_hash_free(w->output[i].rows);
        free(w->output[i].count);
    }
    w->n_outputs = 0;
}

/* Of floats as stored; a channel that never varies gets 1. */
static int write_measures(struct dataset_writer *w, const struct statistics *s, const char *object,
                          struct err *err) {
    double *std = malloc((size_t)s->n_channels * sizeof *std);
    int status;

    if (!std)
        return err_set(err, ERR_IO, "%s: out of memory", w->file.path);
    for (int c = 0; c < s->n_channels; c++) {
        const double v = s->n_values > 0 ? s->around[c] / s->n_values : 0;

        std[c] = v > 1e-12 * s->mean[c] * s->mean[c] && v > 0 ? sqrt(v) : 1;
    }
    status = h5_attr_write_reals(w->file.h5, object, "mean", s->mean, s->n_channels, err) ||
             h5_attr_write_reals(w->file.h5, object, "std", std, s->n_channels, err);
    free(std);
    return status ? -1 : 0;
}

/* Of pixels scaled to 0 .. 1. A channel that never varies gets 1: dividing by it is harmless. */
static int write_statistics(struct dataset_writer *w, const struct statistics *s,
                            const char *object, struct err *err) {
    const double n = (double)(s->n_pixels ? s->n_pixels : 1);
    double mean[MOST_CHANNELS], std[MOST_CHANNELS];

    for (int c = 0; c < s->n_channels; c++) {
        const double m = (double)s->sum[c] / n;
        const double variance = (double)s->sum_squares[c] / n - m * m;

        mean[c] = m / 255;
        std[c] = variance > 1e-6 ? sqrt(variance) / 255 : 1;
    }
    if (h5_attr_write_reals(w->file.h5, object, "mean", mean, s->n_channels, err) ||
        h5_attr_write_reals(w->file.h5, object, "std", std, s->n_channels, err))
        return -1;
    return 0;
}

static int write_class_facts(struct dataset_writer *w, const struct output *o, struct err *err) {
    const size_t n = (size_t)o->field.n_classes;
    char(*text)[CLASS_TEXT] = calloc(n + 1, sizeof *text);
    const char **names = calloc(n + 1, sizeof *names);
    double *counts = calloc(n + 1, sizeof *counts);
    int status = 0;

    if (!text || !names || !counts)
        status = err_set(err, ERR_IO, "%s: out of memory", w->file.path);
    for (size_t i = 0; !status && i < n; i++) {
        snprintf(text[i], sizeof text[i], "%zu", i);
        names[i] = o->field.class_name ? o->field.class_name[i] : text[i];
        counts[i] = (double)o->count[i];
    }
    if (!status)
        status = h5_attr_write_texts(w->file.h5, o->path, "classes", names, (int)n, err) ||
                 h5_attr_write_reals(w->file.h5, o->path, "class_counts", counts, (int)n, err);
    free(text);
    free(names);
    free(counts);
    return status ? -1 : 0;
}

static bool is_map(const struct writer_field *f) {
    return f->kind == DATASET_CLASS && f->sample.rank;
}

/* Are its numbers stored as bytes? */
static bool is_narrow(const struct writer_field *f) {
    return f->kind == DATASET_BYTES || (is_map(f) && !f->wide);
}

/* Attributes of the fields that are not the images and labels of a file. */
static int close_split(struct dataset_writer *w, struct err *err) {
    int status = 0;

    for (int i = 0; i < w->n_outputs && !status; i++) {
        const struct output *o = &w->output[i];

        if (content_hash_write(o->hash, w->file.h5, o->path, err) ||
            row_hash_write(o->rows, w->file.h5, o->path, err))
            return -1;
        if (is_map(&o->field) || o->field.class_name)
            status = write_class_facts(w, o, err);
        else if (o->field.measured)
            status = write_measures(w, &w->statistics[i], o->path, err);
        else if (o->field.kind == DATASET_BYTES && strcmp(o->name, "images"))
            status = write_statistics(w, &w->statistics[i], o->path, err);
        if (!status && o->field.says)
            status = h5_attr_write_text(w->file.h5, o->path, "kind", o->field.says, err);
        if (!status && o->field.unpaired)
            status = h5_attr_write_int(w->file.h5, o->path, "unpaired", 1, err);
    }
    close_outputs(w);
    return status;
}

/* Numbers of so many rows, and their bytes as stored. */
static int64_t len_of(const struct writer_field *f, int64_t rows) {
    return rows * (f->sample.rank ? shape_len(&f->sample) : 1);
}

static size_t bytes_of(const struct writer_field *f, int64_t rows) {
    return (size_t)len_of(f, rows) * (is_narrow(f) ? 1 : sizeof(int32_t));
}

/* Begin the statistics of a field. */
static int measure(struct statistics *s, const struct writer_field *f) {
    if (f->kind != DATASET_BYTES && !f->measured)
        return 0;
    s->n_channels = (int)shape_channels(&f->sample);
    if (f->kind == DATASET_BYTES)
        return 0;
    s->mean = calloc((size_t)s->n_channels, sizeof *s->mean);
    s->around = calloc((size_t)s->n_channels, sizeof *s->around);
    return s->mean && s->around ? 0 : -1;
}

static int create(struct dataset_writer *w, const char *split, const struct writer_field *f,
                  struct err *err) {
    struct output *o = &w->output[w->n_outputs];
    const bool label = f->kind == DATASET_CLASS && !f->sample.rank;
    const enum h5_type type = is_narrow(f)               ? H5_TYPE_U8
                              : f->kind == DATASET_REALS ? H5_TYPE_F32
                                                         : H5_TYPE_I32;

    *o = (struct output){.field = *f};
    snprintf(o->name, sizeof o->name, "%s", f->name);
    snprintf(o->path, sizeof o->path, "/%.4000s/%s", split, f->name);
    if (f->kind == DATASET_BYTES &&
        (f->sample.rank < 3 || shape_channels(&f->sample) > MOST_CHANNELS))
        return err_set(err, ERR_DATA, "%s: images of up to %d channels can be written",
                       w->file.path, MOST_CHANNELS);
    if (h5_data_create(&o->data, w->file.h5, o->path, type, 1 + f->sample.rank, f->sample.dim,
                       label ? LABEL_ROWS : 0, err))
        return -1;
    w->n_outputs++;
    if (w->n_splits == 1 && measure(&w->statistics[w->n_outputs - 1], f))
        return err_set(err, ERR_IO, "%s: out of memory", w->file.path);
    o->hash = content_hash_new();
    o->rows = row_hash_new((int64_t)bytes_of(f, 1));
    o->count = calloc(f->n_classes < 256 ? 256 : (size_t)f->n_classes, sizeof *o->count);
    return o->hash && o->rows && o->count ? 0
                                          : err_set(err, ERR_IO, "%s: out of memory", w->file.path);
}

int dataset_writer_fields(struct dataset_writer *w, const char *name,
                          const struct writer_field *fields, int n, struct err *err) {
    char path[PATH_TEXT];

    if (close_split(w, err))
        return -1;
    if (strlen(name) + DATASET_FIELD_NAME + 2 > 4000)
        return err_set(err, ERR_DATA, "%s: the name of a split is too long", w->file.path);
    w->n_splits++;
    snprintf(path, sizeof path, "/%.4000s", name);
    if (h5_group_create(w->file.h5, path, err))
        return -1;
    for (int i = 0; i < n; i++)
        if (create(w, name, &fields[i], err))
            return -1;
    return 0;
}

int dataset_writer_split(struct dataset_writer *w, const char *name, const struct shape *sample,
                         struct err *err) {
    const struct writer_field fields[] = {
        {.name = "images", .kind = DATASET_BYTES, .sample = *sample},
        {.name = "labels", .kind = DATASET_CLASS}};

    return dataset_writer_fields(w, name, fields, 2, err);
}

static void add_pixels(struct statistics *s, const unsigned char *pixels, int64_t n) {
    const int channels = s->n_channels;

    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < channels; c++) {
            const unsigned v = pixels[i * channels + c];

            s->sum[c] += v;
            s->sum_squares[c] += v * v;
        }
    s->n_pixels += (uint64_t)n;
}

/* Welford 1962, doi:10.1080/00401706.1962.10490022: exact where numbers are far from 0. */
static void add_values(struct statistics *s, const float *values, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        s->n_values++;
        for (int c = 0; c < s->n_channels; c++) {
            const double v = (double)*values++, from = v - s->mean[c];

            s->mean[c] += from / s->n_values;
            s->around[c] += from * (v - s->mean[c]);
        }
    }
}

static void count_classes(struct output *o, const void *rows, int64_t len) {
    const int32_t *wide = rows;
    const unsigned char *narrow = rows;

    for (int64_t k = 0; k < len; k++) {
        const int64_t class = is_narrow(&o->field) ? narrow[k] : wide[k];

        if (class >= 0 && (class < o->field.n_classes || class < 256))
            o->count[class]++;
    }
}

int dataset_writer_add(struct dataset_writer *w, int i, const void *rows, int64_t n,
                       struct err *err) {
    struct output *o = &w->output[i];
    const struct writer_field *f = &o->field;
    const int64_t len = len_of(f, n);

    content_hash_add(o->hash, rows, bytes_of(f, n));
    if (row_hash_add(o->rows, rows, n))
        return err_set(err, ERR_IO, "%s: out of memory", w->file.path);
    if (w->n_splits == 1 && f->kind == DATASET_BYTES)
        add_pixels(&w->statistics[i], rows, len / shape_channels(&f->sample));
    else if (w->n_splits == 1 && f->measured)
        add_values(&w->statistics[i], rows, len / shape_channels(&f->sample));
    if (f->kind == DATASET_CLASS)
        count_classes(o, rows, len);
    return h5_data_append(o->data, n, rows, err);
}

int dataset_writer_append(struct dataset_writer *w, const unsigned char *images,
                          const int32_t *labels, int64_t n, struct err *err) {
    if (dataset_writer_add(w, 0, images, n, err) || dataset_writer_add(w, 1, labels, n, err))
        return -1;
    return 0;
}

int dataset_writer_finish(struct dataset_writer *w, const char *const *classes, int n_classes,
                          struct err *err) {
    const bool images = w->n_outputs && strcmp(w->output[0].name, "images") == 0;

    if (close_split(w, err) ||
        (n_classes && h5_attr_write_texts(w->file.h5, "/", "classes", classes, n_classes, err)) ||
        (images && write_statistics(w, &w->statistics[0], "/", err)))
        return -1;
    return dataset_file_finish(&w->file, err);
}

void dataset_writer_free(struct dataset_writer *w) {
    if (!w)
        return;
    close_outputs(w);
    for (int i = 0; i < DATASET_MAX_FIELDS; i++) {
        free(w->statistics[i].mean);
        free(w->statistics[i].around);
    }
    dataset_file_release(&w->file);
    free(w);
}

int dataset_writer_texts(struct dataset_writer *w, int i, const char *name,
                         const char *const *texts, int n, struct err *err) {
    return h5_attr_write_texts(w->file.h5, w->output[i].path, name, texts, n, err);
}

int dataset_writer_reals(struct dataset_writer *w, int i, const char *name, const double *values,
                         int n, struct err *err) {
    return h5_attr_write_reals(w->file.h5, w->output[i].path, name, values, n, err);
}
