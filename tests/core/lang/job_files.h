/* job_files.h - job files in a folder of their own, for tests that read them. */
#pragma once
#include "core/lang/syntax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { MAX_FILES = 8, PATH_ROOM = 96 };

/* Fixture: *state points to one of these; "DIR" stands for dir in expected messages. */
struct job_files {
    char dir[32];
    char paths[MAX_FILES][PATH_ROOM];
    int n_paths;
};

static inline int job_files_setup(void **state) {
    struct job_files *files = calloc(1, sizeof *files);

    if (!files)
        return -1;
    strcpy(files->dir, "/tmp/dltrain_XXXXXX");
    *state = files;
    return mkdtemp(files->dir) ? 0 : -1;
}

static inline int job_files_teardown(void **state) {
    struct job_files *files = *state;

    for (int i = 0; i < files->n_paths; i++)
        unlink(files->paths[i]);
    char sub[PATH_ROOM];
    snprintf(sub, sizeof sub, "%s/sub", files->dir);
    rmdir(sub);
    int status = rmdir(files->dir);
    free(files);
    return status;
}

/* Write a file of that name (again); "sub/..." makes the folder sub. Returns its path. */
static inline const char *job_file(struct job_files *files, const char *name, const char *text) {
    char path[PATH_ROOM];
    int i = 0;

    if (!strncmp(name, "sub/", 4)) {
        snprintf(path, sizeof path, "%s/sub", files->dir);
        mkdir(path, 0700);
    }
    snprintf(path, sizeof path, "%s/%s", files->dir, name);
    while (i < files->n_paths && strcmp(files->paths[i], path))
        i++;
    assert_true(i < MAX_FILES);
    strcpy(files->paths[i], path);
    if (i == files->n_paths)
        files->n_paths++;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return files->paths[i];
}

/* Keys that sets may name, or may have meant, though no file has them. */
static const char *const job_keys[] = {
    "job.name",   "job.model",  "job.epochs",     "job.steps",           "job.seed",
    "data.batch", "data.cache", "validate.batch", "step.optimizer.rate", NULL};

/* Read a job that must be right. */
static inline void job_read(struct source *s, const char *path, const char *const *sets,
                            int n_sets) {
    struct err err = {0};

    if (source_read(s, path, sets, n_sets, job_keys, &err))
        fail_msg("%s", err.msg);
}

/* The message is expected, with each "DIR" replaced by the folder's path. */
static inline void check_message(const struct job_files *files, const char *msg,
                                 const char *expected) {
    char text[1024];
    size_t n = 0;

    while (*expected) {
        assert_true(n + sizeof files->dir < sizeof text);
        if (!strncmp(expected, "DIR", 3)) {
            strcpy(text + n, files->dir);
            n += strlen(files->dir);
            expected += 3;
        } else {
            text[n++] = *expected++;
        }
    }
    text[n] = '\0';
    assert_string_equal(msg, text);
}
