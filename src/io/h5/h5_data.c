/* Datasets: numbers in rows. */
#include "io/h5/h5_filter.h"
#include "io/h5/h5_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { CHUNK_BYTES = 1 << 20, CACHE_BYTES = 16 << 20, CACHE_CHUNKS = 4, CACHE_SLOTS = 10007 };

void h5_let_go(struct h5 *file, hid_t dataset) {
    if (H5Dclose(dataset) < 0)
        file->broken = true;
}

static void data_free(struct h5_data *data) {
    h5_packed_free(data->packed);
    if (data->id >= 0)
        h5_let_go(data->file, data->id);
    free(data->path);
    free(data);
}

static struct h5_data *data_new(struct h5 *file, const char *path, struct err *err) {
    struct h5_data *data = calloc(1, sizeof *data);

    if (data)
        data->path = h5_strdup(path);
    if (!data || !data->path) {
        free(data);
        err_set(err, ERR_IO, "%s:%s: out of memory", file->name, path);
        return NULL;
    }
    data->id = -1;
    data->file = file;
    return data;
}

static int refuse(const struct h5_data *data, const char *what, struct err *err) {
    return err_set(err, ERR_DATA, "%s:%s: %s", data->file->name, data->path, what);
}

/* Where and how the numbers lie: inside the file, through filters that this program has. */
static int inspect_storage(struct h5_data *data, hid_t list, struct err *err) {
    struct h5_info *info = &data->info;
    const H5D_layout_t layout = H5Pget_layout(list);

    if (layout == H5D_VIRTUAL)
        return refuse(data, "is a virtual dataset, made of other files; expected the data itself",
                      err);
    if (H5Pget_external_count(list) != 0)
        return refuse(data, "is stored in other files; expected the data itself", err);
    info->n_filters = H5Pget_nfilters(list);
    info->most_ratio = 1;
    for (int i = 0; i < info->n_filters; i++) {
        unsigned flags, config;
        size_t n = 0;
        char name[64] = "";
        const H5Z_filter_t id =
            H5Pget_filter2(list, (unsigned)i, &flags, &n, NULL, sizeof name, name, &config);

        if (id < 0 || H5Zfilter_avail(id) <= 0)
            return err_set(err, ERR_DATA,
                           "%s:%s: needs filter %d (%s), which is not available; expected gzip, "
                           "lzf or no compression",
                           data->file->name, data->path, (int)id, *name ? name : "unnamed");
        if (h5_filter_ratio(id) > info->most_ratio)
            info->most_ratio = h5_filter_ratio(id);
    }
    info->chunked = layout == H5D_CHUNKED;
    if (info->chunked) {
        hsize_t chunk[H5S_MAX_RANK];
        const int rank = H5Pget_chunk(list, H5S_MAX_RANK, chunk);

        for (int i = 0; i < rank && i < H5_MAX_RANK; i++)
            info->chunk[i] = (int64_t)chunk[i];
    }
    return 0;
}

/* Are its values called otherwise than truth values? */
static bool has_names(hid_t type) {
    if (H5Tget_class(type) != H5T_ENUM)
        return false;
    const int n = H5Tget_nmembers(type);
    bool truth = n <= 2;
    for (int i = 0; i < n && truth; i++) {
        char *name = H5Tget_member_name(type, (unsigned)i);

        truth = name && (!strcasecmp(name, "FALSE") || !strcasecmp(name, "TRUE"));
        H5free_memory(name);
    }
    return !truth;
}

static int inspect_shape(struct h5_data *data, struct err *err) {
    struct h5_info *info = &data->info;
    const hid_t space = H5Dget_space(data->id), type = H5Dget_type(data->id);
    const int rank = H5Sget_simple_extent_ndims(space);
    hsize_t dim[H5S_MAX_RANK] = {0};
    int64_t bytes = (int64_t)H5Tget_size(type);
    int status = 0;

    info->class = h5_class_of(type);
    info->truth = H5Tget_class(type) == H5T_ENUM;
    info->named = has_names(type);
    info->variable = H5Tget_class(type) == H5T_VLEN || H5Tis_variable_str(type) > 0;
    info->item_bytes = bytes > 0 && bytes <= INT32_MAX ? (int)bytes : 0;
    if (rank < 0 || !info->item_bytes || H5Sget_simple_extent_dims(space, dim, NULL) < 0)
        status = h5_fail(data->file, data->path, ERR_DATA, "its shape cannot be read", err);
    else if (rank > H5_MAX_RANK)
        status = err_set(err, ERR_DATA, "%s:%s: has %d dimensions, expected at most %d",
                         data->file->name, data->path, rank, H5_MAX_RANK);
    /* Zero rows of an overflowing size are refused as well. */
    for (int i = 0; !status && i < rank; i++) {
        const int64_t d = dim[i] <= INT64_MAX ? (int64_t)dim[i] : INT64_MAX;

        if (d > INT64_MAX / bytes)
            status = refuse(data, "its dimensions are impossibly large", err);
        else
            bytes *= d ? d : 1;
        info->dim[i] = d;
    }
    info->rank = rank;
    H5Tclose(type);
    H5Sclose(space);
    return status;
}

/* Data in one piece lies within the file; behind its end HDF5 would read zeros. */
static int check_end(const struct h5_data *data, struct err *err) {
    const haddr_t begin = data->info.chunked ? HADDR_UNDEF : H5Dget_offset(data->id);
    struct stat st;

    if (data->file->fd < 0 || begin == HADDR_UNDEF)
        return 0;
    if (fstat(data->file->fd, &st))
        return err_set(err, ERR_IO, "%s: %s", data->file->name, strerror(errno));
    if (begin <= (haddr_t)st.st_size &&
        (haddr_t)data->info.stored_bytes <= (haddr_t)st.st_size - begin)
        return 0;
    return err_set(
        err, ERR_DATA,
        "%s:%s: is said to have %lld bytes from byte %llu of the file on, which has %lld",
        data->file->name, data->path, (long long)data->info.stored_bytes, (unsigned long long)begin,
        (long long)st.st_size);
}

/* Counting chunks reads their index. 0 is also what a failure gives, which leaves a reason behind.
 */
static int inspect_size(struct h5_data *data, struct err *err) {
    data->info.stored_bytes = (int64_t)H5Dget_storage_size(data->id);
    if (!data->info.stored_bytes && H5Eget_num(H5E_DEFAULT) > 0)
        return h5_fail(data->file, data->path, ERR_DATA, "its storage cannot be read", err);
    return check_end(data, err);
}

/* The longest unused go first. At 1, those that were read in part never go (1.10.8), and memory
 * grows to all that is read. */
#define LATEST_STAY 0.0

/* Open with a cache that holds some chunks: HDF5 bypasses it for larger ones, and would read
 * and unpack a whole chunk for every row. */
static int open_cached(struct h5_data *data, size_t chunk_bytes, struct err *err) {
    const hid_t list = H5Pcreate(H5P_DATASET_ACCESS);
    const size_t several = chunk_bytes * CACHE_CHUNKS;
    int status = 0;

    H5Pset_chunk_cache(list, CACHE_SLOTS, several > CACHE_BYTES ? several : CACHE_BYTES,
                       LATEST_STAY);
    data->id = H5Dopen2(data->file->id, data->path, list);
    if (data->id < 0)
        status = h5_fail(data->file, data->path, ERR_DATA, "cannot be opened as a dataset", err);
    H5Pclose(list);
    return status;
}

static size_t chunk_bytes(const struct h5_info *info) {
    size_t bytes = info->chunked ? (size_t)info->item_bytes : 0;

    for (int i = 0; i < info->rank; i++)
        bytes *= (size_t)info->chunk[i];
    return bytes;
}

/* The type in memory that has the bytes of the stored one; 0: none has. */
static enum h5_type find_same_type(const struct h5_data *data) {
    static const enum h5_type types[] = {H5_TYPE_U8, H5_TYPE_I32, H5_TYPE_I64, H5_TYPE_F32,
                                         H5_TYPE_F64};
    const hid_t stored = H5Dget_type(data->id);
    enum h5_type found = 0;

    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        if (H5Tequal(stored, h5_memory_type(types[k])) > 0)
            found = types[k];
    H5Tclose(stored);
    return found;
}

static int data_open(struct h5_data *data, bool known, struct err *err) {
    const char *path = data->path;
    struct h5 *file = data->file;
    hid_t list;
    int status;

    if (h5_path_require(file, path, "dataset", err))
        return -1;
    if (open_cached(data, 0, err))
        return -1;
    list = H5Dget_create_plist(data->id);
    if (list < 0)
        return h5_fail(file, path, ERR_DATA, "its properties cannot be read", err);
    status = inspect_storage(data, list, err);
    H5Pclose(list);
    if (status || inspect_shape(data, err) || (!known && inspect_size(data, err)))
        return -1;
    data->same = find_same_type(data);
    data->direct = h5_raw_direct(data);
    if (h5_packed_new(&data->packed, data, err))
        return -1;
    if (chunk_bytes(&data->info) * CACHE_CHUNKS > CACHE_BYTES) {
        H5Dclose(data->id);
        return open_cached(data, chunk_bytes(&data->info), err);
    }
    return 0;
}

static int open_locked(struct h5_data **out, struct h5 *file, const char *path, bool known,
                       struct err *err) {
    struct h5_data *data = data_new(file, path, err);
    int status;

    if (!data)
        return -1;
    h5_lock();
    status = data_open(data, known, err);
    if (status)
        data_free(data);
    else
        *out = data;
    h5_unlock();
    return status;
}

int h5_data_open(struct h5_data **out, struct h5 *file, const char *path, struct err *err) {
    return open_locked(out, file, path, false, err);
}

int h5_data_open_known(struct h5_data **out, struct h5 *file, const char *path, struct err *err) {
    return open_locked(out, file, path, true, err);
}

int64_t h5_row_len(const struct h5_info *info) {
    int64_t len = 1;

    for (int i = 1; i < info->rank; i++)
        len *= info->dim[i];
    return len;
}

/* Describe the growing dataset in data->info. */
static void plan_chunks(struct h5_data *data, int rank, const int64_t *sample, int64_t chunk_rows) {
    struct h5_info *info = &data->info;
    int64_t row_bytes;

    info->rank = rank;
    info->item_bytes = (int)h5_type_bytes(data->type);
    info->chunked = true;
    info->class = h5_class_of(h5_memory_type(data->type));
    for (int i = 1; i < rank; i++)
        info->dim[i] = info->chunk[i] = sample[i - 1];
    row_bytes = h5_row_len(info) * info->item_bytes;
    info->chunk[0] = chunk_rows                ? chunk_rows
                     : row_bytes < CHUNK_BYTES ? CHUNK_BYTES / row_bytes
                                               : 1;
}

static int data_create(struct h5_data *data, struct err *err) {
    const struct h5_info *info = &data->info;
    hsize_t dim[H5_MAX_RANK], most[H5_MAX_RANK], chunk[H5_MAX_RANK];
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), access = H5Pcreate(H5P_DATASET_ACCESS);
    const size_t cache = chunk_bytes(info) * 2;
    hid_t space;
    int status = 0;

    for (int i = 0; i < info->rank; i++) {
        dim[i] = (hsize_t)info->dim[i];
        chunk[i] = (hsize_t)info->chunk[i];
        most[i] = i ? dim[i] : H5S_UNLIMITED;
    }
    space = H5Screate_simple(info->rank, dim, most);
    H5Pset_chunk(list, info->rank, chunk);
    H5Pset_obj_track_times(list, 0);
    H5Pset_chunk_cache(access, CACHE_SLOTS, cache > CACHE_BYTES ? cache : CACHE_BYTES, 1.0);
    data->id = H5Dcreate2(data->file->id, data->path, h5_memory_type(data->type), space,
                          H5P_DEFAULT, list, access);
    if (data->id < 0)
        status = h5_fail(data->file, data->path, ERR_IO, "cannot be created", err);
    if (space >= 0)
        H5Sclose(space);
    H5Pclose(list);
    H5Pclose(access);
    return status;
}

int h5_data_create(struct h5_data **out, struct h5 *file, const char *path, enum h5_type type,
                   int rank, const int64_t *sample, int64_t chunk_rows, struct err *err) {
    struct h5_data *data = data_new(file, path, err);
    int status;

    if (!data)
        return -1;
    data->type = type;
    h5_lock();
    plan_chunks(data, rank, sample, chunk_rows);
    status = data_create(data, err);
    if (status)
        data_free(data);
    else
        *out = data;
    h5_unlock();
    return status;
}

void h5_data_close(struct h5_data *data) {
    if (!data)
        return;
    h5_lock();
    if (data->file->broken)
        data->id = -1;
    data_free(data);
    h5_unlock();
}

enum h5_type h5_data_same(const struct h5_data *data) {
    return data->same;
}

const struct h5_info *h5_data_info(const struct h5_data *data) {
    return &data->info;
}

static int append(struct h5_data *data, int64_t n, const void *rows, struct err *err) {
    const int64_t before = data->info.dim[0];
    hsize_t dim[H5_MAX_RANK];
    hid_t space, memory;
    herr_t written;

    data->info.dim[0] += n;
    for (int i = 0; i < data->info.rank; i++)
        dim[i] = (hsize_t)data->info.dim[i];
    if (H5Dset_extent(data->id, dim) < 0)
        return h5_fail(data->file, data->path, ERR_IO, "cannot be extended", err);
    space = h5_select_rows(data, before, n, &memory);
    written = H5Dwrite(data->id, h5_memory_type(data->type), memory, space, H5P_DEFAULT, rows);
    if (written < 0) {
        data->file->broken = true;
        h5_fail(data->file, data->path, ERR_IO, "cannot be written; is the disk full?", err);
    }
    H5Sclose(memory);
    H5Sclose(space);
    return written < 0 ? -1 : 0;
}

int h5_data_append(struct h5_data *data, int64_t n, const void *rows, struct err *err) {
    int status = 0;

    h5_lock();
    if (n > 0)
        status = append(data, n, rows, err);
    h5_unlock();
    return status;
}
