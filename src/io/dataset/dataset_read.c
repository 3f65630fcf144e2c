/* Rows of a field from the file or from memory. */
#include "io/dataset/dataset_private.h"

#include <stdlib.h>
#include <string.h>

enum {
    RUN_BYTES = 4 << 20,  /* read at a time at most */
    GAP_BYTES = 16 << 10, /* rather read on than start anew */
    IGNORED_BYTE = 255,   /* in class maps of bytes */
};

/* [c, h, w] or [c, d, h, w] to [..., c], items of `bytes` bytes. */
static void to_channels_last(const unsigned char *from, const struct shape *sample, size_t bytes,
                             unsigned char *to) {
    const size_t channels = (size_t)sample->dim[sample->rank - 1];
    const size_t area = (size_t)shape_len(sample) / channels;

    for (size_t c = 0; c < channels; c++)
        for (size_t p = 0; p < area; p++)
            memcpy(to + (p * channels + c) * bytes, from + (c * area + p) * bytes, bytes);
}

int64_t column_run_rows(const struct column *c) {
    const int64_t rows = RUN_BYTES / (int64_t)c->row_bytes;
    const int64_t over = c->hashes.each ? rows % c->hashes.each : 0;

    return rows ? rows - over : 1;
}

int dataset_read_run(struct dataset *ds, int i, int64_t first, int64_t n, struct err *err) {
    const struct column *c = &ds->column[i];
    const int64_t len = n * dataset_sample_len(&ds->field[i]);

    if (h5_data_read(c->data, first, n, c->type, ds->run, err) ||
        dataset_check_rows(ds, i, first, n, ds->run, err))
        return -1;
    if (c->void_255)
        dataset_drop_void((int32_t *)(void *)ds->run, len);
    return 0;
}

void dataset_drop_void(int32_t *classes, int64_t len) {
    for (int64_t k = 0; k < len; k++)
        if (classes[k] == IGNORED_BYTE)
            classes[k] = -1;
}

/* Row k of the run to its place, channels last. */
static void take_row(const struct dataset *ds, int i, int64_t k, unsigned char *to) {
    const struct column *c = &ds->column[i];
    const unsigned char *from = ds->run + (size_t)k * c->row_bytes;

    if (c->channels_first)
        to_channels_last(from, &ds->field[i].sample, c->type == H5_TYPE_U8 ? 1 : sizeof(float), to);
    else
        memcpy(to, from, c->row_bytes);
}

int dataset_load(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];
    const int64_t rows = ds->field[i].rows, most = column_run_rows(c);

    if (ds->field[i].kind == DATASET_ENCODED)
        return dataset_load_encoded(ds, i, err);
    if (!c->lent)
        c->kept = malloc((size_t)rows * c->row_bytes);
    if (!c->kept)
        return err_set(err, ERR_IO, "%s: no memory to keep %s", ds->name, c->path);
    for (int64_t first = 0; first < rows; first += most) {
        const int64_t n = rows - first < most ? rows - first : most;

        if (dataset_read_run(ds, i, first, n, err))
            return -1;
        for (int64_t k = 0; k < n; k++)
            take_row(ds, i, k, c->kept + (size_t)(first + k) * c->row_bytes);
    }
    h5_data_close(c->data);
    c->data = NULL;
    return 0;
}

static int by_row(const void *a, const void *b) {
    const struct wanted *x = a, *y = b;

    return (x->row > y->row) - (x->row < y->row);
}

int dataset_sort_rows(struct dataset *ds, const int64_t *index, int64_t n, struct err *err) {
    if (n > ds->most_wanted) {
        struct wanted *more = realloc(ds->wanted, (size_t)n * sizeof *more);

        if (!more)
            return err_set(err, ERR_IO, "%s: out of memory", ds->name);
        ds->wanted = more;
        ds->most_wanted = n;
    }
    for (int64_t k = 0; k < n; k++)
        ds->wanted[k] = (struct wanted){index[k], k};
    qsort(ds->wanted, (size_t)n, sizeof *ds->wanted, by_row);
    return 0;
}

/* Read in the order of the file, neighbours together, rows of column.type; those that are compared
 * together whole. */
static int read_sorted(struct dataset *ds, int i, const int64_t *index, int64_t n, void *out,
                       struct err *err) {
    const struct column *c = &ds->column[i];
    const size_t bytes = c->row_bytes;
    const int64_t most = column_run_rows(c), gap = 1 + GAP_BYTES / (int64_t)bytes;
    const int64_t each = c->hashes.each ? c->hashes.each : 1, rows = ds->field[i].rows;

    if (dataset_sort_rows(ds, index, n, err))
        return -1;
    const struct wanted *wanted = ds->wanted;
    for (int64_t begin = 0, end; begin < n; begin = end) {
        const int64_t first = wanted[begin].row - wanted[begin].row % each;

        end = begin + 1;
        while (end < n && wanted[end].row - wanted[end - 1].row <= gap &&
               wanted[end].row - first < most)
            end++;
        const int64_t last = wanted[end - 1].row, whole = last - last % each + each;
        if (dataset_read_run(ds, i, first, (whole < rows ? whole : rows) - first, err))
            return -1;
        for (int64_t k = begin; k < end; k++)
            take_row(ds, i, wanted[k].row - first,
                     (unsigned char *)out + (size_t)wanted[k].at * bytes);
    }
    return 0;
}

/* Bytes at the beginning of out to classes, from the end, so that they may be where they are. */
static void widen_classes(const unsigned char *bytes, int64_t len, int32_t *out) {
    for (int64_t k = len - 1; k >= 0; k--)
        out[k] = bytes[k] == IGNORED_BYTE ? -1 : bytes[k];
}

/* What was read from the file after it was opened is not known to be right. */
static int check_classes(const struct dataset *ds, int i, const int64_t *index,
                         const int32_t *classes, int64_t len, struct err *err) {
    const struct column *c = &ds->column[i];
    const int n = c->map ? c->n_map : c->n_classes;

    for (int64_t k = 0; k < len; k++)
        if (classes[k] < -1 || classes[k] >= n)
            return err_set(err, ERR_DATA, "%s: %s of sample %lld holds class %d, expected 0 to %d",
                           ds->name, c->path,
                           (long long)index[k / dataset_sample_len(&ds->field[i])], (int)classes[k],
                           n - 1);
    return 0;
}

int dataset_read(struct dataset *ds, int i, const int64_t *index, int64_t n, void *out,
                 struct err *err) {
    const struct column *c = &ds->column[i];
    const struct dataset_field *f = &ds->field[i];
    const int64_t len = n * dataset_sample_len(f);

    if (f->kind == DATASET_ENCODED)
        return err_set(err, ERR_DATA, "%s: %s is of encoded pictures, which have no one size",
                       ds->name, f->name);
    for (int64_t k = 0; k < n; k++)
        if (index[k] < 0 || index[k] >= f->rows)
            return err_set(err, ERR_DATA, "%s: row %lld of %s was asked for, it has %lld", ds->name,
                           (long long)index[k], f->name, (long long)f->rows);
    if (!c->kept && (ds->n_parts ? dataset_read_parts : read_sorted)(ds, i, index, n, out, err))
        return -1;
    for (int64_t k = 0; c->kept && k < n; k++) {
        if (dataset_check_kept(ds, i, index[k], err))
            return -1;
        memcpy((unsigned char *)out + (size_t)k * c->row_bytes,
               c->kept + (size_t)index[k] * c->row_bytes, c->row_bytes);
    }
    if (f->boxes && (!c->kept || c->map))
        return dataset_boxes_read(ds, i, index, n, out, err);
    if (f->kind != DATASET_CLASS)
        return 0;
    if (c->type == H5_TYPE_U8)
        widen_classes(out, len, out);
    if (!c->kept && check_classes(ds, i, index, out, len, err))
        return -1;
    return c->map ? dataset_map_read(ds, i, out, len, err) : 0;
}
