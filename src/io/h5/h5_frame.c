/* Files whose large datasets are written by others, before or after the rest. */
#include "io/h5/h5_private.h"

/* Allocated at once, in one piece, and never filled: its place is known before anything is in it.
 */
static hid_t create_reserved(struct h5 *file, const char *path, enum h5_type type, int rank,
                             const int64_t *dim) {
    hsize_t extent[H5_MAX_RANK] = {0};

    for (int i = 0; i < rank; i++)
        extent[i] = (hsize_t)dim[i];
    const hid_t space = H5Screate_simple(rank, extent, NULL);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(list, H5D_CONTIGUOUS);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
    H5Pset_obj_track_times(list, 0);
    const hid_t id =
        H5Dcreate2(file->id, path, h5_memory_type(type), space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Pclose(list);
    H5Sclose(space);
    return id;
}

int h5_reserve(struct h5 *file, const char *path, enum h5_type type, int rank, const int64_t *dim,
               int64_t *place, struct err *err) {
    haddr_t address = HADDR_UNDEF;
    bool empty = false;
    int status = 0;

    for (int i = 0; i < rank; i++)
        empty = empty || !dim[i];
    h5_lock();
    const hid_t id = create_reserved(file, path, type, rank, dim);
    if (id >= 0)
        address = empty ? 0 : H5Dget_offset(id);
    if (address == HADDR_UNDEF)
        status = h5_fail(file, path, ERR_IO, "cannot be created", err);
    if (id >= 0)
        h5_let_go(file, id);
    h5_unlock();
    *place = (int64_t)address;
    return status;
}

int h5_write_texts(struct h5 *file, const char *path, int width, int64_t n, const char *rows,
                   struct err *err) {
    const hsize_t dim = (hsize_t)n;
    hid_t type, space, list, id;
    int status = 0;

    h5_lock();
    type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, (size_t)width);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(list, 0);
    space = H5Screate_simple(1, &dim, NULL);
    id = H5Dcreate2(file->id, path, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (id < 0 || H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows) < 0) {
        status = h5_fail(file, path, ERR_IO, "cannot be written", err);
        file->broken = true;
    }
    if (id >= 0)
        h5_let_go(file, id);
    H5Sclose(space);
    H5Pclose(list);
    H5Tclose(type);
    h5_unlock();
    return status;
}
