/* import_tree.h - all images below a folder, found in one walk, which does not decide yet what the
 * folders mean. */
#pragma once
#include "core/base/err.h"
#include "io/import/import.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { TREE_LEVELS = 2 };

/* A folder in the source, or in a folder there. */
struct tree_folder {
    char *path;               /* owned */
    const char *name;         /* its end */
    int parent;               /* the folder that it is in; -1: the source */
    int64_t n_direct, n_deep; /* images in it; in folders below it */
    int64_t first;            /* of all images in and below it, which stand together */
    dev_t device;             /* which folder it is, whatever its name */
    ino_t inode;
};

struct tree_image {
    char *path;              /* owned */
    int folder[TREE_LEVELS]; /* the folders that it is in or below; -1: none */
    bool nested;             /* in a folder further down */
    bool dangling;           /* a link to what is not there */
};

/* {0} is releasable. */
struct tree {
    int64_t n_images, room_images;
    struct tree_image *image; /* [n_images]: of a folder its files first, all by name */
    int n_folders, room_folders;
    struct tree_folder *folder; /* [n_folders]: each before those in it, by name */
    int64_t n_ignored;          /* files of other kinds */
};

/* Note folders with images that are one folder under two names: a link from one split to another.
 */
void tree_note_twins(const struct tree *tree, struct import_result *result);

/* Errors: ERR_IO; ERR_DATA where a link leads back to a folder that it is in. */
int tree_init(struct tree *tree, const char *source, struct err *err);
void tree_release(struct tree *tree);
