/* h5_files.h - files that are open for reading, so that all datasets of one file share it: each is
 * opened once, whatever is read of it. */
#pragma once
#include "io/h5/h5.h"

/* {0} is none. */
struct h5_files {
    struct h5 **file; /* [n] */
    int n;
};

/* The file of that path, opened where it is not open yet, for the caller to h5_close: which it
 * stays open after for as long as others have it, the list among them. files  NULL: a file of its
 * own Errors: as h5_open. */
int h5_files_open(struct h5_files *files, const char *path, struct h5 **out, struct err *err);

/* {0} is fine. */
void h5_files_release(struct h5_files *files);
