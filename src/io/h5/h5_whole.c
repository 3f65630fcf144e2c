/* Datasets that are written and read at once. */
#include "io/h5/h5_private.h"

int h5_write(struct h5 *file, const char *path, enum h5_type type, int rank, const int64_t *dim,
             const void *values, struct err *err) {
    hsize_t extent[H5_MAX_RANK] = {0};
    hid_t space, list, id;
    int status = 0;

    for (int i = 0; i < rank; i++)
        extent[i] = (hsize_t)dim[i];
    h5_lock();
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(list, 0);
    space = rank ? H5Screate_simple(rank, extent, NULL) : H5Screate(H5S_SCALAR);
    id = H5Dcreate2(file->id, path, h5_memory_type(type), space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (id < 0 || H5Dwrite(id, h5_memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
        status = h5_fail(file, path, ERR_IO, "cannot be written", err);
        file->broken = true;
    }
    if (id >= 0)
        h5_let_go(file, id);
    if (space >= 0)
        H5Sclose(space);
    H5Pclose(list);
    h5_unlock();
    return status;
}

int h5_read(struct h5 *file, const char *path, enum h5_type type, int64_t len, void *out,
            struct err *err) {
    struct h5_data *data;
    const struct h5_info *info;
    int64_t found;
    int status;

    if (h5_data_open(&data, file, path, err))
        return -1;
    info = &data->info;
    found = info->rank ? info->dim[0] * h5_row_len(info) : 1;
    if (found != len)
        status = err_set(err, ERR_DATA, "%s:%s: holds %lld numbers, expected %lld", file->name,
                         path, (long long)found, (long long)len);
    else
        status = h5_data_read(data, 0, info->rank ? info->dim[0] : 1, type, out, err);
    h5_data_close(data);
    return status;
}
