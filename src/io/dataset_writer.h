/* dataset_writer.h - writes a dataset file as docs/data.md describes it, split by split. The file
 * appears under its name only when it is complete. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"

#include <stdint.h>

struct dataset_writer;

/* Write to path.tmp for now; folders that are missing are made. Errors: ERR_IO. */
int dataset_writer_new(struct dataset_writer **out, const char *path, struct err *err);

/* Begin the group `name` for images of sample [h, w, c], bytes. Mean and standard deviation of
 * the file are those of the first split. */
int dataset_writer_split(struct dataset_writer *writer, const char *name,
                         const struct shape *sample, struct err *err);

/* Add images[n, h, w, c] and labels[n] to the split. */
int dataset_writer_append(struct dataset_writer *writer, const unsigned char *images,
                          const int32_t *labels, int64_t n, struct err *err);

/* Add the attributes, bring the file to the disk and give it its name. */
int dataset_writer_finish(struct dataset_writer *writer, const char *const *classes, int n_classes,
                          struct err *err);

/* An unfinished file is removed. NULL is fine. */
void dataset_writer_free(struct dataset_writer *writer);
