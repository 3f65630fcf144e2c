/* Fields of encoded pictures: where each of them lies, which is checked before one is read. */
#include "io/dataset/dataset_private.h"
#include "io/image/image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_PICTURE = 1 << 30, /* bytes of a file of a picture */
    HEAD_BYTES = 512,       /* enough to know its format */
    COLOUR = 3,
};

static int read_channels(struct dataset *ds, int i, struct err *err) {
    const char *path = ds->column[i].path;
    int64_t channels = COLOUR;
    const int told = h5_attr_exists(ds->file, path, "channels", err);

    if (told < 0 || (told && h5_attr_int(ds->file, path, "channels", &channels, err)))
        return -1;
    if (channels != 1 && channels != COLOUR)
        return err_set(err, ERR_DATA,
                       "%s: attribute channels of %s is %" PRId64 ", expected 1 (grey) or 3",
                       ds->name, path, channels);
    ds->field[i].kind = DATASET_ENCODED;
    ds->field[i].image = true;
    ds->field[i].sample = (struct shape){.rank = 3, .dim = {0, 0, channels}};
    ds->column[i].type = H5_TYPE_U8;
    ds->column[i].row_bytes = 1;
    return 0;
}

/* Whoever says another kind means masks or numbers, which pictures do not become. */
static int check_kind(const struct dataset *ds, int i, struct err *err) {
    const char *path = ds->column[i].path;
    const int told = h5_attr_exists(ds->file, path, "kind", err);
    char *kind;

    if (told <= 0)
        return told;
    if (h5_attr_text(ds->file, path, "kind", &kind, err))
        return -1;
    const int status =
        strcmp(kind, "image") == 0
            ? 0
            : err_set(err, ERR_DATA,
                      "%s: %s has files of pictures and kind = %.40s, expected image or no kind: "
                      "masks are stored as uint8 [n, height, width]",
                      ds->name, path, kind);
    free(kind);
    return status;
}

static int refuse_size(const struct dataset *ds, int i, int64_t row, int64_t bytes,
                       struct err *err) {
    return err_set(err, ERR_DATA,
                   "%s: sample %" PRId64 " of %s is said to have %" PRId64
                   " bytes, expected at most %d",
                   ds->name, row, ds->column[i].path, bytes, MOST_PICTURE);
}

/* The offsets of pictures that lie end to end in `bytes` bytes. */
static int check_offsets(const struct dataset *ds, int i, int64_t bytes, struct err *err) {
    const struct column *c = &ds->column[i];
    const int64_t n = ds->field[i].rows;

    if (c->offset[0])
        return err_set(err, ERR_DATA, "%s: %s_offsets begins with %" PRId64 ", expected 0",
                       ds->name, c->path, c->offset[0]);
    for (int64_t k = 0; k < n; k++) {
        const int64_t begin = c->offset[k], end = c->offset[k + 1];

        if (end < begin)
            return err_set(err, ERR_DATA,
                           "%s: %s_offsets goes back from %" PRId64 " to %" PRId64
                           " at sample %" PRId64,
                           ds->name, c->path, begin, end, k);
        if (end > bytes)
            return err_set(err, ERR_DATA,
                           "%s: sample %" PRId64 " of %s is said to end at byte %" PRId64
                           ", but there are %" PRId64,
                           ds->name, k, c->path, end, bytes);
        if (end - begin > MOST_PICTURE)
            return refuse_size(ds, i, k, end - begin, err);
    }
    if (c->offset[n] != bytes)
        return err_set(err, ERR_DATA,
                       "%s: %s_offsets ends with %" PRId64 ", expected %" PRId64
                       ", the bytes of %s",
                       ds->name, c->path, c->offset[n], bytes, c->path);
    return 0;
}

static int read_offsets(struct dataset *ds, int i, int64_t bytes, struct err *err) {
    struct column *c = &ds->column[i];
    char path[LAYOUT_PATH + 16];

    snprintf(path, sizeof path, "%s_offsets", c->path);
    if (h5_read(ds->file, path, H5_TYPE_I64, ds->field[i].rows + 1, c->offset, err))
        return -1;
    return check_offsets(ds, i, bytes, err);
}

/* Opaque values are all of one length. */
static int space_evenly(struct dataset *ds, int i, int64_t item, struct err *err) {
    if (item > MOST_PICTURE)
        return refuse_size(ds, i, 0, item, err);
    for (int64_t k = 0; k <= ds->field[i].rows; k++)
        ds->column[i].offset[k] = k * item;
    return 0;
}

int dataset_find_blobs(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];
    const int64_t n = ds->field[i].rows;

    c->blob = malloc((size_t)n * sizeof *c->blob);
    return c->blob ? h5_blobs_find(c->data, 0, n, c->blob, err) : dataset_no_memory(ds, err);
}

/* As they would lie end to end. */
static int add_lengths(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];
    const int64_t n = ds->field[i].rows;

    if (dataset_find_blobs(ds, i, err))
        return -1;
    c->offset[0] = 0;
    for (int64_t k = 0; k < n; k++) {
        if (c->blob[k].len > MOST_PICTURE)
            return refuse_size(ds, i, k, c->blob[k].len, err);
        c->offset[k + 1] = c->offset[k] + c->blob[k].len;
    }
    return 0;
}

/* Bytes may be anything: is the first picture one? Says what was taken for pictures. */
static int check_first(struct dataset *ds, int i, const struct layout_field *at, struct err *err) {
    const struct column *c = &ds->column[i];
    struct dataset_buffer buffer = {0};
    struct dataset_blob blob;
    int64_t row = 0;
    char what[IMAGE_WHAT], text[DATASET_ROW_TEXT];
    int status = 0;

    while (row < ds->field[i].rows && c->offset[row + 1] == c->offset[row])
        row++;
    if (row == ds->field[i].rows)
        return err_set(err, ERR_DATA, "%s: all pictures of %s are empty", ds->name, c->path);
    if (dataset_read_encoded(ds, i, &row, 1, &blob, &buffer, err))
        return -1;
    const size_t some = blob.len < HEAD_BYTES ? blob.len : HEAD_BYTES;
    const char *format = image_format_of(blob.bytes, some, what);
    if (!format)
        status = err_set(err, ERR_DATA, "%s: is %s; %s %s files of pictures",
                         dataset_row_text(ds, i, row, text), what, c->path,
                         at->told ? "is said to hold" : "is taken for");
    else if (!at->told)
        status = dataset_guess(ds, err,
                               "%s: bytes are taken for files of pictures, of which sample %" PRId64
                               " is a %s; to have nothing guessed, f['%s'].attrs['encoding'] = "
                               "'files'",
                               c->path, row, format, c->path);
    dataset_buffer_release(&buffer);
    return status;
}

int dataset_encoded_init(struct dataset *ds, int i, const struct dataset_layout *at,
                         struct err *err) {
    struct column *c = &ds->column[i];
    const struct h5_info *info = h5_data_info(c->data);
    const int64_t n = ds->field[i].rows;

    if (n < 1)
        return err_set(err, ERR_DATA, "%s: %s is empty, expected at least one image", ds->name,
                       c->path);
    if (info->variable && !info->stored_bytes)
        return err_set(err, ERR_DATA, "%s: %s claims %" PRId64 " rows, none of which was written",
                       ds->name, c->path, n);
    if (check_kind(ds, i, err) || read_channels(ds, i, err) ||
        (!info->variable && dataset_check_stored(ds, c->path, info, err)))
        return -1;
    c->offset = malloc((size_t)(n + 1) * sizeof *c->offset);
    if (!c->offset)
        return dataset_no_memory(ds, err);
    const int status = at->field[i].encoding == LAYOUT_FILES
                           ? read_offsets(ds, i, info->dim[0], err)
                       : info->variable ? add_lengths(ds, i, err)
                                        : space_evenly(ds, i, info->item_bytes, err);
    return status || check_first(ds, i, &at->field[i], err) ? -1 : 0;
}
