/* Are rows what they were when they were written? */
#include "io/dataset/dataset_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Hashes are of rows as they are stored: where these are read as other numbers, only who reads them
 * so can compare them. */
int dataset_hashes_init(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];
    const bool encoded = ds->field[i].kind == DATASET_ENCODED;

    if (!encoded && h5_data_same(c->data) != c->type)
        return 0;
    return row_hashes_read(ds->file, c->path, ds->field[i].rows,
                           encoded ? 0 : (int64_t)c->row_bytes, &c->hashes, err);
}

int64_t dataset_hashed_rows(const struct dataset *ds, int i) {
    int64_t most = ds->n_parts ? 1 : ds->column[i].hashes.each;

    for (int k = 0; k < ds->n_parts && most; k++) {
        const int64_t each = dataset_hashed_rows(ds->part[k].ds, ds->part[k].field[i]);
        most = !each || each > most ? each : most;
    }
    return most;
}

/* What to do where `what` is another. */
static int refuse(const struct dataset *ds, int i, const char *what, struct err *err) {
    const char *path = ds->column[i].path, *name = strrchr(path, '/');

    return err_set(err, ERR_DATA,
                   "%s of %s is not what was written; take a copy of the file that is sound "
                   "('dltrain data verify' lists what is not), or delete the group %.*s/.hash and "
                   "the attribute content_hash of %s if it was changed on purpose",
                   what, path, (int)(name - path), path, path);
}

int dataset_check_rows(const struct dataset *ds, int i, int64_t first, int64_t n, const void *bytes,
                       struct err *err) {
    const struct column *c = &ds->column[i];
    const int64_t rows = ds->field[i].rows, each = c->hashes.each;
    const int64_t k = row_hashes_unlike(&c->hashes, rows, first, n, bytes, c->row_bytes);
    char what[DATASET_ROW_TEXT];

    if (k < 0)
        return 0;
    const int64_t last = (k + 1) * each < rows ? (k + 1) * each - 1 : rows - 1;
    if (last > k * each)
        snprintf(what, sizeof what, "%.300s: one of rows %" PRId64 " to %" PRId64, ds->name,
                 k * each, last);
    else
        snprintf(what, sizeof what, "%.300s: row %" PRId64, ds->name, k * each);
    return refuse(ds, i, what, err);
}

int dataset_check_picture(struct dataset *ds, int i, int64_t row, const struct dataset_blob *blob,
                          struct err *err) {
    const struct column *c = &ds->column[i];
    char what[DATASET_ROW_TEXT + 16], text[DATASET_ROW_TEXT];

    if (!c->hashes.each || content_hash_of(blob->bytes, blob->len) == c->hashes.value[row])
        return 0;
    snprintf(what, sizeof what, "%s: that", dataset_row_text(ds, i, row, text));
    return refuse(ds, i, what, err);
}

int dataset_check_kept(const struct dataset *ds, int i, int64_t row, struct err *err) {
    const struct column *c = &ds->column[i];

    if (c->hashes.each != 1 || c->channels_first || c->void_255)
        return 0;
    return dataset_check_rows(ds, i, row, 1, c->kept + (size_t)row * c->row_bytes, err);
}
