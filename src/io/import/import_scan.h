/* import_scan.h - which images a folder holds: SRC/CLASS/IMAGE or SRC/SPLIT/CLASS/IMAGE. */
#pragma once
#include "core/base/err.h"
#include "io/import/import.h"
#include "io/import/import_tree.h"

#include <stdint.h>

struct scan_image {
    const char *path; /* of the tree */
    int32_t class;
    bool dangling; /* a link to what is not there */
};

struct scan_split {
    const char *name;         /* of the group; its folder's, or static */
    const char *path;         /* of its folder */
    int64_t n;                /* at least 1 */
    struct scan_image *image; /* [n], owned; class by class, then mixed */
};

/* {0} is releasable. */
struct scan {
    struct tree tree;
    int n_splits, n_classes;
    struct scan_split
        *split; /* the one named train first, the others by the names of their folders */
    const char **class_name; /* [n_classes], those of all splits, by name; of the tree */
    int64_t n_images, n_ignored;
};

/* Find all images and decide which folders are splits and which are classes; what was decided where
 * it could have been otherwise is a note of result.
 * Errors: ERR_DATA where folders of both kinds stand side by side, where names of classes or splits
 * could be taken for each other, where there is nothing; ERR_IO. */
int scan_init(struct scan *scan, const char *source, struct import_result *result, struct err *err);
void scan_release(struct scan *scan);

/* Hold some images of train out as the split validate, of each class in proportion.
 * Errors: ERR_USAGE where there is nothing to draw from, or validation already. */
int scan_hold_out(struct scan *scan, const struct import_split *how, struct err *err);

/* Mix the images of each split, always in the same way: neighbours in the file are read together,
 * and should not be of one class. */
void scan_mix(struct scan *scan);
