/* source_files.h - the files of a job as bytes, so that what one process has read can be read by
 * others that do not have them. */
#pragma once
#include "core/lang/syntax.h"

#include <stdio.h>
#include <sys/stat.h>

struct source_file {
    const char *path; /* as it was opened */
    const char *text; /* [len] */
    size_t len;
    uint64_t device, inode; /* which file it is, under whatever path */
};

/* {0} is empty. */
struct source_files {
    struct source_file *file; /* [n] in the order in which they were opened: the job first */
    int n;
    bool complete;    /* all are there: nothing is read from anywhere else */
    struct pool pool; /* owner of all */
};

/* As source_read. Files that are complete are read in place of any others, the first one as the job
 * itself, whatever path says; to those that are not every file is added that is opened. NULL:
 * neither. */
int source_read_files(struct source *s, const char *path, struct source_files *files,
                      const char *const *sets, int n_sets, const char *const *keys,
                      struct err *err);

/* Add a file of text[len], copied, under a path and an identity of its own. */
void source_files_add(struct source_files *files, const struct source_file *file);

/* {0} is fine. */
void source_files_release(struct source_files *files);

/* For source.c: read the open file, whose status is known, to its end, and give a stream of the
 * copy in its place; `stream` is closed. NULL with errno where it cannot be read. */
FILE *source_files_keep(struct source_files *files, const char *path, FILE *stream,
                        const struct stat *status);

/* For source.c: a stream of the file that was opened under that path. Its status has device, inode
 * and size. NULL with errno where there is none. */
FILE *source_files_open(const struct source_files *files, const char *path, struct stat *status);
