/* h5_private.h - what the h5*.c files share; nobody else includes it or hdf5.h. */
#pragma once
#include "io/h5/h5.h"

#define H5_USE_110_API
#include <hdf5.h>

struct h5 {
    hid_t id; /* < 0: closed by h5_sync */
    char *name;
    int n_sharing;    /* who else will close it */
    bool broken;      /* a write failed: closing would try again, and 1.10.8 crashes on that */
    int fd;           /* HDF5's, of a file on disk that is only read; else -1 */
    int64_t base;     /* where addresses in the file begin: behind a block of another program's */
    bool small_heads; /* addresses and lengths of other than 8 bytes */
};

struct h5_data {
    hid_t id;
    struct h5 *file; /* borrowed */
    char *path;
    struct h5_info info;
    enum h5_type type; /* of a dataset created here */
    enum h5_type same; /* of a dataset that is read: what has the bytes that are stored, or 0 */
    bool direct;       /* its rows lie in the file as they are */
    struct h5_packed *packed; /* its chunks, where HDF5 is not needed to unpack them; or NULL */
};

/* One lock around the library, which keeps its error stack per thread: it is silenced here. */
void h5_lock(void);
void h5_unlock(void);

/* "<file>:<path>: <what>", and HDF5's innermost reason where it has one. With the lock held,
 * directly after the call that failed. path may be NULL. `kind` is what the failure is unless the
 * system refused a call or memory, which is ERR_IO. Returns -1. */
int h5_fail(const struct h5 *file, const char *path, enum err_kind kind, const char *what,
            struct err *err);

/* Check that every step of path is a hard link: 1, 0 where a step is absent, -1 with err set for a
 * link that may leave the file, and where the file does not let itself be read. */
int h5_path_check(const struct h5 *file, const char *path, struct err *err);

/* Close a dataset. What HDF5 still held of it is written then: where that fails, the file is
 * broken. With the lock held. */
void h5_let_go(struct h5 *file, hid_t dataset);

/* h5_path_check for what must exist. `noun` is "dataset" or "group". */
int h5_path_require(const struct h5 *file, const char *path, const char *noun, struct err *err);

/* HDF5's type of numbers in memory and its size. */
hid_t h5_memory_type(enum h5_type type);
size_t h5_type_bytes(enum h5_type type);

/* Have files opened with `access` read through fd, which is duplicated. With the lock held. */
herr_t h5_read_through(hid_t access, int fd);

/* What a stored type is to us. */
enum h5_class h5_class_of(hid_t type);

/* The file space of rows first .. first + n - 1, and the matching memory space in *memory; both to
 * be closed. With the lock held. */
hid_t h5_select_rows(const struct h5_data *data, int64_t first, int64_t n, hid_t *memory);

/* n bytes at a place in the file. Errors: ERR_DATA where it has none there, ERR_IO. */
int h5_pread(const struct h5_data *data, int64_t at, int64_t n, void *out, struct err *err);

/* Bytes that the file has of each row: of a variable one, where it lies. */
enum { H5_DESCRIPTOR_BYTES = 16 };
int64_t h5_raw_row(const struct h5_data *data);

/* Do chunks consist of whole rows, so that these lie in them one after another? */
bool h5_whole_rows(const struct h5_info *info);

/* Do rows lie in the file as they are, for h5_direct_read? */
bool h5_raw_direct(const struct h5_data *data);

/* Bytes first .. first + n - 1 of all rows, which are there, as they are stored, without the lock.
 * 1: HDF5 is needed. Errors: ERR_DATA, ERR_IO. */
int h5_direct_read(const struct h5_data *data, int64_t first, int64_t n, void *out,
                   struct err *err);

/* Packed chunks of whole rows. *out is NULL where only HDF5 can unpack them. With the lock held.
 * Errors: ERR_IO for lack of memory. */
struct h5_packed;
int h5_packed_new(struct h5_packed **out, const struct h5_data *data, struct err *err);
void h5_packed_free(struct h5_packed *packed);

/* Bytes first .. first + n - 1 of all rows as they are stored, unpacked by the calling thread,
 * without the lock. 1: some were never written, which HDF5 is to fill. Errors: ERR_DATA, ERR_IO. */
int h5_packed_read(const struct h5_data *data, int64_t first, int64_t n, void *out,
                   struct err *err);

char *h5_strdup(const char *text);
