/* npy_private.h - between the files of this room. */
#pragma once
#include "io/npy/npy.h"

/* What the bytes of a .npy are: fills all of *a but its name. `what` begins messages.
 * Errors: ERR_DATA. */
int npy_parse(const unsigned char *bytes, size_t len, const char *what, struct npy_array *a,
              struct err *err);

/* The bytes of an array as a .npy: malloc'd, for the caller to free. Errors: ERR_IO. */
int npy_bytes(const struct npy_array *a, const char *what, unsigned char **bytes, size_t *len,
              struct err *err);

/* Room for one array more, of that name (copied). Errors: ERR_IO. */
int npy_add(struct npy_file *file, const char *name, size_t name_len, struct err *err);

/* Read an archive into file. Errors: ERR_IO, ERR_DATA. */
int npz_open(struct npy_file *file, const char *path, struct err *err);
