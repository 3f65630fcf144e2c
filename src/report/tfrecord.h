/* tfrecord.h - files of records as TensorFlow frames them: length, data, and a masked CRC-32C of
 * each. Source: tensorflow.org, "TFRecord and tf.train.Example". */
#pragma once
#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct tfrecord;

/* Make a new file; one that is there is not written over. *out is to be closed. Errors: ERR_IO. */
int tfrecord_create(struct tfrecord **out, const char *path, struct err *err);

/* Append a record, readable by others at once.
 * Errors: ERR_IO (disk full): the caller may go on, the record is lost. */
int tfrecord_append(struct tfrecord *f, const void *data, size_t len, struct err *err);

/* NULL is fine. */
void tfrecord_close(struct tfrecord *f);

/* The CRC-32C (Castagnoli) of data[len]. */
uint32_t tfrecord_crc(const void *data, size_t len);
