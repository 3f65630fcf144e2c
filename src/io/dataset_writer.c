#include "io/dataset_writer.h"

#include "io/file.h"
#include "io/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CHANNELS = 4, PATH_TEXT = 4096, LABEL_ROWS = 1 << 16 };

struct dataset_writer {
    char path[PATH_TEXT], temporary[PATH_TEXT];
    struct h5 *file;
    struct h5_data *images, *labels; /* of the split being written */
    struct shape sample;
    int n_splits;
    /* Of the first split; whole numbers, so that sums are exact: 2^64 / 255^2 pixels fit. */
    uint64_t n_pixels, sum[MOST_CHANNELS], sum_squares[MOST_CHANNELS];
    int n_channels;
};

static int make_folders(const char *path, struct err *err) {
    char folder[PATH_TEXT];
    char *slash = strrchr(strcpy(folder, path), '/');

    if (!slash || slash == folder)
        return 0;
    *slash = 0;
    return file_make_folders(folder, err);
}

int dataset_writer_new(struct dataset_writer **out, const char *path, struct err *err) {
    struct dataset_writer *w;

    if (strlen(path) + 5 > PATH_TEXT)
        return err_set(err, ERR_USAGE, "%.80s...: the path is too long", path);
    w = calloc(1, sizeof *w);
    if (!w)
        return err_set(err, ERR_IO, "%s: out of memory", path);
    strcpy(w->path, path);
    strcpy(w->temporary, path);
    strcat(w->temporary, ".tmp");
    if (make_folders(path, err) || h5_create(&w->file, w->temporary, err)) {
        free(w);
        return -1;
    }
    *out = w;
    return 0;
}

static void close_split(struct dataset_writer *w) {
    h5_data_close(w->images);
    h5_data_close(w->labels);
    w->images = w->labels = NULL;
}

int dataset_writer_split(struct dataset_writer *w, const char *name, const struct shape *sample,
                         struct err *err) {
    char path[PATH_TEXT];

    close_split(w);
    if (sample->rank != 3 || sample->dim[2] > MOST_CHANNELS)
        return err_set(err, ERR_DATA, "%s: images of up to %d channels can be written", w->path,
                       MOST_CHANNELS);
    if (strlen(name) + 9 > PATH_TEXT)
        return err_set(err, ERR_DATA, "%s: the name of a split is too long", w->path);
    w->sample = *sample;
    w->n_splits++;
    if (w->n_splits == 1)
        w->n_channels = (int)sample->dim[2];
    snprintf(path, sizeof path, "/%.4000s", name);
    if (h5_group_create(w->file, path, err))
        return -1;
    snprintf(path, sizeof path, "/%.4000s/images", name);
    if (h5_data_create(&w->images, w->file, path, H5_TYPE_U8, 4, sample->dim, 0, err))
        return -1;
    snprintf(path, sizeof path, "/%.4000s/labels", name);
    return h5_data_create(&w->labels, w->file, path, H5_TYPE_I32, 1, NULL, LABEL_ROWS, err);
}

static void add_pixels(struct dataset_writer *w, const unsigned char *pixels, int64_t n) {
    const int channels = w->n_channels;

    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < channels; c++) {
            const unsigned v = pixels[i * channels + c];

            w->sum[c] += v;
            w->sum_squares[c] += v * v;
        }
    w->n_pixels += (uint64_t)n;
}

int dataset_writer_append(struct dataset_writer *w, const unsigned char *images,
                          const int32_t *labels, int64_t n, struct err *err) {
    if (w->n_splits == 1)
        add_pixels(w, images, n * w->sample.dim[0] * w->sample.dim[1]);
    return h5_data_append(w->images, n, images, err) || h5_data_append(w->labels, n, labels, err)
               ? -1
               : 0;
}

/* Of pixels scaled to 0 .. 1. A channel that never varies gets 1: dividing by it is harmless. */
static int write_statistics(struct dataset_writer *w, struct err *err) {
    const double n = (double)(w->n_pixels ? w->n_pixels : 1);
    double mean[MOST_CHANNELS], std[MOST_CHANNELS];

    for (int c = 0; c < w->n_channels; c++) {
        const double m = (double)w->sum[c] / n;
        const double variance = (double)w->sum_squares[c] / n - m * m;

        mean[c] = m / 255;
        std[c] = variance > 1e-6 ? sqrt(variance) / 255 : 1;
    }
    if (h5_attr_write_reals(w->file, "/", "mean", mean, w->n_channels, err) ||
        h5_attr_write_reals(w->file, "/", "std", std, w->n_channels, err))
        return -1;
    return 0;
}

/* Make the new name last: it is an entry of the directory. */
static int sync_directory(const char *path, struct err *err) {
    char directory[PATH_TEXT];
    char *slash;
    int fd, status = 0;

    strcpy(directory, path);
    slash = strrchr(directory, '/');
    if (slash)
        slash[slash == directory] = 0;
    fd = open(slash ? directory : ".", O_RDONLY | O_CLOEXEC);
    /* Some file systems cannot sync directories (EINVAL). */
    if (fd < 0 || (fsync(fd) && errno != EINVAL))
        status = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

int dataset_writer_finish(struct dataset_writer *w, const char *const *classes, int n_classes,
                          struct err *err) {
    close_split(w);
    if (h5_attr_write_int(w->file, "/", "dltrain_dataset", 1, err) ||
        h5_attr_write_texts(w->file, "/", "classes", classes, n_classes, err) ||
        write_statistics(w, err) || h5_sync(w->file, err))
        return -1;
    h5_close(w->file);
    w->file = NULL;
    if (rename(w->temporary, w->path))
        return err_set(err, ERR_IO, "%s: %s", w->path, strerror(errno));
    w->temporary[0] = 0;
    return sync_directory(w->path, err);
}

void dataset_writer_free(struct dataset_writer *w) {
    if (!w)
        return;
    close_split(w);
    h5_close(w->file);
    if (w->temporary[0])
        unlink(w->temporary);
    free(w);
}
