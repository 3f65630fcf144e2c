/* npy.h - arrays of NumPy: a file .npy (versions 1 to 3) or an archive .npz of them, stored or
 * deflated. Truth values, integers and floats of 16, 32 and 64 bits, in C or Fortran order, of
 * either byte order. What would have to be unpickled (objects), texts, complex numbers and records
 * are refused, with their dtype.
 * Source: numpy.lib.format, NEP 1 */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NPY_MAX_RANK = 8 };

enum npy_kind { NPY_TRUTH, NPY_INT, NPY_UINT, NPY_FLOAT };

struct npy_array {
    const char *name; /* in the archive, without .npy; of a file alone its own, without folders */
    enum npy_kind kind;
    int item_bytes; /* of one number: 1, 2, 4 or 8 */
    int rank;
    int64_t dim[NPY_MAX_RANK]; /* rank 0 is one number */
    bool fortran, big_endian;
    const unsigned char *data; /* as stored */
};

/* An open file. {0} is releasable. */
struct npy_file {
    int n;
    struct npy_array *array; /* [n] in the order of the archive; all in it is owned */
    char **name;             /* [n] */
    void **bytes;            /* [n] of an archive: each array's file */
    void *mapped;            /* of a file alone */
    size_t mapped_len;
};

/* Open a .npy or .npz, told apart by their first bytes. A file alone is mapped, and must not become
 * shorter; an archive is read and unpacked whole.
 * Errors: ERR_IO; ERR_DATA beginning with path and array, saying what was found and expected. */
int npy_open(struct npy_file *file, const char *path, struct err *err);
void npy_release(struct npy_file *file);

/* Rows (the first dimension; 1 of rank 0), and numbers in each. */
int64_t npy_rows(const struct npy_array *a);
int64_t npy_row_len(const struct npy_array *a);

/* "float32 [60000, 28, 28]", for messages. Returns text. */
enum { NPY_TEXT = 160 };
const char *npy_text(const struct npy_array *a, char text[NPY_TEXT]);

/* Rows first .. first + n - 1 in C order to out[n, npy_row_len]; whole numbers beyond those of
 * int64_t become the largest, floats lose their fraction. */
void npy_read_reals(const struct npy_array *a, int64_t first, int64_t n, double *out);
void npy_read_whole(const struct npy_array *a, int64_t first, int64_t n, int64_t *out);

/* Write one array as a .npy, or arrays[n] as a .npz (deflated where `packed`), whole or not at all.
 * Arrays are in C order and of this machine's byte order; `name` is looked at in an archive alone.
 * Errors: ERR_IO. */
int npy_write(const char *path, const struct npy_array *array, struct err *err);
int npz_write(const char *path, const struct npy_array *arrays, int n, bool packed,
              struct err *err);
