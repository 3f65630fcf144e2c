/* import_scan.h - which images a folder holds: SRC/CLASS/IMAGE or SRC/SPLIT/CLASS/IMAGE. */
#pragma once
#include "core/base/err.h"

#include <stdint.h>

struct scan_image {
    char *path; /* owned */
    int32_t class;
};

struct scan_split {
    char *name; /* owned */
    int64_t n, room;
    struct scan_image *image; /* [n], owned */
};

/* {0} is releasable. */
struct scan {
    int n_splits, n_classes;
    struct scan_split *split; /* the one named train first, the others by name */
    char **class_name;        /* [n_classes], those of the first split, by name */
    int64_t n_images, n_ignored;
};

/* Errors: ERR_DATA where the folder is laid out otherwise, a class is empty, or a split has a
 * class that the first has not; ERR_IO. */
int scan_init(struct scan *scan, const char *source, struct err *err);
void scan_release(struct scan *scan);
