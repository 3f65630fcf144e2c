#include "io/h5/h5_raw.h"

#include "io/h5/h5_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t h5_raw_item(const struct h5_data *data) {
    return data->info.variable ? H5_DESCRIPTOR_BYTES : data->info.item_bytes;
}

int h5_pread(const struct h5_data *data, int64_t at, int64_t n, void *out, struct err *err) {
    const struct h5 *file = data->file;
    unsigned char *to = out;

    while (n) {
        const ssize_t got = pread(file->fd, to, (size_t)n, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != EINVAL) /* a negative place */
            return err_set(err, ERR_IO, "%s:%s: cannot be read: %s", file->name, data->path,
                           strerror(errno));
        if (got <= 0)
            return err_set(err, ERR_DATA,
                           "%s:%s: the file has no byte %lld, where it says that its data lies; it "
                           "is damaged or incomplete",
                           file->name, data->path, (long long)at);
        to += got;
        at += got;
        n -= got;
    }
    return 0;
}

/* Bytes that lie in the file one after another. */
struct stretch {
    int64_t address; /* -1: they do not lie there as they are */
    int64_t len;
};

/* The stretch that begins with byte `first` and has n bytes at most. The lock is held. */
static int find_stretch(const struct h5_data *data, int64_t first, int64_t n, struct stretch *out,
                        struct err *err) {
    const struct h5_info *info = &data->info;
    const int64_t item = h5_raw_item(data);
    haddr_t address = HADDR_UNDEF;
    hsize_t begin[H5_MAX_RANK] = {0}, bytes = 0;
    unsigned filters = 0;

    *out = (struct stretch){-1, n};
    /* Behind a block of another program's some versions count chunks from it, some from the file's
     * beginning. */
    if (data->file->fd < 0 || info->n_filters || (info->chunked && data->file->base))
        return 0;
    if (!info->chunked) {
        address = H5Dget_offset(data->id);
        out->address = address == HADDR_UNDEF ? -1 : (int64_t)address + first;
        return 0;
    }
    const int64_t chunk = info->chunk[0] * item, number = first / chunk, into = first % chunk;
    begin[0] = (hsize_t)(number * info->chunk[0]);
    if (H5Dget_chunk_info_by_coord(data->id, begin, &filters, &address, &bytes) < 0)
        return h5_fail(data->file, data->path, ERR_DATA, "its chunks cannot be found", err);
    if (address == HADDR_UNDEF || bytes < (hsize_t)chunk)
        return err_set(err, ERR_DATA, "%s:%s: its row %lld was never written", data->file->name,
                       data->path, (long long)begin[0]);
    out->address = (int64_t)address + into;
    out->len = n < chunk - into ? n : chunk - into;
    return 0;
}

/* What is filtered, or so small that it lies among the dataset's properties. */
static int read_by_hdf5(struct h5_data *data, int64_t first, int64_t n, void *out,
                        struct err *err) {
    const int64_t item = h5_raw_item(data), row = first / item,
                  rows = (first + n - 1) / item - row + 1;
    unsigned char *values;
    int status;

    if (data->info.variable && data->packed) {
        status = h5_packed_read(data, first, n, out, err);
        return status > 0 ? err_set(err, ERR_DATA, "%s:%s: some of its rows were never written",
                                    data->file->name, data->path)
                          : status;
    }
    if (data->info.variable)
        return err_set(
            err, ERR_DATA,
            "%s:%s: has rows of any length that are packed in a way that is not read, or "
            "kept among the file's properties; expected no compression, which does not "
            "reach such rows",
            data->file->name, data->path);
    values = malloc((size_t)(rows * item));
    if (!values)
        return err_set(err, ERR_IO, "%s:%s: no memory for %lld bytes of it", data->file->name,
                       data->path, (long long)n);
    status = h5_data_read_stored(data, row, rows, values, err);
    if (!status)
        memcpy(out, values + (first - row * item), (size_t)n);
    free(values);
    return status;
}

static int check_range(const struct h5_data *data, int64_t first, int64_t n, struct err *err) {
    const int64_t all = data->info.rank == 1 ? data->info.dim[0] * h5_raw_item(data) : 0;

    if (first >= 0 && n >= 0 && n <= all && first <= all - n)
        return 0;
    return err_set(err, ERR_DATA, "%s:%s: bytes %lld to %lld were asked for, it has %lld",
                   data->file->name, data->path, (long long)first, (long long)(first + n - 1),
                   (long long)all);
}

int h5_raw_read(struct h5_data *data, int64_t first, int64_t n, void *out, struct err *err) {
    unsigned char *to = out;
    struct stretch s;

    if (check_range(data, first, n, err))
        return -1;
    for (; n; first += s.len, to += s.len, n -= s.len) {
        h5_lock();
        const int found = find_stretch(data, first, n, &s, err);
        h5_unlock();
        if (found || (s.address < 0 ? read_by_hdf5(data, first, s.len, to, err)
                                    : h5_pread(data, s.address, s.len, to, err)))
            return -1;
    }
    return 0;
}

void h5_raw_expect(struct h5_data *data, int64_t first, int64_t n) {
    struct err unknown = {0};
    struct stretch s;

    if (check_range(data, first, n, &unknown))
        return;
    for (; n; first += s.len, n -= s.len) {
        h5_lock();
        const int found = find_stretch(data, first, n, &s, &unknown);
        h5_unlock();
        if (found || s.address < 0)
            return;
        (void)posix_fadvise(data->file->fd, (off_t)s.address, (off_t)s.len, POSIX_FADV_WILLNEED);
    }
}
