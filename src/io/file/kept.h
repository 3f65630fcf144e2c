/* kept.h - a file that is replaced again and again, and of which the ones before are kept: last.h5,
 * and last.1.h5, last.2.h5 ..., which are older and older. */
#pragma once
#include "core/base/err.h"
#include "io/file/lock.h"

#include <stddef.h>

/* As file_replace, after which keep - 1 older ones are kept, the rest removed; keep = 0: they are
 * left alone. lock: the folder's, which must still be held once the new one is whole; NULL: none
 * is. What is there is touched only once the new one is whole on the disk beside it, and at every
 * moment, also when the program is killed, the file or its kept_name 1 is there. Errors: ERR_IO;
 * the older ones may have moved then. */
int kept_replace(const char *path, const void *bytes, size_t len, int keep, const struct lock *lock,
                 struct err *err);

/* "runs/a/last.2.h5" of "runs/a/last.h5" and 2, for the caller to free; NULL for lack of memory. */
char *kept_name(const char *path, int n);
