#include "io/dataset/row_hash.h"

#include "io/dataset/content_hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define ROWS_EACH "each"

enum { PATH_TEXT = 4200, FIRST_ROOM = 1024 };

struct row_hash {
    XXH3_state_t *state; /* of the rows since the last hash */
    int64_t row_bytes;   /* 0: each row has a length of its own */
    int64_t each, some;  /* rows of a hash; of those in state */
    uint64_t *value;
    int64_t n, room;
};

/* --- in the file --- */

/* "/train/.hash/images" of /train/images, and the group that it is in. */
static void path_of(const char *path, char group[PATH_TEXT], char hashes[PATH_TEXT]) {
    const char *name = strrchr(path, '/');

    snprintf(group, PATH_TEXT, "%.*s/.hash", (int)(name - path), path);
    snprintf(hashes, PATH_TEXT, "%.*s/.hash%s", (int)(name - path), path, name);
}

static uint64_t hash_of(const uint64_t *value, int64_t n) {
    return content_hash_of(value, (size_t)n * sizeof *value);
}

int64_t row_hash_each(int64_t row_bytes) {
    return row_bytes && row_bytes < ROW_HASH_BYTES ? (ROW_HASH_BYTES + row_bytes - 1) / row_bytes
                                                   : 1;
}

int64_t row_hashes_len(int64_t rows, int64_t each) {
    return each ? (rows + each - 1) / each : 0;
}

static int refuse(const struct h5 *file, const char *path, const char *what, struct err *err) {
    char group[PATH_TEXT], hashes[PATH_TEXT];

    path_of(path, group, hashes);
    return err_set(err, ERR_DATA,
                   "%s:%.200s: %s; take a copy of the file that is sound, or delete the group "
                   "%.200s and the attribute content_hash of what was changed on purpose",
                   h5_name(file), hashes, what, group);
}

/* Do the hashes hold what they held? */
static int check_hashes(struct h5 *file, const char *path, const char *hashes,
                        const struct row_hashes *h, int64_t n, struct err *err) {
    char found[32], *written;
    const int told = h5_attr_exists(file, hashes, CONTENT_HASH, err);

    if (told <= 0)
        return told;
    if (h5_attr_text(file, hashes, CONTENT_HASH, &written, err))
        return -1;
    snprintf(found, sizeof found, "xxh3:%016" PRIx64, hash_of(h->value, n));
    const bool same = !strcmp(found, written);
    free(written);
    return same ? 0 : refuse(file, path, "is damaged: its content_hash is of other numbers", err);
}

/* Are there as many as so many rows have, of as many rows each as they should be? */
static int check_numbers(struct h5 *file, const char *path, const char *hashes, int64_t rows,
                         int64_t row_bytes, struct err *err) {
    const int64_t each = row_hash_each(row_bytes), n = row_hashes_len(rows, each);
    char what[160];
    struct h5_data *data;
    int64_t told;

    if (h5_attr_int(file, hashes, ROWS_EACH, &told, err) || h5_data_open(&data, file, hashes, err))
        return -1;
    const struct h5_info *info = h5_data_info(data);
    const int64_t found = info->rank == 1 ? info->dim[0] : 0;
    h5_data_close(data);
    if (told == each && found == n)
        return 0;
    snprintf(what, sizeof what,
             "has %" PRId64 " hashes, each of %" PRId64 " rows; %" PRId64 " rows have %" PRId64
             ", each of %" PRId64,
             found, told, rows, n, each);
    return refuse(file, path, what, err);
}

static int read_values(struct h5 *file, const char *path, const char *hashes, int64_t n,
                       struct row_hashes *out, struct err *err) {
    out->value = malloc((size_t)n * sizeof *out->value + 1);
    if (!out->value)
        return err_set(err, ERR_IO, "%s: out of memory", h5_name(file));
    return h5_read(file, hashes, H5_TYPE_I64, n, out->value, err) ||
                   check_hashes(file, path, hashes, out, n, err)
               ? -1
               : 0;
}

int row_hashes_exist(struct h5 *file, const char *path, struct err *err) {
    char group[PATH_TEXT], hashes[PATH_TEXT];

    path_of(path, group, hashes);
    return h5_is_data(file, hashes, err);
}

int row_hashes_read(struct h5 *file, const char *path, int64_t rows, int64_t row_bytes,
                    struct row_hashes *out, struct err *err) {
    char group[PATH_TEXT], hashes[PATH_TEXT];

    *out = (struct row_hashes){0};
    path_of(path, group, hashes);
    const int there = row_hashes_exist(file, path, err);
    if (there <= 0)
        return there;
    if (check_numbers(file, path, hashes, rows, row_bytes, err))
        return -1;
    out->each = row_hash_each(row_bytes);
    if (!read_values(file, path, hashes, row_hashes_len(rows, out->each), out, err))
        return 0;
    row_hashes_release(out);
    return -1;
}

void row_hashes_release(struct row_hashes *h) {
    free(h->value);
    *h = (struct row_hashes){0};
}

int64_t row_hashes_unlike(const struct row_hashes *h, int64_t rows, int64_t first, int64_t n,
                          const void *bytes, size_t row_bytes) {
    const unsigned char *at = bytes;

    for (int64_t k = row_hashes_len(first, h->each); h->each; k++) {
        const int64_t begin = k * h->each, left = rows - begin;
        const int64_t some = left < h->each ? left : h->each;

        if (some < 1 || begin + some > first + n)
            break;
        if (XXH3_64bits(at + (size_t)(begin - first) * row_bytes, (size_t)some * row_bytes) !=
            h->value[k])
            return k;
    }
    return -1;
}

/* --- on their way there --- */

struct row_hash *row_hash_new(int64_t row_bytes) {
    struct row_hash *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->row_bytes = row_bytes;
    h->each = row_hash_each(row_bytes);
    h->state = XXH3_createState();
    if (!h->state) {
        free(h);
        return NULL;
    }
    XXH3_64bits_reset(h->state);
    return h;
}

int row_hash_add_value(struct row_hash *h, uint64_t value) {
    if (h->n == h->room) {
        const int64_t room = h->room ? 2 * h->room : FIRST_ROOM;
        uint64_t *more = realloc(h->value, (size_t)room * sizeof *more);

        if (!more)
            return -1;
        h->value = more;
        h->room = room;
    }
    h->value[h->n++] = value;
    return 0;
}

/* The rows that were added since the last hash have one. */
static int end_hash(struct row_hash *h) {
    const uint64_t value = XXH3_64bits_digest(h->state);

    h->some = 0;
    XXH3_64bits_reset(h->state);
    return row_hash_add_value(h, value);
}

int row_hash_add(struct row_hash *h, const void *rows, int64_t n) {
    const unsigned char *at = rows;

    while (n > 0) {
        const int64_t lacks = h->each - h->some, more = n < lacks ? n : lacks;

        XXH3_64bits_update(h->state, at, (size_t)(more * h->row_bytes));
        at += more * h->row_bytes;
        n -= more;
        h->some += more;
        if (h->some == h->each && end_hash(h))
            return -1;
    }
    return 0;
}

int row_hash_add_one(struct row_hash *h, const void *bytes, size_t len) {
    return row_hash_add_value(h, content_hash_of(bytes, len));
}

int row_hash_write(struct row_hash *h, struct h5 *file, const char *path, struct err *err) {
    char group[PATH_TEXT], hashes[PATH_TEXT], text[32];

    if (h->some && end_hash(h))
        return err_set(err, ERR_IO, "%s: out of memory", h5_name(file));
    path_of(path, group, hashes);
    snprintf(text, sizeof text, "xxh3:%016" PRIx64, hash_of(h->value, h->n));
    const int there = h5_is_group(file, group, err);
    return there < 0 || (!there && h5_group_create(file, group, err)) ||
                   h5_write(file, hashes, H5_TYPE_I64, 1, &h->n, h->value, err) ||
                   h5_attr_write_int(file, hashes, ROWS_EACH, h->each, err) ||
                   h5_attr_write_text(file, hashes, CONTENT_HASH, text, err)
               ? -1
               : 0;
}

void row_hash_free(struct row_hash *h) {
    if (!h)
        return;
    XXH3_freeState(h->state);
    free(h->value);
    free(h);
}
