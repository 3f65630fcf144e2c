/* folder.h - the entries of a directory, sorted. */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>

struct folder_entry {
    char *name;
    bool folder;   /* otherwise a file, or */
    bool dangling; /* a link to what is not there */
};

/* {0} is releasable. */
struct folder {
    int n;
    struct folder_entry *entry; /* [n], owned, in the order of strcmp */
    int n_others;               /* neither files nor directories */
};

/* Read the directory; links are followed. Left out are hidden entries, those that systems and
 * archives leave behind (__MACOSX, Thumbs.db, @eaDir ...); others, such as pipes, are counted.
 * Errors: ERR_IO. */
int folder_init(struct folder *folder, const char *path, struct err *err);
void folder_release(struct folder *folder);

/* "path/name", malloc'd; NULL when there is no memory. */
char *folder_join(const char *path, const char *name);
