/* volume_file.h - the bytes of a NIfTI file, packed by gzip or not, before anybody trusts them. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* What a header says is possible: one file with its voxels behind the header, 1 to 7 dimensions of
 * at least 1. Errors: ERR_DATA naming what is not; ERR_IO. */
int volume_file_check(const char *path, struct err *err);

/* Read `len` bytes from `offset` on, to out. Errors: ERR_DATA where the file is cut off or damaged;
 * ERR_IO. */
int volume_file_read(const char *path, int64_t offset, void *out, size_t len, struct err *err);
