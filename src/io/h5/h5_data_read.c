/* Rows of numbers. */
#include "io/h5/h5_private.h"

hid_t h5_select_rows(const struct h5_data *data, int64_t first, int64_t n, hid_t *memory) {
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
        return err_set(err, ERR_DATA, "%s:%s: holds no plain numbers, expected integers or floats",
                       data->file->name, data->path);
    if (first < 0 || n < 0 || n > rows || first > rows - n)
        return err_set(err, ERR_DATA, "%s:%s: rows %lld to %lld were asked for, it has %lld",
                       data->file->name, data->path, (long long)first, (long long)(first + n - 1),
                       (long long)rows);
    space = h5_select_rows(data, first, n, &memory);
    if (n && H5Dread(data->id, type, memory, space, H5P_DEFAULT, out) < 0)
        status = h5_fail(data->file, data->path, ERR_DATA, "cannot be read", err);
    H5Sclose(memory);
    H5Sclose(space);
    return status;
}

/* Rows that are there without HDF5, where the file has the bytes that are wanted. 1: it is needed.
 */
static int read_directly(struct h5_data *data, int64_t first, int64_t n, void *out,
                         struct err *err) {
    const int64_t bytes = h5_raw_row(data);

    if ((!data->packed && !data->direct) || !data->same || first < 0 || n < 1 ||
        n > data->info.dim[0] || first > data->info.dim[0] - n)
        return 1;
    return (data->packed ? h5_packed_read : h5_direct_read)(data, first * bytes, n * bytes, out,
                                                            err);
}

int h5_data_read(struct h5_data *data, int64_t first, int64_t n, enum h5_type type, void *out,
                 struct err *err) {
    int status = type == data->same ? read_directly(data, first, n, out, err) : 1;

    if (status <= 0)
        return status;
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
    int status = read_directly(data, first, n, out, err);

    if (status <= 0)
        return status;
    h5_lock();
    stored = H5Dget_type(data->id);
    type = little_endian(stored);
    status = read_rows(data, first, n, type, out, err);
    H5Tclose(type);
    H5Tclose(stored);
    h5_unlock();
    return status;
}
