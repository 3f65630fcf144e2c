/* content_hash.h - what a dataset held when it was written, in 8 bytes: the attribute content_hash,
 * "xxh3:%016x", XXH3_64bits with seed 0 over all rows in their order, in the type that is stored,
 * little endian. Whoever reads them all can tell whether they still are what they were. */
#pragma once
#include "core/base/err.h"
#include "io/h5/h5.h"

#include <stddef.h>
#include <stdint.h>

#define CONTENT_HASH "content_hash"

struct content_hash;

/* Of no rows yet. NULL where there is no memory. */
struct content_hash *content_hash_new(void);

/* One that goes on from there. NULL where there is no memory. */
struct content_hash *content_hash_copy(const struct content_hash *hash);

/* Add bytes[len] as they are stored. */
void content_hash_add(struct content_hash *hash, const void *bytes, size_t len);

/* What it is so far; and that of bytes[len] alone. */
uint64_t content_hash_value(const struct content_hash *hash);
uint64_t content_hash_of(const void *bytes, size_t len);

/* Store it as an attribute of the dataset at path. Errors: ERR_IO. */
int content_hash_write(const struct content_hash *hash, struct h5 *file, const char *path,
                       struct err *err);

/* NULL is fine. */
void content_hash_free(struct content_hash *hash);
