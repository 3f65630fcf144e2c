/* file.h - whole files and folders. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>

/* Linux's PATH_MAX: what is longer is no path. */
enum { FILE_PATH = 4096 };

/* "<path>.tmp", where what becomes `path` is written first. Takes no memory: what is there can
 * always be removed. Returns -1 with errno ENAMETOOLONG. */
int file_beside(const char *path, char beside[FILE_PATH]);

/* Remove a file; a file system that fails once is asked again. What is not there is fine. Returns
 * -1 with errno set. */
int file_remove(const char *path);

/* Make `path` hold bytes[len]: written beside as <path>.tmp, synced, renamed, the folder synced. At
 * every moment, also when the program is killed or the disk is full, `path` is either as before
 * or whole. What is no plain file is not replaced.
 * Errors: ERR_IO "<path>: cannot be written: <reason>"; nothing is left behind. */
int file_replace(const char *path, const void *bytes, size_t len, struct err *err);

/* Its two halves: write <path>.tmp and sync it; rename it to path. Errors: likewise. */
int file_write_beside(const char *path, const void *bytes, size_t len, struct err *err);
int file_take_place(const char *path, struct err *err);

/* May `path` become a file: is nothing there, or a plain file, no link to one, that is none of
 * inputs[n], under whatever names and links? The same is asked of <path>.tmp, which is written
 * first. What a program is told to write is checked so before it reads anything. inputs may be NULL
 * where n is 0. Errors: ERR_USAGE naming what is there; ERR_IO where it cannot be looked at. */
int file_check_target(const char *path, const char *const *inputs, int n, struct err *err);

/* A file open for reading, for the caller to close. Opening a pipe would wait for somebody to
 * write: it is an error, as is whatever else is neither file nor folder. Errors: ERR_IO "<path>:
 * cannot be read: <reason>"; then -1. */
int file_open(const char *path, struct err *err);

/* The content of a file: *bytes is malloc'd, for the caller to free, with a 0 after its end.
 * Errors: ERR_IO "<path>: cannot be read: <reason>". */
int file_read(const char *path, char **bytes, size_t *len, struct err *err);

/* Write all of bytes[len] to an open file. Returns -1 with errno set. */
int file_write(int fd, const void *bytes, size_t len);

/* Make a folder and those above it that are missing.
 * Errors: ERR_IO "<folder>: cannot be created: <reason>". */
int file_make_folders(const char *path, struct err *err);

/* Make the folder that the file `path` will be in, and those above it. Errors: likewise. */
int file_make_folder_of(const char *path, struct err *err);

/* Bytes that this user may still write where path is, or will be made: -1 where nobody says. */
double file_space_left(const char *path);

/* A text as printf would print it, for the caller to free; NULL when there is no memory. */
char *file_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
