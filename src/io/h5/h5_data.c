/* Datasets: numbers in rows. */
#include "io/h5/h5_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHUNK_BYTES = 1 << 20, CACHE_BYTES = 16 << 20, CACHE_CHUNKS = 4, CACHE_SLOTS = 10007 };

static void data_free(struct h5_data *data) {
    if (data->id >= 0)
        H5Dclose(data->id);
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
    for (int i = 0; i < info->n_filters; i++) {
        unsigned flags, config;
        size_t n = 0;
        char name[64] = "";
        const H5Z_filter_t id =
            H5Pget_filter2(list, (unsigned)i, &flags, &n, NULL, sizeof name, name, &config);

        if (id < 0 || H5Zfilter_avail(id) <= 0)
            return err_set(err, ERR_DATA,
                           "%s:%s: needs filter %d (%s), which is not available; expected gzip or "
                           "no compression",
                           data->file->name, data->path, (int)id, *name ? name : "unnamed");
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

/* Counting chunks reads their index. 0 is also what a failure gives, which leaves a reason behind.
 */
static int inspect_size(struct h5_data *data, struct err *err) {
    data->info.stored_bytes = (int64_t)H5Dget_storage_size(data->id);
    if (!data->info.stored_bytes && H5Eget_num(H5E_DEFAULT) > 0)
        return h5_fail(data->file, data->path, ERR_DATA, "its storage cannot be read", err);
    return 0;
}

/* Open with a cache that holds some chunks: HDF5 bypasses it for larger ones, and would read
 * and unpack a whole chunk for every row. */
static int open_cached(struct h5_data *data, size_t chunk_bytes, struct err *err) {
    const hid_t list = H5Pcreate(H5P_DATASET_ACCESS);
    const size_t several = chunk_bytes * CACHE_CHUNKS;
    int status = 0;

    H5Pset_chunk_cache(list, CACHE_SLOTS, several > CACHE_BYTES ? several : CACHE_BYTES, 1.0);
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

static int data_open(struct h5_data *data, struct err *err) {
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
    if (status || inspect_shape(data, err) || inspect_size(data, err))
        return -1;
    if (chunk_bytes(&data->info) * CACHE_CHUNKS > CACHE_BYTES) {
        H5Dclose(data->id);
        return open_cached(data, chunk_bytes(&data->info), err);
    }
    return 0;
}

int h5_data_open(struct h5_data **out, struct h5 *file, const char *path, struct err *err) {
    struct h5_data *data = data_new(file, path, err);
    int status;

    if (!data)
        return -1;
    h5_lock();
    status = data_open(data, err);
    if (status)
        data_free(data);
    else
        *out = data;
    h5_unlock();
    return status;
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

const struct h5_info *h5_data_info(const struct h5_data *data) {
    return &data->info;
}

/* The file space of rows first .. first + n - 1, and the matching memory space in *memory. */
static hid_t select_rows(const struct h5_data *data, int64_t first, int64_t n, hid_t *memory) {
    const hid_t space = H5Dget_space(data->id);
    hsize_t start[H5_MAX_RANK] = {(hsize_t)first}, count[H5_MAX_RANK] = {(hsize_t)n};

    for (int i = 1; i < data->info.rank; i++)
        count[i] = (hsize_t)data->info.dim[i];
    if (data->info.rank > 0)
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    *memory = data->info.rank > 0 ? H5Screate_simple(data->info.rank, count, NULL)
                                  : H5Screate(H5S_SCALAR);
    return space;
}

static bool holds_numbers(enum h5_class class) {
    return class == H5_CLASS_INT || class == H5_CLASS_UINT || class == H5_CLASS_FLOAT;
}

/* Values that lie in the dataset itself, copied as they are. */
static bool is_copied(const struct h5_data *data, hid_t type) {
    const H5T_class_t class = H5Tget_class(type);

    return !data->info.variable && (class == H5T_OPAQUE || class == H5T_STRING);
}

static int read_rows(struct h5_data *data, int64_t first, int64_t n, hid_t type, void *out,
                     struct err *err) {
    const int64_t rows = data->info.rank ? data->info.dim[0] : 1;
    hid_t space, memory;
    int status = 0;

    if (!holds_numbers(data->info.class) && !is_copied(data, type))
        return refuse(data, "holds no plain numbers, expected integers or floats", err);
    if (first < 0 || n < 0 || n > rows || first > rows - n)
        return err_set(err, ERR_DATA, "%s:%s: rows %lld to %lld were asked for, it has %lld",
                       data->file->name, data->path, (long long)first, (long long)(first + n - 1),
                       (long long)rows);
    space = select_rows(data, first, n, &memory);
    if (n && H5Dread(data->id, type, memory, space, H5P_DEFAULT, out) < 0)
        status = h5_fail(data->file, data->path, ERR_DATA, "cannot be read", err);
    H5Sclose(memory);
    H5Sclose(space);
    return status;
}

int h5_data_read(struct h5_data *data, int64_t first, int64_t n, enum h5_type type, void *out,
                 struct err *err) {
    int status;

    h5_lock();
    status = read_rows(data, first, n, h5_memory_type(type), out, err);
    h5_unlock();
    return status;
}

/* The stored type in the order of this program's files; that of an enumeration cannot be changed,
 * but that of its numbers. */
static hid_t little_endian(hid_t stored) {
    const hid_t type = H5Tget_class(stored) == H5T_ENUM ? H5Tget_super(stored) : H5Tcopy(stored);

    H5Tset_order(type, H5T_ORDER_LE);
    return type;
}

int h5_data_read_stored(struct h5_data *data, int64_t first, int64_t n, void *out,
                        struct err *err) {
    hid_t stored, type;
    int status;

    h5_lock();
    stored = H5Dget_type(data->id);
    type = little_endian(stored);
    status = read_rows(data, first, n, type, out, err);
    H5Tclose(type);
    H5Tclose(stored);
    h5_unlock();
    return status;
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
    space = select_rows(data, before, n, &memory);
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
