/* verify_rows.h - which rows of a dataset are not what they were, as whoever reads all of them
 * finds out. */
#pragma once
#include "io/dataset/row_hash.h"

enum { VERIFY_ROWS_TEXT = 200 };

/* {0} is releasable. */
struct verify_rows {
    struct row_hashes hashes;
    int64_t rows, row_bytes;
    int64_t n, first, last;      /* rows that are not, or may not be; the last of them on end */
    int64_t n_left_out;          /* of them in no text */
    char text[VERIFY_ROWS_TEXT]; /* "17, 40 to 41" */
};

/* Begin with the dataset at path, of so many rows of so many bytes, as of row_hash_each. Errors:
 * those of row_hashes_read. */
int verify_rows_init(struct verify_rows *v, struct h5 *file, const char *path, int64_t rows,
                     int64_t row_bytes, struct err *err);

/* Rows first .. first + n - 1 are bytes[n, row_bytes], whole hashes of them; row `row` is
 * bytes[len], of a length of its own. In their order. */
void verify_rows_add(struct verify_rows *v, int64_t first, int64_t n, const void *bytes);
void verify_rows_add_one(struct verify_rows *v, int64_t row, const void *bytes, size_t len);

/* 1: all that were added are what they were; 0: the file does not say what that is. Errors:
 * ERR_DATA with the rows that are not. */
int verify_rows_end(struct verify_rows *v, const struct h5 *file, const char *path,
                    struct err *err);
void verify_rows_release(struct verify_rows *v);
