#include "io/dataset/verify_rows.h"

#include "io/dataset/content_hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int verify_rows_init(struct verify_rows *v, struct h5 *file, const char *path, int64_t rows,
                     int64_t row_bytes, struct err *err) {
    *v = (struct verify_rows){.rows = rows, .row_bytes = row_bytes};
    return row_hashes_read(file, path, rows, row_bytes, &v->hashes, err);
}

void verify_rows_release(struct verify_rows *v) {
    row_hashes_release(&v->hashes);
}

/* The rows first .. last, which no others follow at once, as text. */
static void write_range(struct verify_rows *v) {
    const size_t used = strlen(v->text), room = sizeof v->text - used;
    char range[64];

    if (!v->n)
        return;
    const int some =
        snprintf(range, sizeof range, v->last > v->first ? "%" PRId64 " to %" PRId64 : "%" PRId64,
                 v->first, v->last);
    if (v->n_left_out || (size_t)some + 3 > room)
        v->n_left_out += v->last - v->first + 1;
    else
        snprintf(v->text + used, room, "%s%s", used ? ", " : "", range);
}

static void add_unlike(struct verify_rows *v, int64_t first, int64_t last) {
    if (v->n && v->last + 1 == first)
        v->last = last;
    else {
        write_range(v);
        v->first = first;
        v->last = last;
    }
    v->n += last - first + 1;
}

void verify_rows_add(struct verify_rows *v, int64_t first, int64_t n, const void *bytes) {
    const unsigned char *const rows = bytes;
    const int64_t end = first + n, each = v->hashes.each;

    for (int64_t at = first, k = 0; at < end && k >= 0; at = (k + 1) * each) {
        k = row_hashes_unlike(&v->hashes, v->rows, at, end - at,
                              rows + (size_t)((at - first) * v->row_bytes), (size_t)v->row_bytes);
        if (k >= 0)
            add_unlike(v, k * each, ((k + 1) * each < v->rows ? (k + 1) * each : v->rows) - 1);
    }
}

void verify_rows_add_one(struct verify_rows *v, int64_t row, const void *bytes, size_t len) {
    if (v->hashes.each && content_hash_of(bytes, len) != v->hashes.value[row])
        add_unlike(v, row, row);
}

int verify_rows_end(struct verify_rows *v, const struct h5 *file, const char *path,
                    struct err *err) {
    char more[48] = "";

    if (!v->n)
        return v->hashes.each > 0;
    write_range(v);
    if (v->n_left_out)
        snprintf(more, sizeof more, " and %" PRId64 " more", v->n_left_out);
    return err_set(err, ERR_DATA,
                   "%s:%s: is not what was written: %s %s%s of %" PRId64
                   "; take a copy that is sound, or delete the group .hash beside it and the "
                   "attribute content_hash if it was changed on purpose",
                   h5_name(file), path, v->n == 1 ? "row" : "rows", v->text, more, v->rows);
}
