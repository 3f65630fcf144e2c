/* import_files.h - lists of image files that belong together, split by split. */
#pragma once
#include "core/base/err.h"
#include "io/import/import.h"
#include "io/import/import_tree.h"

#include <stdbool.h>
#include <stdint.h>

enum { FILES_LISTS = 2 };

/* Image files of one folder in the order of their names, numbers in them by value: 9.png before
 * 10.png. {0} is releasable. */
struct file_list {
    int64_t n, room;
    const char **path; /* [n], owned; the paths are the tree's */
};

struct file_split {
    char name[256];                     /* of the group */
    struct file_list list[FILES_LISTS]; /* images and masks, A and B; the second may be empty */
};

/* {0} is releasable. */
struct file_set {
    struct tree tree;
    bool *used; /* [1 + tree.n_folders] the source and each folder: are its images in a list? */
    int n_splits;
    struct file_split *split; /* [n_splits] */
};

/* Look at all that is in the source, and take nothing yet. Errors: those of tree_init. */
int file_set_init(struct file_set *set, const char *source, struct err *err);
void file_set_release(struct file_set *set);

/* Does a file of that name hold an image, by its ending? */
bool file_is_image(const char *name);

/* Make list k of the split for a folder of that name, or (NULL) for train, of the images in
 * `folder` of the tree, -1: in the source; the split is new where there is none yet. Errors:
 * ERR_DATA where there are none, where folders within it hold images too, where an image is a link
 * to nothing, or where another folder is this list already. */
int file_set_take(struct file_set *set, const char *name, int k, int folder, struct err *err);

/* Of all images in list 0 of the splits, those with the suffix before their endings are list 1's.
 * Or where that has files, all of them must have it. Afterwards both are in the order of what is
 * before it. Errors: ERR_DATA naming the first file that is called otherwise. */
int file_set_part(struct file_set *set, const char *suffix, struct err *err);

/* A new split at the end, NULL without memory. Splits that were there may move. */
struct file_split *file_set_add(struct file_set *set, const char *name, struct err *err);

/* Put train first, and note how many images are in no list. */
void file_set_finish(struct file_set *set, struct import_result *result);

/* Where importers look for two lists. */
struct file_layout {
    const char *const *names[FILES_LISTS]; /* what the folders of images may be called, whatever
                                              their case; both end with NULL */
    const char *suffix;   /* of the second list's files, in a folder of their own or
                             beside the first's; NULL: none */
    const char *expected; /* where there are none */
};

/* Find SOURCE/X and SOURCE/Y (split train) or SOURCE/SPLIT/X and SOURCE/SPLIT/Y.
 * Errors: ERR_DATA, "SOURCE: expected"; folders of both kinds; two folders for one list. */
int file_set_scan(struct file_set *set, const char *source, const struct file_layout *layout,
                  struct import_result *result, struct err *err);

/* Check that the lists have the same names, endings (and of list 1 the suffix, if any) apart.
 * Errors: ERR_DATA naming the first file without a partner. */
int file_split_match(const struct file_split *split, const char *suffix, struct err *err);

/* Hold some files of the split train (or the only one) out as the split validate, drawn by the
 * seed. Lists of one length lose the same files. Errors: ERR_USAGE where there is one already, or
 * nothing would be left. */
int file_set_hold_out(struct file_set *set, const struct import_split *how, struct err *err);

/* Note how many images each split has, where there are several. */
void file_set_count(const struct file_set *set, struct import_result *result);

/* Compare names as people count: runs of digits by value. */
int file_compare(const char *a, const char *b);
