/* file.h - whole files and folders. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>

/* Make `path` hold bytes[len]: written beside as <path>.tmp, synced, renamed, the folder synced. At
 * every moment, also when the program is killed or the disk is full, `path` is either as before
 * or whole. Errors: ERR_IO "<path>: cannot be written: <reason>"; nothing is left behind. */
int file_replace(const char *path, const void *bytes, size_t len, struct err *err);

/* The content of a file: *bytes is malloc'd, for the caller to free, with a 0 after its end.
 * Errors: ERR_IO "<path>: cannot be read: <reason>". */
int file_read(const char *path, char **bytes, size_t *len, struct err *err);

/* Write all of bytes[len] to an open file. Returns -1 with errno set. */
int file_write(int fd, const void *bytes, size_t len);

/* Make a folder and those above it that are missing.
 * Errors: ERR_IO "<folder>: cannot be created: <reason>". */
int file_make_folders(const char *path, struct err *err);

/* A text as printf would print it, for the caller to free; NULL when there is no memory. */
char *file_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
