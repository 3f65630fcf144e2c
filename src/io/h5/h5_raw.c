#include "io/h5/h5_raw.h"

#include "io/h5/h5_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t h5_raw_row(const struct h5_data *data) {
    return data->info.variable ? H5_DESCRIPTOR_BYTES
                               : h5_row_len(&data->info) * data->info.item_bytes;
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
    int64_t address, len;
};

enum found { LIES_THERE, BY_HDF5, NEVER_WRITTEN, FAILED };

static enum found find_in_chunk(const struct h5_data *data, int64_t first, int64_t n,
                                struct stretch *out, struct err *err) {
    const int64_t rows = data->info.chunk[0], chunk = rows * h5_raw_row(data);
    const int64_t into = first % chunk;
    hsize_t begin[H5_MAX_RANK] = {(hsize_t)(first / chunk * rows)}, bytes = 0;
    haddr_t address = HADDR_UNDEF;
    unsigned filters = 0;

    out->len = n < chunk - into ? n : chunk - into;
    if (H5Dget_chunk_info_by_coord(data->id, begin, &filters, &address, &bytes) < 0) {
        h5_fail(data->file, data->path, ERR_DATA, "its chunks cannot be found", err);
        return FAILED;
    }
    if (address == HADDR_UNDEF || bytes < (hsize_t)chunk)
        return NEVER_WRITTEN;
    out->address = (int64_t)address + into;
    return LIES_THERE;
}

/* The stretch that begins with byte `first` of all rows and has n bytes at most. */
static enum found find_stretch(const struct h5_data *data, int64_t first, int64_t n,
                               struct stretch *out, struct err *err) {
    enum found found = BY_HDF5;

    *out = (struct stretch){-1, n};
    if (!data->direct)
        return BY_HDF5;
    h5_lock();
    if (data->info.chunked)
        found = find_in_chunk(data, first, n, out, err);
    else {
        const haddr_t address = H5Dget_offset(data->id);

        out->address = (int64_t)address + first;
        found = address == HADDR_UNDEF ? BY_HDF5 : LIES_THERE;
    }
    h5_unlock();
    return found;
}

/* Behind a block of another program's some versions count chunks from it, some from the beginning
 * of the file. */
bool h5_raw_direct(const struct h5_data *data) {
    return data->file->fd >= 0 && data->info.rank > 0 && !data->info.n_filters &&
           (!data->info.chunked || (!data->file->base && h5_whole_rows(&data->info)));
}

int h5_direct_read(const struct h5_data *data, int64_t first, int64_t n, void *out,
                   struct err *err) {
    unsigned char *to = out;
    struct stretch s;

    for (; n; first += s.len, to += s.len, n -= s.len) {
        const enum found found = find_stretch(data, first, n, &s, err);

        if (found != LIES_THERE)
            return found == FAILED ? -1 : 1;
        if (h5_pread(data, s.address, s.len, to, err))
            return -1;
    }
    return 0;
}

/* What is filtered, or so small that it lies among the dataset's properties. */
static int read_by_hdf5(struct h5_data *data, int64_t first, int64_t n, void *out,
                        struct err *err) {
    const int64_t item = h5_raw_row(data), row = first / item,
                  rows = (first + n - 1) / item - row + 1;
    unsigned char *values;
    int status;

    if (data->info.variable && data->packed) {
        status = h5_packed_read(data, first, n, out, err);
        return status > 0 ? err_set(err, ERR_DATA, "%s:%s: some of its rows were never written",
                                    data->file->name, data->path)
                          : status;
    }
    if (data->info.variable && data->info.chunked && data->file->base)
        return err_set(err, ERR_DATA,
                       "%s:%s: has rows of any length in chunks behind a user block, which are not "
                       "read; expected no chunks, or no user block",
                       data->file->name, data->path);
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
    const int64_t all = data->info.rank == 1 ? data->info.dim[0] * h5_raw_row(data) : 0;

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
        const enum found found = find_stretch(data, first, n, &s, err);

        if (found == NEVER_WRITTEN)
            err_set(err, ERR_DATA, "%s:%s: byte %lld of it was never written", data->file->name,
                    data->path, (long long)first);
        if (found == NEVER_WRITTEN || found == FAILED)
            return -1;
        if (found == BY_HDF5 ? read_by_hdf5(data, first, s.len, to, err)
                             : h5_pread(data, s.address, s.len, to, err))
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
        if (find_stretch(data, first, n, &s, &unknown) != LIES_THERE)
            return;
        (void)posix_fadvise(data->file->fd, (off_t)s.address, (off_t)s.len, POSIX_FADV_WILLNEED);
    }
}
