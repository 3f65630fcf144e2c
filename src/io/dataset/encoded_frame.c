#include "io/dataset/encoded_frame.h"

#include "io/file/file.h"
#include "io/h5/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A longer name keeps its end, which tells pictures apart. */
enum { NAME_BYTES = 255, COPY_BYTES = 1 << 20, PATH_TEXT = 512 };

static void path_of(const struct encoded_group *g, const char *dataset, char path[PATH_TEXT]) {
    snprintf(path, PATH_TEXT, "/%.400s/%s", g->name, dataset);
}

/* Groups first, then the places of pictures: the place of those in one group follows from the sizes
 * of those before. */
static int reserve(struct h5 *file, const struct encoded_group *group, int n_groups, int n,
                   int64_t *place, struct err *err) {
    char path[PATH_TEXT];

    for (int k = 0; k < n_groups; k++) {
        path_of(&group[k], "", path);
        path[strlen(path) - 1] = 0;
        if (h5_group_create(file, path, err))
            return -1;
    }
    for (int k = 0; k < n; k++) {
        path_of(&group[k], "images", path);
        const int64_t bytes = group[k].bytes ? group[k].bytes : 1;
        if (h5_reserve(file, path, H5_TYPE_U8, 1, &bytes, place, err))
            return -1;
        if (*place != group[k].place && k < n - 1)
            return err_set(err, ERR_IO, "%s:%s: lies at byte %lld of the file, expected %lld",
                           h5_name(file), path, (long long)*place, (long long)group[k].place);
    }
    return 0;
}

int encoded_frame_place(const char *frame, const struct encoded_group *group, int n_groups, int k,
                        int64_t *place, struct err *err) {
    struct h5 *file;

    if (h5_create_frame(&file, frame, err))
        return -1;
    const int status = reserve(file, group, n_groups, k + 1, place, err);
    h5_close(file);
    file_remove(frame);
    return status;
}

/* The part of a name that is stored: its end, from the beginning of a character of UTF-8 on. */
static const char *stored_name(const char *name) {
    const size_t len = strlen(name);

    if (len <= NAME_BYTES)
        return name;
    name += len - NAME_BYTES;
    while ((*name & 0xc0) == 0x80)
        name++;
    return name;
}

static int write_names(struct h5 *file, const struct encoded_group *g, struct err *err) {
    char path[PATH_TEXT], *rows;
    size_t width = 1;

    for (int64_t i = 0; i < g->n; i++) {
        const size_t len = strlen(stored_name(g->sample[i]));
        width = len > width ? len : width;
    }
    rows = calloc((size_t)g->n + 1, width);
    if (!rows)
        return err_set(err, ERR_IO, "%s: out of memory", h5_name(file));
    for (int64_t i = 0; i < g->n; i++) {
        const char *name = stored_name(g->sample[i]);
        memcpy(rows + (size_t)i * width, name, strlen(name));
    }
    path_of(g, "images_names", path);
    const int status = h5_write_texts(file, path, (int)width, g->n, rows, err);
    free(rows);
    return status;
}

/* A dataset of one column, and what it holds. */
static int write_column(struct h5 *file, const char *path, enum h5_type type, int64_t n,
                        size_t item, const void *values, struct err *err) {
    struct content_hash *hash = content_hash_new();
    int status = -1;

    if (!hash)
        return err_set(err, ERR_IO, "%s: out of memory", h5_name(file));
    content_hash_add(hash, values, (size_t)n * item);
    if (!h5_write(file, path, type, 1, &n, values, err))
        status = content_hash_write(hash, file, path, err);
    content_hash_free(hash);
    return status;
}

/* Labels are rows, too. */
static int write_labels(struct h5 *file, const char *path, const struct encoded_group *g,
                        struct err *err) {
    struct row_hash *rows = row_hash_new(sizeof *g->label);
    int status = -1;

    if (!rows || row_hash_add(rows, g->label, g->n))
        err_set(err, ERR_IO, "%s: out of memory", h5_name(file));
    else
        status = write_column(file, path, H5_TYPE_I32, g->n, sizeof *g->label, g->label, err) ||
                 row_hash_write(rows, file, path, err);
    row_hash_free(rows);
    return status ? -1 : 0;
}

static int write_group(struct h5 *file, const struct encoded_frame *frame,
                       const struct encoded_group *g, struct err *err) {
    char path[PATH_TEXT];

    path_of(g, "images", path);
    if (h5_attr_write_text(file, path, "encoding", "files", err) ||
        h5_attr_write_int(file, path, "channels", frame->channels, err) ||
        content_hash_write(g->hash, file, path, err) || row_hash_write(g->rows, file, path, err))
        return -1;
    path_of(g, "images_offsets", path);
    if (write_column(file, path, H5_TYPE_I64, g->n + 1, sizeof *g->offset, g->offset, err))
        return -1;
    path_of(g, "labels", path);
    if (write_labels(file, path, g, err))
        return -1;
    return write_names(file, g, err);
}

static int write_frame(struct h5 *file, const struct encoded_frame *frame, struct err *err) {
    int64_t place = 0;

    if (reserve(file, frame->group, frame->n_groups, frame->n_groups, &place, err))
        return -1;
    if (place != frame->group[frame->n_groups - 1].place)
        return err_set(err, ERR_IO, "%s: the last pictures lie at byte %lld, expected %lld",
                       h5_name(file), (long long)place,
                       (long long)frame->group[frame->n_groups - 1].place);
    for (int k = 0; k < frame->n_groups; k++)
        if (write_group(file, frame, &frame->group[k], err))
            return -1;
    if (h5_attr_write_texts(file, "/", "classes", frame->class_name, frame->n_classes, err) ||
        h5_attr_write_reals(file, "/", "mean", frame->mean, frame->channels, err) ||
        h5_attr_write_reals(file, "/", "std", frame->std, frame->channels, err) ||
        h5_attr_write_int(file, "/", "dltrain_dataset", 1, err))
        return -1;
    return h5_sync(file, err);
}

/* Bytes begin .. end - 1 of one file to the same place of another. Returns -1 with errno set. */
static int copy(int from, int to, int64_t begin, int64_t end, unsigned char *room) {
    while (begin < end) {
        const int64_t left = end - begin;
        const ssize_t n = pread(from, room, (size_t)(left < COPY_BYTES ? left : COPY_BYTES), begin);

        if (n <= 0) {
            errno = n ? errno : EIO;
            return -1;
        }
        if (lseek(to, begin, SEEK_SET) < 0 || file_write(to, room, (size_t)n))
            return -1;
        begin += n;
    }
    return 0;
}

/* All that is no picture. */
static int copy_frame(const struct encoded_frame *frame, int from, int to) {
    unsigned char *room = malloc(COPY_BYTES);
    struct stat st;
    int64_t at = 0;
    int failed = !room || fstat(from, &st);

    for (int k = 0; k < frame->n_groups && !failed; k++) {
        failed = copy(from, to, at, frame->group[k].place, room);
        at = frame->group[k].place + frame->group[k].bytes;
    }
    failed =
        failed || copy(from, to, at, st.st_size, room) || ftruncate(to, st.st_size) || fsync(to);
    free(room);
    return failed ? -1 : 0;
}

int encoded_frame_write(const struct encoded_frame *frame, const char *path, const char *data,
                        struct err *err) {
    struct h5 *file;
    int status;

    if (h5_create_frame(&file, path, err))
        return -1;
    status = write_frame(file, frame, err);
    h5_close(file);
    if (status)
        return -1;
    const int from = open(path, O_RDONLY | O_CLOEXEC), to = open(data, O_WRONLY | O_CLOEXEC);
    if (from < 0 || to < 0 || copy_frame(frame, from, to))
        status = err_set(err, ERR_IO, "%s: cannot be written: %s", data, strerror(errno));
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    file_remove(path);
    return status;
}
