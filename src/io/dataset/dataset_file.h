/* dataset_file.h - a dataset file being made: it appears under its name only when it is complete.
 */
#pragma once
#include "core/base/err.h"
#include "io/h5/h5.h"

enum { DATASET_FILE_PATH = 4096 };

/* {0} is releasable. */
struct dataset_file {
    char path[DATASET_FILE_PATH], temporary[DATASET_FILE_PATH];
    struct h5 *h5;                 /* to write to */
    int lock;                      /* 1 + the descriptor that keeps others from it; 0: none */
    struct unfinished *unfinished; /* what is at `temporary` */
};

/* May a dataset be written under that name? As file_check_target, and what is there may only be
 * HDF5: no photo or archive is replaced by mistake. Asked before anything is read.
 * Errors: ERR_USAGE, ERR_IO. */
int dataset_file_check(const char *path, const char *const *inputs, int n, struct err *err);

/* Create path.tmp for now; folders that are missing are made.
 * Errors: those of dataset_file_check; ERR_IO, also where another process is writing it. */
int dataset_file_init(struct dataset_file *file, const char *path, struct err *err);

/* Mark it as a dataset, bring it to the disk and give it its name. All its datasets must be closed.
 * Errors: ERR_IO. */
int dataset_file_finish(struct dataset_file *file, struct err *err);

/* Give the name `path` to a whole dataset file, which is on the disk, on the same file system.
 * Errors: those of dataset_file_check; ERR_IO. */
int dataset_file_rename(const char *from, const char *path, struct err *err);

/* An unfinished file is removed. */
void dataset_file_release(struct dataset_file *file);
