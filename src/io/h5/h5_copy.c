#include "io/h5/h5_copy.h"

#include "io/h5/h5_private.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ATTR_BYTES = 1 << 28, CACHE_SLOTS = 521, CACHE_BYTES = 4 << 20 };

/* The stored type, little endian; to be closed. The order of an enumeration cannot be changed: of
 * more than a byte it becomes the integers that it stands for. */
static hid_t little_type(hid_t stored) {
    const bool integers = H5Tget_class(stored) == H5T_ENUM && H5Tget_size(stored) > 1;
    const hid_t type = integers ? H5Tget_super(stored) : H5Tcopy(stored);

    if (type >= 0 && H5Tget_class(type) != H5T_ENUM)
        H5Tset_order(type, H5T_ORDER_LE);
    return type;
}

static hid_t data_type(const struct h5_data *data) {
    const hid_t stored = H5Dget_type(data->id), type = stored >= 0 ? little_type(stored) : -1;

    if (stored >= 0)
        H5Tclose(stored);
    return type;
}

/* Chunks as the model's, or of about 1 MiB; compressed by gzip where the model is by anything. */
static hid_t creation_list(const struct h5_data *model, const hsize_t *chunk) {
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);

    H5Pset_chunk(list, model->info.rank, chunk);
    H5Pset_obj_track_times(list, 0);
    if (model->info.n_filters) {
        H5Pset_shuffle(list);
        H5Pset_deflate(list, 4);
    }
    return list;
}

static size_t plan_chunk(const struct h5_info *model, hsize_t *chunk) {
    size_t row = (size_t)model->item_bytes, bytes;

    for (int i = 1; i < model->rank; i++)
        row *= (size_t)model->dim[i];
    for (int i = 0; i < model->rank; i++)
        chunk[i] = (hsize_t)(model->chunked ? model->chunk[i] : model->dim[i]);
    if (!model->chunked)
        chunk[0] = row < 1 << 20 ? (hsize_t)((1 << 20) / row) : 1;
    bytes = (size_t)model->item_bytes;
    for (int i = 0; i < model->rank; i++)
        bytes *= (size_t)chunk[i];
    return bytes;
}

static int create(struct h5_data *data, const struct h5_data *model, struct err *err) {
    hsize_t dim[H5_MAX_RANK], most[H5_MAX_RANK], chunk[H5_MAX_RANK];
    const hid_t access = H5Pcreate(H5P_DATASET_ACCESS), type = data_type(model);
    const size_t cache = 2 * plan_chunk(&model->info, chunk);
    const hid_t list = creation_list(model, chunk);

    data->info.dim[0] = 0;
    data->info.chunked = true;
    for (int i = 0; i < model->info.rank; i++) {
        data->info.chunk[i] = (int64_t)chunk[i];
        dim[i] = (hsize_t)data->info.dim[i];
        most[i] = i ? dim[i] : H5S_UNLIMITED;
    }
    const hid_t space = H5Screate_simple(model->info.rank, dim, most);
    H5Pset_chunk_cache(access, CACHE_SLOTS, cache > CACHE_BYTES ? cache : CACHE_BYTES, 1.0);
    if (type >= 0 && space >= 0)
        data->id = H5Dcreate2(data->file->id, data->path, type, space, H5P_DEFAULT, list, access);
    const int status =
        data->id < 0 ? h5_fail(data->file, data->path, ERR_IO, "cannot be created", err) : 0;
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    H5Pclose(list);
    H5Pclose(access);
    return status;
}

int h5_copy_create(struct h5_data **out, struct h5 *file, const char *path,
                   const struct h5_data *model, struct err *err) {
    struct h5_data *data;
    int status;

    if (model->info.rank < 1 || h5_row_len(&model->info) < 1)
        return err_set(err, ERR_DATA, "%s:%s: has no rows", model->file->name, model->path);
    data = calloc(1, sizeof *data);
    if (data)
        data->path = h5_strdup(path);
    if (!data || !data->path) {
        free(data);
        return err_set(err, ERR_IO, "%s:%s: out of memory", file->name, path);
    }
    data->id = -1;
    data->file = file;
    data->info = model->info;
    h5_lock();
    status = create(data, model, err);
    h5_unlock();
    if (status) {
        free(data->path);
        free(data);
        return -1;
    }
    *out = data;
    return 0;
}

/* The lock is held. */
static herr_t write_rows(const struct h5_data *data, int64_t first, int64_t n, const void *rows) {
    const hid_t space = H5Dget_space(data->id), type = data_type(data);
    hsize_t start[H5_MAX_RANK] = {(hsize_t)first}, count[H5_MAX_RANK] = {(hsize_t)n};
    herr_t status = -1;

    for (int i = 1; i < data->info.rank; i++)
        count[i] = (hsize_t)data->info.dim[i];
    const hid_t memory = H5Screate_simple(data->info.rank, count, NULL);
    if (type >= 0 && memory >= 0 &&
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        status = H5Dwrite(data->id, type, memory, space, H5P_DEFAULT, rows);
    if (memory >= 0)
        H5Sclose(memory);
    if (type >= 0)
        H5Tclose(type);
    H5Sclose(space);
    return status;
}

int h5_copy_append(struct h5_data *data, int64_t n, const void *rows, struct err *err) {
    const int64_t before = data->info.dim[0];
    hsize_t dim[H5_MAX_RANK];
    int status = 0;

    if (n < 1)
        return 0;
    data->info.dim[0] += n;
    for (int i = 0; i < data->info.rank; i++)
        dim[i] = (hsize_t)data->info.dim[i];
    h5_lock();
    if (H5Dset_extent(data->id, dim) < 0 || write_rows(data, before, n, rows) < 0) {
        data->file->broken = true;
        status =
            h5_fail(data->file, data->path, ERR_IO, "cannot be written; is the disk full?", err);
    }
    h5_unlock();
    return status;
}

/* An attribute, being copied. The lock is held. */
static int copy_values(hid_t from, struct h5 *to, const char *object, const char *name) {
    const hid_t type = H5Aget_type(from), space = H5Aget_space(from);
    const hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    const size_t size = type >= 0 ? H5Tget_size(type) : 0;
    const bool points = type >= 0 && H5Tdetect_class(type, H5T_REFERENCE) > 0;
    const bool fine = !points && n >= 0 && size && (size_t)n <= MOST_ATTR_BYTES / size;
    void *values = fine ? calloc((size_t)n + 1, size) : NULL;
    herr_t status = points ? 0 : -1; /* it would point into the file that it comes from */

    if (values && (!n || H5Aread(from, type, values) >= 0)) {
        const hid_t id = H5Acreate_by_name(to->id, object, name, type, space, H5P_DEFAULT,
                                           H5P_DEFAULT, H5P_DEFAULT);
        if (id >= 0) {
            status = n ? H5Awrite(id, type, values) : 0;
            H5Aclose(id);
        }
        if (n) /* texts of any length, which the library allocated */
            H5Dvlen_reclaim(type, space, H5P_DEFAULT, values);
    }
    free(values);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return status < 0 ? -1 : 0;
}

static bool is_one_of(const char *name, const char *const *names) {
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* The attribute of that number. */
static int copy_attr(struct h5 *from, hid_t object, hsize_t i, struct h5 *to, const char *to_object,
                     const char *const *but, struct err *err) {
    const hid_t id =
        H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT);
    char name[256] = "";
    int status = 0;

    if (id < 0 || H5Aget_name(id, sizeof name, name) < 0)
        status = h5_fail(from, NULL, ERR_DATA, "an attribute cannot be read", err);
    else if (!is_one_of(name, but) && copy_values(id, to, to_object, name)) {
        status = h5_fail(to, to_object, ERR_IO, "an attribute cannot be copied", err);
        err_wrap(err, "%s", name);
    }
    if (id >= 0)
        H5Aclose(id);
    return status;
}

int h5_copy_attrs(struct h5 *from, const char *from_object, struct h5 *to, const char *to_object,
                  const char *const *but, struct err *err) {
    H5O_info_t info;
    int status = 0;

    h5_lock();
    const hid_t object = H5Oopen(from->id, from_object, H5P_DEFAULT);
    if (object < 0 || H5Oget_info(object, &info) < 0)
        status = h5_fail(from, from_object, ERR_DATA, "its attributes cannot be read", err);
    for (hsize_t i = 0; !status && i < info.num_attrs; i++)
        status = copy_attr(from, object, i, to, to_object, but, err);
    if (object >= 0)
        H5Oclose(object);
    h5_unlock();
    return status;
}

int h5_copy_object(struct h5 *from, const char *path, struct h5 *to, const char *to_path,
                   struct err *err) {
    h5_lock();
    const bool failed = H5Ocopy(from->id, path, to->id, to_path, H5P_DEFAULT, H5P_DEFAULT) < 0;
    const int rc = failed ? h5_fail(to, to_path, ERR_IO, "cannot be copied", err) : 0;
    h5_unlock();
    return rc;
}
