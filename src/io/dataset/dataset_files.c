/* Picture files as a dataset. */
#include "io/dataset/dataset_files.h"
#include "io/dataset/dataset_private.h"
#include "io/file/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_PICTURE = 1 << 30 /* bytes of a file */ };

static float *copy(const float *values, int n) {
    float *out = malloc((size_t)n * sizeof *out);

    return out ? memcpy(out, values, (size_t)n * sizeof *out) : NULL;
}

int dataset_of_files(struct dataset **out, const struct dataset_files *files, struct err *err) {
    struct dataset *ds = calloc(1, sizeof *ds);
    struct column *c = ds ? &ds->column[0] : NULL;

    if (ds)
        ds->name = strdup(files->name);
    if (ds && files->mean) {
        c->mean = copy(files->mean, files->channels);
        c->std = copy(files->std, files->channels);
    }
    if (!ds || !ds->name || (files->mean && (!c->mean || !c->std))) {
        dataset_close(ds);
        return err_set(err, ERR_IO, "%s: no memory", files->name);
    }
    ds->files = files->path;
    ds->len = files->n;
    ds->n_fields = 1;
    ds->field[0] = (struct dataset_field){.sample = {3, {0, 0, files->channels}},
                                          .kind = DATASET_ENCODED,
                                          .image = true,
                                          .rows = files->n};
    snprintf(ds->field[0].name, sizeof ds->field[0].name, "%s", files->field);
    *out = ds;
    return 0;
}

/* The bytes of the file behind those that the buffer holds. */
static int append(struct dataset_buffer *buffer, size_t *used, const char *path, struct err *err) {
    char *bytes = NULL;
    size_t len = 0;
    struct stat st;

    if (!stat(path, &st) && st.st_size > MOST_PICTURE)
        return err_set(err, ERR_DATA, "%s: is larger than 1 GiB, expected a picture", path);
    if (file_read(path, &bytes, &len, err))
        return -1;
    if (*used + len + 1 > buffer->room) {
        const size_t room = 2 * (*used + len + 1);
        unsigned char *more = realloc(buffer->bytes, room);
        if (!more) {
            free(bytes);
            return err_set(err, ERR_IO, "%s: no memory", path);
        }
        *buffer = (struct dataset_buffer){more, room};
    }
    memcpy(buffer->bytes + *used, bytes, len);
    *used += len;
    free(bytes);
    return 0;
}

int dataset_read_files(struct dataset *ds, const int64_t *index, int64_t n,
                       struct dataset_blob *out, struct dataset_buffer *buffer, struct err *err) {
    size_t used = 0;

    for (int64_t k = 0; k < n; k++) {
        const size_t begin = used;
        if (append(buffer, &used, ds->files[index[k]], err))
            return -1;
        out[k].len = used - begin;
    }
    for (int64_t k = 0, at = 0; k < n; at += (int64_t)out[k++].len) /* it may have moved */
        out[k].bytes = buffer->bytes + at;
    return 0;
}
