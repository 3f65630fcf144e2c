/* encoded.h - little datasets of encoded pictures: number k is a plain JPEG of (8 + k) x (6 + k)
 * pixels, called n0/k.JPEG, of the class k % 2. */
#pragma once
#include "io/jpeg.h"

#include "io/dataset/dataset.h"
#include "io/h5/h5_private.h"

enum { ENCODED_MOST = 16 };

struct encoded_bytes {
    unsigned char *bytes;
    size_t len;
};

/* The file of picture k, malloc'd. */
static inline struct encoded_bytes encoded_picture_bytes(int k) {
    struct encoded_bytes out;

    write_plain_jpeg(in_scratch("one.jpg"), 8 + k, 6 + k, 10 * k, 100, 200);
    out.bytes = read_bytes(in_scratch("one.jpg"), &out.len);
    return out;
}

/* How a file of them is written, and what is wrong with it. */
struct encoded_file {
    int n, first;                     /* pictures first .. first + n - 1 */
    int64_t offset[ENCODED_MOST + 1]; /* to take in the place of the right ones where any is set */
    bool uint32;                      /* offsets of that type */
    int64_t chunk;                    /* of the bytes; 0: contiguous */
    bool gzip, names, hash;
    bool no_encoding, no_offsets;
    int64_t channels; /* attribute; 0: none */
    bool keep_open;   /* for what else is to be written; the caller closes it */
};

static inline void encoded_data(struct h5 *file, const struct encoded_file *how,
                                const unsigned char *bytes, hsize_t len) {
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(1, &len, NULL);
    const hsize_t chunk = (hsize_t)how->chunk;

    if (chunk)
        H5Pset_chunk(list, 1, &chunk);
    if (how->gzip)
        H5Pset_deflate(list, 1);
    const hid_t id = H5Dcreate2(file->id, "/train/images", H5T_NATIVE_UINT8, space, H5P_DEFAULT,
                                list, H5P_DEFAULT);
    assert_true(id >= 0);
    assert_true(H5Dwrite(id, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(list);
}

static inline void encoded_names(struct h5 *file, int first, hsize_t n) {
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &n, NULL);
    char text[ENCODED_MOST][16];
    const char *names[ENCODED_MOST];

    H5Tset_size(type, H5T_VARIABLE);
    for (int k = 0; k < (int)n; k++) {
        snprintf(text[k], sizeof text[k], "n0/%d.JPEG", first + k);
        names[k] = text[k];
    }
    const hid_t id = H5Dcreate2(file->id, "/train/images_names", type, space, H5P_DEFAULT,
                                H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, names) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

static inline void encoded_labels(struct h5 *file, const char *path, int first, int n) {
    const int64_t dim = n;
    struct err err = {0};
    int32_t label[ENCODED_MOST];

    for (int k = 0; k < n; k++)
        label[k] = (first + k) % 2;
    assert_int_equal(h5_write(file, path, H5_TYPE_I32, 1, &dim, label, &err), 0);
}

/* Write the group /train. Returns the open file where it is to be kept open. */
static inline struct h5 *encoded_write(const char *name, const struct encoded_file *how) {
    int64_t offset[ENCODED_MOST + 1] = {0}, n_offsets = how->n + 1;
    uint32_t narrow[ENCODED_MOST + 1];
    unsigned char *all = NULL;
    struct err err = {0};
    struct h5 *file;

    for (int k = 0; k < how->n; k++) {
        const struct encoded_bytes one = encoded_picture_bytes(how->first + k);

        offset[k + 1] = offset[k] + (int64_t)one.len;
        all = realloc(all, (size_t)offset[k + 1]);
        memcpy(all + offset[k], one.bytes, one.len);
        free(one.bytes);
    }
    assert_int_equal(h5_create(&file, in_scratch(name), &err), 0);
    assert_int_equal(h5_group_create(file, "/train", &err), 0);
    encoded_data(file, how, all, (hsize_t)offset[how->n]);
    for (int k = 0; k <= how->n; k++)
        if (how->offset[k]) {
            memcpy(offset, how->offset, sizeof offset);
            break;
        }
    for (int k = 0; k <= how->n; k++)
        narrow[k] = (uint32_t)offset[k];
    if (how->uint32) {
        const hsize_t dim = (hsize_t)n_offsets;
        const hid_t space = H5Screate_simple(1, &dim, NULL);
        const hid_t id = H5Dcreate2(file->id, "/train/images_offsets", H5T_STD_U32LE, space,
                                    H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(id, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, narrow);
        H5Dclose(id);
        H5Sclose(space);
    } else if (!how->no_offsets)
        h5_write(file, "/train/images_offsets", H5_TYPE_I64, 1, &n_offsets, offset, &err);
    if (!how->no_encoding)
        h5_attr_write_text(file, "/train/images", "encoding", "files", &err);
    if (how->channels)
        h5_attr_write_int(file, "/train/images", "channels", how->channels, &err);
    if (how->names)
        encoded_names(file, how->first, (hsize_t)how->n);
    encoded_labels(file, "/train/labels", how->first, how->n);
    free(all);
    if (how->keep_open)
        return file;
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
    return NULL;
}

/* Pictures first .. first + n - 1 as rows of any length at `path`, in chunks where `chunk` is set,
 * packed where gzip. */
static inline void encoded_lists(struct h5 *file, const char *path, int first, hsize_t n,
                                 hsize_t chunk, bool gzip) {
    const hid_t type = H5Tvlen_create(H5T_STD_U8LE), space = H5Screate_simple(1, &n, NULL);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hvl_t row[ENCODED_MOST];

    if (chunk)
        H5Pset_chunk(list, 1, &chunk);
    if (gzip) {
        H5Pset_shuffle(list);
        H5Pset_deflate(list, 4);
    }
    for (hsize_t k = 0; k < n; k++) {
        const struct encoded_bytes one = encoded_picture_bytes(first + (int)k);

        row[k] = (hvl_t){one.len, one.bytes};
    }
    const hid_t id = H5Dcreate2(file->id, path, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(id >= 0);
    assert_true(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, row) >= 0);
    H5Dclose(id);
    for (hsize_t k = 0; k < n; k++)
        free(row[k].p);
    H5Pclose(list);
    H5Sclose(space);
    H5Tclose(type);
}

/* A file of them, from picture 0 on, with labels at `labels`. */
static inline void encoded_write_lists(const char *name, const char *path, const char *labels,
                                       hsize_t n, hsize_t chunk, bool gzip) {
    struct err err = {0};
    struct h5 *file;

    assert_int_equal(h5_create(&file, in_scratch(name), &err), 0);
    encoded_lists(file, path, 0, n, chunk, gzip);
    encoded_labels(file, labels, 0, (int)n);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

/* Rows index[n] of field i are pictures of[n], as files. */
static inline void encoded_expect(struct dataset *ds, const int64_t *index, const int *of, int n) {
    struct dataset_blob blob[64];
    struct dataset_buffer buffer = {0};
    struct err err = {0};

    if (dataset_read_encoded(ds, 0, index, n, blob, &buffer, &err))
        fail_msg("%s", err.msg);
    for (int k = 0; k < n; k++) {
        const struct encoded_bytes one = encoded_picture_bytes(of[k]);

        assert_int_equal(blob[k].len, one.len);
        assert_memory_equal(blob[k].bytes, one.bytes, one.len);
        free(one.bytes);
    }
    dataset_buffer_release(&buffer);
}
