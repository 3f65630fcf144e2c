/* h5_copy.h - rows and attributes from one file to another as they are stored: nothing is lost that
 * our own types of numbers have no place for. Integers and floats become little endian. */
#pragma once
#include "io/h5/h5.h"

/* Create a dataset that grows, of rows like those of `model`: type, shape, chunks, compression.
 * Errors: ERR_IO; ERR_DATA where the model has no rows. */
int h5_copy_create(struct h5_data **out, struct h5 *file, const char *path,
                   const struct h5_data *model, struct err *err);

/* Add n rows of what h5_data_read_stored gives. Errors: ERR_IO. */
int h5_copy_append(struct h5_data *data, int64_t n, const void *rows, struct err *err);

/* Copy the attributes of a group or dataset, except those called as one of `but` (ends with NULL).
 * Errors: ERR_DATA, ERR_IO. */
int h5_copy_attrs(struct h5 *from, const char *from_object, struct h5 *to, const char *to_object,
                  const char *const *but, struct err *err);

/* Copy a dataset of any type, or a group with all that is in it, as it is stored. The parent of
 * to_path must be there. Errors: ERR_IO. */
int h5_copy_object(struct h5 *from, const char *path, struct h5 *to, const char *to_path,
                   struct err *err);
