/* Rows of any length. HDF5 (1.10) copies such a row to memory of the size that the dataset tells,
 * and as much as the heap tells: a file in which these differ writes where it likes. So both are
 * read and compared here. */
#include "io/h5/h5_private.h"
#include "io/h5/h5_raw.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HEAP_HEAD = 16,   /* GCOL, version 1, 3 bytes, the size of the heap */
    OBJECT_HEAD = 16, /* number, references, 4 bytes, the size of the object */
    OBJECT_ALIGN = 8,
    MOST_OBJECTS = 1 << 16,
    WINDOW = 512,
    FIND_ROWS = 1 << 16,
    MOST_TEXT = 1 << 20,
};

static uint64_t little(const unsigned char *bytes, int n) {
    uint64_t value = 0;

    for (int i = 0; i < n; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static int refuse(const struct h5_data *data, const char *what, int64_t at, struct err *err) {
    return err_set(err, ERR_DATA, "%s:%s: %s at byte %lld of the file; it is damaged",
                   data->file->name, data->path, what, (long long)at);
}

/* length (4), address (8), object (4); an address of all ones or 0 is none. */
static int take_descriptor(const struct h5_data *data, const unsigned char *bytes, int64_t row,
                           struct h5_blob *out, struct err *err) {
    const uint64_t address = little(bytes + 4, 8);

    *out = (struct h5_blob){.object = (uint32_t)little(bytes + 12, 4),
                            .len = (uint32_t)little(bytes, 4)};
    if (!address || address == UINT64_MAX || !out->len) {
        out->len = 0;
        return 0;
    }
    if (address > (uint64_t)(INT64_MAX - data->file->base))
        return err_set(err, ERR_DATA, "%s:%s: row %lld lies outside the file; it is damaged",
                       data->file->name, data->path, (long long)row);
    out->address = (int64_t)address + data->file->base;
    return 0;
}

int h5_blobs_find(struct h5_data *data, int64_t first, int64_t n, struct h5_blob *out,
                  struct err *err) {
    unsigned char *bytes;
    int status = 0;

    if (!data->info.variable || data->file->fd < 0 || data->file->small_heads)
        return err_set(err, ERR_DATA,
                       "%s:%s: expected rows of any length in a file on disk, with addresses of 8 "
                       "bytes",
                       data->file->name, data->path);
    bytes = malloc((size_t)FIND_ROWS * H5_DESCRIPTOR_BYTES);
    if (!bytes)
        return err_set(err, ERR_IO, "%s:%s: out of memory", data->file->name, data->path);
    for (int64_t done = 0; !status && done < n; done += FIND_ROWS) {
        const int64_t some = n - done < FIND_ROWS ? n - done : FIND_ROWS;

        status = h5_raw_read(data, (first + done) * H5_DESCRIPTOR_BYTES, some * H5_DESCRIPTOR_BYTES,
                             bytes, err);
        for (int64_t k = 0; !status && k < some; k++)
            status = take_descriptor(data, bytes + k * H5_DESCRIPTOR_BYTES, first + done + k,
                                     &out[done + k], err);
    }
    free(bytes);
    return status;
}

/* The beginning of a heap, and further pieces of it as it is walked through. */
struct heap_window {
    int64_t at, len;
    unsigned char bytes[WINDOW];
};

/* `n` bytes at a place: those that are there already, or read anew with what follows. NULL: err. */
static const unsigned char *look(const struct h5_data *data, struct heap_window *w, int64_t at,
                                 int64_t n, struct err *err) {
    if (w->len < n || at < w->at || at > w->at + w->len - n) {
        const ssize_t got = pread(data->file->fd, w->bytes, WINDOW, (off_t)at);

        w->at = at;
        w->len = got > 0 ? got : 0;
        /* Too few, or a failure, which this tells apart. */
        if (w->len < n && h5_pread(data, at, n, w->bytes, err))
            return NULL;
        w->len = w->len < n ? n : w->len;
    }
    return w->bytes + (at - w->at);
}

/* The place of an object of a heap, which must hold as many bytes as the row claims. */
static int find_object(const struct h5_data *data, const struct h5_blob *blob, int64_t *place,
                       struct err *err) {
    struct heap_window w = {0};
    const unsigned char *head = look(data, &w, blob->address, HEAP_HEAD, err);

    if (!head)
        return -1;
    if (memcmp(head, "GCOL\1", 5) != 0)
        return refuse(data, "a row is said to lie where there is no heap,", blob->address, err);
    const uint64_t size = little(head + 8, 8);
    uint64_t at = HEAP_HEAD;
    for (int k = 0; k < MOST_OBJECTS && at <= size && size - at >= OBJECT_HEAD; k++) {
        const int64_t here = blob->address + (int64_t)at;

        if (size > INT64_MAX || here < blob->address ||
            !(head = look(data, &w, here, OBJECT_HEAD, err)))
            break;
        const uint64_t number = little(head, 2), bytes = little(head + 8, 8);
        at += OBJECT_HEAD;
        if (!number || bytes > size - at)
            break;
        if (number == blob->object && bytes != blob->len)
            return refuse(data, "a row and its heap disagree on its length", here, err);
        if (number == blob->object) {
            *place = here + OBJECT_HEAD;
            return 0;
        }
        at += (bytes + OBJECT_ALIGN - 1) / OBJECT_ALIGN * OBJECT_ALIGN;
    }
    if (err->kind)
        return -1;
    return refuse(data, "a row is not in its heap", blob->address, err);
}

int h5_blob_read(struct h5_data *data, const struct h5_blob *blob, void *out, struct err *err) {
    struct err problem = {0};
    int64_t place = 0;

    if (!blob->len)
        return 0;
    if (!find_object(data, blob, &place, &problem))
        return h5_pread(data, place, blob->len, out, err);
    *err = problem;
    return -1;
}

void h5_blob_expect(struct h5_data *data, const struct h5_blob *blob) {
    if (blob->len)
        (void)posix_fadvise(data->file->fd, (off_t)blob->address,
                            (off_t)blob->len + HEAP_HEAD + OBJECT_HEAD, POSIX_FADV_WILLNEED);
}

/* A text of variable length, malloc'd with its end. */
static int read_variable(struct h5_data *data, int64_t row, char *text, size_t room,
                         struct err *err) {
    struct h5_blob blob;
    char *all;
    int status;

    if (h5_blobs_find(data, row, 1, &blob, err))
        return -1;
    if (blob.len > MOST_TEXT)
        return refuse(data, "a text is unreasonably long", blob.address, err);
    all = calloc((size_t)blob.len + 1, 1);
    if (!all)
        return err_set(err, ERR_IO, "%s:%s: out of memory", data->file->name, data->path);
    status = h5_blob_read(data, &blob, all, err);
    if (!status) {
        const size_t len = strnlen(all, room - 1);

        memcpy(text, all, len);
        text[len] = 0;
    }
    free(all);
    return status;
}

/* Of fixed length, padded by zeros or blanks. */
static int read_fixed(struct h5_data *data, int64_t row, char *text, size_t room, struct err *err) {
    const int64_t item = data->info.item_bytes;
    const int64_t some = item < (int64_t)room - 1 ? item : (int64_t)room - 1;

    if (h5_raw_read(data, row * item, some, text, err))
        return -1;
    text[some] = 0;
    for (size_t len = strlen(text); len && text[len - 1] == ' '; len--)
        text[len - 1] = 0;
    return 0;
}

int h5_text_read(struct h5_data *data, int64_t row, char *text, size_t room, struct err *err) {
    if (data->info.class != H5_CLASS_TEXT || data->info.rank != 1)
        return err_set(err, ERR_DATA, "%s:%s: expected texts [n]", data->file->name, data->path);
    return data->info.variable ? read_variable(data, row, text, room, err)
                               : read_fixed(data, row, text, room, err);
}

int h5_text_row(struct h5 *file, const char *path, int64_t row, char *text, size_t room,
                struct err *err) {
    struct h5_data *data;

    if (h5_data_open(&data, file, path, err))
        return -1;
    const int status = h5_text_read(data, row, text, room, err);
    h5_data_close(data);
    return status;
}
