/* row_hash.h - what rows held when they were written, so that those that are read can be compared
 * with it. Beside a dataset /train/images lies /train/.hash/images, int64 [ceil(rows / each)]: the
 * bits of XXH3_64bits with seed 0 of `each` rows, the last of what is left, as they are stored,
 * little endian. `each`, an attribute, is as many rows as make ROW_HASH_BYTES: 1 of larger ones and
 * of encoded pictures. So hardly more than is wanted has to be read to be compared, and the hashes
 * take 0.4 % of the data at most. */
#pragma once
#include "core/base/err.h"
#include "io/h5/h5.h"

#include <stddef.h>
#include <stdint.h>

enum { ROW_HASH_BYTES = 2048 };

/* Hashes as read from a file. {0} is releasable. */
struct row_hashes {
    uint64_t *value; /* [row_hashes_len], owned */
    int64_t each;    /* rows of one hash; 0: there are none */
};

/* Rows of one hash, where these have so many bytes as stored; 0 bytes: each a number of its own. */
int64_t row_hash_each(int64_t row_bytes);

/* How many hashes so many rows have. */
int64_t row_hashes_len(int64_t rows, int64_t each);

/* Does the file have some for the dataset at path? 1, 0; -1 with err. */
int row_hashes_exist(struct h5 *file, const char *path, struct err *err);

/* Read those of the dataset at path, which has so many rows of so many bytes, as of row_hash_each;
 * *out = {0} where the file has none. Errors: ERR_IO; ERR_DATA where they are damaged, or of other
 * rows. */
int row_hashes_read(struct h5 *file, const char *path, int64_t rows, int64_t row_bytes,
                    struct row_hashes *out, struct err *err);
void row_hashes_release(struct row_hashes *hashes);

/* The first hash that rows first .. first + n - 1 of `rows` do not have, or -1; of the hashes all
 * of whose rows are among these.
 *   bytes  [n, row_bytes] as stored */
int64_t row_hashes_unlike(const struct row_hashes *hashes, int64_t rows, int64_t first, int64_t n,
                          const void *bytes, size_t row_bytes);

/* Those of rows on their way to a file. */
struct row_hash;

/* Of no rows yet, which will have so many bytes each, as of row_hash_each. NULL where there is no
 * memory. */
struct row_hash *row_hash_new(int64_t row_bytes);

/* Add rows[n, row_bytes]; or one row of len bytes. Return -1 where there is no memory. */
int row_hash_add(struct row_hash *hash, const void *rows, int64_t n);
int row_hash_add_one(struct row_hash *hash, const void *bytes, size_t len);

/* Add a row whose hash is known. Returns -1 where there is no memory. */
int row_hash_add_value(struct row_hash *hash, uint64_t value);

/* Write them beside the dataset at path, all of whose rows were added. Errors: ERR_IO. */
int row_hash_write(struct row_hash *hash, struct h5 *file, const char *path, struct err *err);

/* NULL is fine. */
void row_hash_free(struct row_hash *hash);
