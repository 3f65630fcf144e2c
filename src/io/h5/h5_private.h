/* h5_private.h - what the h5*.c files share; nobody else includes it or hdf5.h. */
#pragma once
#include "io/h5/h5.h"

#define H5_USE_110_API
#include <hdf5.h>

struct h5 {
    hid_t id; /* < 0: closed by h5_sync */
    char *name;
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

/* h5_path_check for what must exist. `noun` is "dataset" or "group". */
int h5_path_require(const struct h5 *file, const char *path, const char *noun, struct err *err);

/* HDF5's type of numbers in memory and its size. */
hid_t h5_memory_type(enum h5_type type);
size_t h5_type_bytes(enum h5_type type);

/* Have files opened with `access` read through fd, which is duplicated. With the lock held. */
herr_t h5_read_through(hid_t access, int fd);

/* What a stored type is to us. */
enum h5_class h5_class_of(hid_t type);

/* n bytes at a place in the file. Errors: ERR_DATA where it has none there, ERR_IO. */
int h5_pread(const struct h5_data *data, int64_t at, int64_t n, void *out, struct err *err);

/* Bytes that the file has of each row of one dimension: of a variable one where it lies. */
enum { H5_DESCRIPTOR_BYTES = 16 };
int64_t h5_raw_item(const struct h5_data *data);

char *h5_strdup(const char *text);
