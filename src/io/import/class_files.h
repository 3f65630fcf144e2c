/* class_files.h - files whose folder is their class: SRC/CLASS/FILE or SRC/SPLIT/CLASS/FILE; or
 * files alone, SRC/FILE, which have none. */
#pragma once
#include "core/base/err.h"
#include "io/import/import.h"

/* {0} is releasable. */
struct class_files {
    int64_t n, room;
    char **path;    /* [n] by split, class and name */
    int32_t *class; /* [n] or, without classes, NULL */
    int32_t *split; /* [n] */
    int n_classes;
    char **class_name; /* [n_classes] */
    int n_splits;      /* 0: all files are of one that is not named */
    char **split_name; /* [n_splits] of groups */
};

/* Find files that end in one of endings[], a list that NULL ends, in capitals or not; others are
 * counted.
 *   what  they are, for messages: "sounds (.wav, .flac, .ogg)"
 * Errors: ERR_DATA where there are none, or files beside folders; ERR_IO. */
int class_files_init(struct class_files *files, const char *source, const char *const *endings,
                     const char *what, struct import_result *result, struct err *err);
void class_files_release(struct class_files *files);
