/* h5.h - HDF5 files, in our errors; h5.c is the only includer of hdf5.h. Every function may be
 * called from any thread (one lock around the library). What the file holds wrongly, damage among
 * it, is ERR_DATA; what the system refuses, reading or memory, is ERR_IO, and never taken for the
 * absence of something. Files are opened without locking, so
 * that many ranks may read one file on NFS or Lustre, and nothing outside the file is ever read:
 * soft, external and user-defined links, external storage, virtual datasets and filter plugins
 * are refused with a message that names them. */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { H5_MAX_RANK = 8 };

/* Numbers in memory; HDF5 converts from and to what the file stores. */
enum h5_type { H5_TYPE_U8 = 1, H5_TYPE_I32, H5_TYPE_I64, H5_TYPE_F32, H5_TYPE_F64 };

/* What a dataset stores. */
enum h5_class {
    H5_CLASS_OTHER,
    H5_CLASS_INT,
    H5_CLASS_UINT,
    H5_CLASS_FLOAT,
    H5_CLASS_TEXT,
    H5_CLASS_BLOB, /* bytes that mean nothing to HDF5: opaque, or lists of them of any length */
};

struct h5_info {
    int rank;
    int64_t dim[H5_MAX_RANK]; /* rows first; the product times item_bytes fits int64_t */
    enum h5_class class;
    bool truth;    /* an enumeration, which is how h5py stores truth values; then also an INT */
    bool named;    /* an enumeration of other names than FALSE and TRUE */
    bool variable; /* TEXT and BLOB: each has a length of its own, and lies elsewhere in the file */
    int item_bytes; /* of one stored number */
    bool chunked;
    int64_t chunk[H5_MAX_RANK]; /* where chunked */
    int n_filters;              /* gzip, shuffle ... */
    int64_t most_ratio;         /* what these pack may be so many times larger */
    int64_t stored_bytes;       /* in the file, after compression */
};

struct h5_entry {
    char *name;
    bool group; /* otherwise a dataset */
};

/* The members of a group, in the order of their names. */
struct h5_list {
    int n;
    struct h5_entry *entry; /* [n], owned */
};

struct h5;      /* an open file */
struct h5_data; /* an open dataset; close before its file */

/* Open a file for reading. Errors: ERR_IO (no such file, no permission), ERR_DATA (not HDF5,
 * truncated), beginning with the path. */
int h5_open(struct h5 **out, const char *path, struct err *err);

/* Open a file that is in memory: bytes[len], copied. `name` is what errors call it. */
int h5_open_image(struct h5 **out, const void *bytes, size_t len, const char *name,
                  struct err *err);

/* Create a file, replacing what was there. Errors: ERR_IO. */
int h5_create(struct h5 **out, const char *path, struct err *err);

/* Create a file some of whose bytes others write: those of h5_reserve, which are left out. */
int h5_create_frame(struct h5 **out, const char *path, struct err *err);

/* Create a file in memory alone; take its bytes with h5_image. Its attributes hold at most
 * 64 KiB each. */
int h5_create_memory(struct h5 **out, const char *name, struct err *err);

/* The bytes of a file of h5_create_memory as they would be on disk: borrowed until it is closed;
 * what was reserved may be written into them. All its datasets must be closed, and nothing more can
 * be added. */
int h5_image(struct h5 *file, unsigned char **bytes, size_t *len, struct err *err);

/* Bring a created file to the disk: flush, fsync, and look whether everything arrived, which
 * closing alone does not tell on a full disk. All its datasets must be closed. After it, whether
 * it succeeded or not, the file can only be closed. */
int h5_sync(struct h5 *file, struct err *err);

/* The same file for one user more, each of whom closes it. */
struct h5 *h5_share(struct h5 *file);

/* Close, where nobody else has it; unsynced changes may be lost unnoticed. NULL is fine. */
void h5_close(struct h5 *file);

/* What errors call the file: its path. */
const char *h5_name(const struct h5 *file);

/* Is there a group or dataset of that path ("/train/images"; "/" always is), a group, a dataset? 1
 * or 0. Errors: ERR_DATA for a link that may leave the file and for damage, ERR_IO where the file
 * could not be read; never taken for absence. */
int h5_exists(struct h5 *file, const char *path, struct err *err);
int h5_is_group(struct h5 *file, const char *path, struct err *err);
int h5_is_data(struct h5 *file, const char *path, struct err *err);

/* The groups and datasets directly in a group. Errors: ERR_DATA when there is no such group or a
 * member is a link that leaves it. */
int h5_list(struct h5 *file, const char *group, struct h5_list *out, struct err *err);
void h5_list_release(struct h5_list *list);

/* Create a group; parents must exist. */
int h5_group_create(struct h5 *file, const char *path, struct err *err);

/* Open a dataset for reading. Errors: ERR_DATA, "<file>:<path>: ...". */
int h5_data_open(struct h5_data **out, struct h5 *file, const char *path, struct err *err);

/* Likewise one whose storage somebody has looked at: info.stored_bytes stays 0. Counting chunks
 * reads all of their index. */
int h5_data_open_known(struct h5_data **out, struct h5 *file, const char *path, struct err *err);

/* Create a dataset that grows: rows of sample[rank - 1] numbers (rank 1: one number a row), in
 * chunks of chunk_rows rows, 0: as many as make about 1 MiB. `type` is also what is stored. */
int h5_data_create(struct h5_data **out, struct h5 *file, const char *path, enum h5_type type,
                   int rank, const int64_t *sample, int64_t chunk_rows, struct err *err);

/* NULL is fine. */
void h5_data_close(struct h5_data *data);

/* Shape and storage; borrowed from data, updated by h5_data_append. */
const struct h5_info *h5_data_info(const struct h5_data *data);

/* Numbers in one row: the product of all dimensions but the first. */
int64_t h5_row_len(const struct h5_info *info);

/* Read rows first .. first + n - 1 into out[n * h5_row_len]. The dataset must hold numbers. What
 * `type` cannot hold becomes its nearest. Errors: ERR_DATA for rows that are not there and for
 * damage, ERR_IO. */
int h5_data_read(struct h5_data *data, int64_t first, int64_t n, enum h5_type type, void *out,
                 struct err *err);

/* The same, but of the type that is stored, little endian: out[n * h5_row_len * item_bytes]. Opaque
 * values and texts of fixed length are read, too. */
int h5_data_read_stored(struct h5_data *data, int64_t first, int64_t n, void *out, struct err *err);

/* Add n rows, rows[n * h5_row_len] of the type the dataset was created with. */
int h5_data_append(struct h5_data *data, int64_t n, const void *rows, struct err *err);

/* Write a whole, contiguous dataset: values[product of dim]; rank 0 is one number. */
int h5_write(struct h5 *file, const char *path, enum h5_type type, int rank, const int64_t *dim,
             const void *values, struct err *err);

/* Write a whole dataset of texts: rows[n][width], each padded with zeros. */
int h5_write_texts(struct h5 *file, const char *path, int width, int64_t n, const char *rows,
                   struct err *err);

/* In a file of h5_create_frame or h5_create_memory, create a dataset whose numbers are not written:
 * they lie from byte *place of the file on, in one piece; 0 where there are none. The place follows
 * from what was created before. rank >= 1. */
int h5_reserve(struct h5 *file, const char *path, enum h5_type type, int rank, const int64_t *dim,
               int64_t *place, struct err *err);

/* Read a whole dataset of exactly `len` numbers into out[len]. Errors: ERR_DATA when it is absent,
 * holds no numbers, or holds another number of them. */
int h5_read(struct h5 *file, const char *path, enum h5_type type, int64_t len, void *out,
            struct err *err);

/* Attributes of the group or dataset `object` ("/" is the file). Whether there is one: 1 or 0, as
 * h5_exists. */
int h5_attr_exists(struct h5 *file, const char *object, const char *name, struct err *err);
int h5_attr_write_text(struct h5 *file, const char *object, const char *name, const char *text,
                       struct err *err);
int h5_attr_write_texts(struct h5 *file, const char *object, const char *name,
                        const char *const *texts, int n, struct err *err);
int h5_attr_write_int(struct h5 *file, const char *object, const char *name, int64_t value,
                      struct err *err);
int h5_attr_write_real(struct h5 *file, const char *object, const char *name, double value,
                       struct err *err);
int h5_attr_write_reals(struct h5 *file, const char *object, const char *name, const double *values,
                        int n, struct err *err);

/* Read an attribute; ERR_DATA when it is absent or of another kind. What is allocated is the
 * caller's to free. Texts may be of fixed or variable length; numbers of any stored type. */
int h5_attr_text(struct h5 *file, const char *object, const char *name, char **text,
                 struct err *err);
int h5_attr_texts(struct h5 *file, const char *object, const char *name, char ***texts, int *n,
                  struct err *err);
int h5_attr_int(struct h5 *file, const char *object, const char *name, int64_t *value,
                struct err *err);
int h5_attr_real(struct h5 *file, const char *object, const char *name, double *value,
                 struct err *err);
int h5_attr_reals(struct h5 *file, const char *object, const char *name, double **values, int *n,
                  struct err *err);

/* Free what h5_attr_texts gave. NULL is fine. */
void h5_texts_free(char **texts, int n);

/* The library's version, "1.10.8". */
enum { H5_VERSION_TEXT = 40 };
void h5_version(char text[H5_VERSION_TEXT]);
