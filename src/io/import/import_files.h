/* import_files.h - lists of image files that belong together, split by split. */
#pragma once
#include "core/base/err.h"
#include "io/import/import.h"

#include <stdbool.h>
#include <stdint.h>

enum { FILES_LISTS = 2 };

/* Image files of one folder in the order of their names, numbers in them by value: 9.png before
 * 10.png. {0} is releasable. */
struct file_list {
    int64_t n, room;
    char **path; /* [n], owned */
};

struct file_split {
    char *name;                         /* owned */
    struct file_list list[FILES_LISTS]; /* images and masks, A and B; the second may be empty */
};

/* {0} is releasable. */
struct file_set {
    int n_splits;
    struct file_split *split; /* [n_splits], train first */
    int64_t n_ignored;        /* files of other kinds */
};

void file_set_release(struct file_set *set);

/* Does a file of that name hold an image, by its ending? */
bool file_is_image(const char *name);

/* The images directly in a folder. Errors: ERR_IO; ERR_DATA where there is none. */
int file_list_init(struct file_list *list, const char *folder, int64_t *n_ignored, struct err *err);

/* A new split of that name at the end, NULL without memory. */
struct file_split *file_set_add(struct file_set *set, const char *name, struct err *err);

/* Find SOURCE/X and SOURCE/Y (split train) or SOURCE/SPLIT/X and SOURCE/SPLIT/Y: names[0] and
 * names[1] are what X and Y may be called, whatever their case; both end with NULL.
 * Errors: ERR_DATA, "SOURCE: expected". */
int file_set_scan(struct file_set *set, const char *source, const char *const *const names[],
                  const char *expected, struct err *err);

/* Check that the lists have the same names, endings apart.
 * Errors: ERR_DATA naming the first file without a partner. */
int file_split_match(const struct file_split *split, struct err *err);

/* Hold some files of the split train (or the only one) out as the split validate, drawn by the
 * seed. Lists of one length lose the same files. Errors: ERR_USAGE where there is one already, or
 * nothing would be left. */
int file_set_hold_out(struct file_set *set, const struct import_split *how, struct err *err);

/* Compare names as people count: runs of digits by value. */
int file_compare(const char *a, const char *b);
