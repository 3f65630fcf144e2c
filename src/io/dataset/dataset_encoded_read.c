/* Encoded pictures from the file or from memory. */
#include "io/dataset/dataset_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GAP_BYTES = 16 << 10, /* rather read on than start anew */
    LOAD_BYTES = 64 << 20,
    NAME_TEXT = 200,
};

/* Rows of one file that are read at once. */
struct encoded_run {
    struct dataset *ds;
    int field;
    int64_t before;      /* rows of the whole before the first of ds */
    int64_t first, last; /* of ds */
    int64_t end;         /* in ds->wanted of the whole: the first that is no longer of the run */
};

/* The run of those that are wanted from `begin` on. Rows of any length lie apart: each is one. */
static void find_run(struct dataset *whole, int i, int64_t begin, int64_t n,
                     struct encoded_run *run) {
    const struct wanted *wanted = whole->wanted;
    const struct dataset_part *p =
        whole->n_parts ? dataset_part_of(whole, i, wanted[begin].row) : NULL;

    run->ds = p ? p->ds : whole;
    run->field = p ? p->field[i] : i;
    run->before = p ? p->begin[i] : 0;
    run->first = run->last = wanted[begin].row - run->before;
    const struct column *c = &run->ds->column[run->field];
    const int64_t rows = run->ds->field[run->field].rows;
    for (run->end = begin + 1; run->end < n; run->end++) {
        const int64_t row = wanted[run->end].row - run->before;

        if (row == run->last)
            continue;
        if (row >= rows || c->blob || c->offset[row] - c->offset[run->last + 1] > GAP_BYTES)
            break;
        run->last = row;
    }
}

/* Bytes that have to be read for the run, its gaps among them. */
static int64_t run_bytes(const struct encoded_run *run) {
    const struct column *c = &run->ds->column[run->field];

    return c->kept ? 0 : c->offset[run->last + 1] - c->offset[run->first];
}

static int reserve(const struct dataset *ds, struct dataset_buffer *buffer, int64_t bytes,
                   struct err *err) {
    const size_t room = (size_t)bytes + 1; /* of no bytes too there is a place */
    unsigned char *more;

    if (room <= buffer->room)
        return 0;
    more = malloc(room); /* what is in it is no longer needed */
    if (!more)
        return err_set(err, ERR_IO, "%s: no memory for %lld bytes of pictures", ds->name,
                       (long long)bytes);
    free(buffer->bytes);
    *buffer = (struct dataset_buffer){more, room};
    return 0;
}

static int read_run(const struct encoded_run *run, unsigned char *to, struct err *err) {
    const struct column *c = &run->ds->column[run->field];

    if (c->kept)
        return 0;
    if (c->blob)
        return h5_blob_read(c->data, &c->blob[run->first], to, err);
    return h5_raw_read(c->data, c->offset[run->first], run_bytes(run), to, err);
}

/* Tell where the pictures of a run are, which begins at `from`, and whether they are what they
 * were.
 */
static int hand_out(const struct dataset *whole, const struct encoded_run *run, int64_t begin,
                    const unsigned char *from, struct dataset_blob *out, struct err *err) {
    const struct column *c = &run->ds->column[run->field];
    const unsigned char *base = c->kept ? c->kept + c->offset[run->first] : from;

    for (int64_t k = begin; k < run->end; k++) {
        const int64_t row = whole->wanted[k].row - run->before;
        struct dataset_blob *blob = &out[whole->wanted[k].at];

        *blob = (struct dataset_blob){base + (c->offset[row] - c->offset[run->first]),
                                      (size_t)(c->offset[row + 1] - c->offset[row])};
        if (dataset_check_picture(run->ds, run->field, row, blob, err))
            return -1;
    }
    return 0;
}

/* How many bytes all runs need. The system is told of what will be read, so that it fetches all of
 * it at the same time where storage is far away. */
static int64_t plan_runs(struct dataset *ds, int i, int64_t n) {
    struct encoded_run run;
    int64_t bytes = 0;

    for (int64_t begin = 0; begin < n; begin = run.end) {
        find_run(ds, i, begin, n, &run);
        const struct column *c = &run.ds->column[run.field];
        if (!c->kept && c->blob)
            h5_blob_expect(c->data, &c->blob[run.first]);
        else if (!c->kept)
            h5_raw_expect(c->data, c->offset[run.first], run_bytes(&run));
        bytes += run_bytes(&run);
    }
    return bytes;
}

int dataset_read_encoded(struct dataset *ds, int i, const int64_t *index, int64_t n,
                         struct dataset_blob *out, struct dataset_buffer *buffer, struct err *err) {
    const struct dataset_field *f = &ds->field[i];
    struct encoded_run run;
    int64_t used = 0;

    if (f->kind != DATASET_ENCODED)
        return err_set(err, ERR_DATA, "%s: %s has no encoded pictures", ds->name, f->name);
    for (int64_t k = 0; k < n; k++)
        if (index[k] < 0 || index[k] >= f->rows)
            return err_set(err, ERR_DATA, "%s: row %lld of %s was asked for, it has %lld", ds->name,
                           (long long)index[k], f->name, (long long)f->rows);
    if (ds->files)
        return dataset_read_files(ds, index, n, out, buffer, err);
    if (dataset_sort_rows(ds, index, n, err) || reserve(ds, buffer, plan_runs(ds, i, n), err))
        return -1;
    for (int64_t begin = 0; begin < n; begin = run.end) {
        find_run(ds, i, begin, n, &run);
        if (read_run(&run, buffer->bytes + used, err) ||
            hand_out(ds, &run, begin, buffer->bytes + used, out, err))
            return -1;
        used += run_bytes(&run);
    }
    return 0;
}

void dataset_buffer_release(struct dataset_buffer *buffer) {
    free(buffer->bytes);
    *buffer = (struct dataset_buffer){0};
}

int dataset_load_encoded(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];
    const int64_t rows = ds->field[i].rows, bytes = c->offset[rows];
    int status = 0;

    unsigned char *kept = c->lent ? c->kept : malloc((size_t)bytes + 1);
    if (!kept)
        return err_set(err, ERR_IO, "%s: no memory to keep %s", ds->name, c->path);
    for (int64_t k = 0; c->blob && k < rows && !status; k++)
        status = h5_blob_read(c->data, &c->blob[k], kept + c->offset[k], err);
    for (int64_t at = 0; !c->blob && at < bytes && !status; at += LOAD_BYTES)
        status = h5_raw_read(c->data, at, bytes - at < LOAD_BYTES ? bytes - at : LOAD_BYTES,
                             kept + at, err);
    for (int64_t k = 0; k < rows && !status; k++) {
        const int64_t begin = c->offset[k], len = c->offset[k + 1] - begin;

        status =
            dataset_check_picture(ds, i, k, &(struct dataset_blob){kept + begin, (size_t)len}, err);
    }
    if (status) {
        if (!c->lent)
            free(kept);
        return -1;
    }
    c->kept = kept;
    free(c->blob); /* kept columns have one of their own */
    c->blob = NULL;
    h5_data_close(c->data);
    c->data = NULL;
    return 0;
}

/* What a row of an open file is called; "" where nobody says. A name is for messages only: that it
 * cannot be read is not what they are about. */
static void read_name(const struct dataset *ds, const char *path, int64_t row,
                      char name[NAME_TEXT]) {
    struct err unreadable = {0};
    struct h5 *file = NULL;
    char *group = NULL;

    *name = 0;
    if (!*path)
        return;
    /* What is in memory has closed its file. */
    if (ds->file || !layout_open(&file, &group, ds->name, NULL, &unreadable)) {
        if (h5_text_row(ds->file ? ds->file : file, path, row, name, NAME_TEXT, &unreadable))
            *name = 0;
    }
    free(group);
    h5_close(file);
    for (char *c = name; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
}

const char *dataset_row_name(struct dataset *ds, int i, int64_t row, char text[DATASET_ROW_TEXT]) {
    const struct dataset_part *p = ds->n_parts ? dataset_part_of(ds, i, row) : NULL;
    const struct dataset *from = p ? p->ds : ds;

    if (ds->files)
        snprintf(text, DATASET_ROW_TEXT, "%s", ds->files[row]);
    else
        read_name(from, from->column[p ? p->field[i] : i].names, row - (p ? p->begin[i] : 0), text);
    return text;
}

const char *dataset_row_text(struct dataset *ds, int i, int64_t row, char text[DATASET_ROW_TEXT]) {
    const struct dataset_part *p = ds->n_parts ? dataset_part_of(ds, i, row) : NULL;
    char name[DATASET_ROW_TEXT];

    dataset_row_name(ds, i, row, name);
    if (ds->files)
        return strcpy(text, name);
    snprintf(text, DATASET_ROW_TEXT, "sample %lld%s%.200s%s of %.250s",
             (long long)(row - (p ? p->begin[i] : 0)), *name ? " (" : "", name, *name ? ")" : "",
             (p ? p->ds : ds)->name);
    return text;
}
