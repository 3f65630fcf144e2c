/* resume_file.h - the checkpoint that a run goes on from: the last one, or where that is damaged or
 * gone, the latest of the run that is whole. */
#pragma once
#include "io/weights/checkpoint.h"
#include "train/meta.h"
#include "train/others.h"
#include "train/resume.h"

/* {0} is fine to be released. */
struct resume_file {
    const char *path; /* the file that was taken */
    struct checkpoint *ck;
    struct meta meta;
    struct err why; /* what is wrong with the last one; kind 0: nothing, or it is not there */
    struct others others;
    struct pool pool;
};

/* Errors: ERR_DATA where no file is whole, naming all, or the last one is none of a run; ERR_IO. */
int resume_file_open(struct resume_file *f, const struct resume *resume, struct err *err);

/* Once the run does go on from it: where it is not the last one, keep that as last.damaged.h5 and
 * warn. Errors: ERR_IO. */
int resume_file_settle(struct resume_file *f, const struct resume *resume, struct err *err);

/* Before something else becomes the last one: where that is damaged, keep it as last.damaged.h5 and
 * warn. Errors: ERR_IO. */
int resume_file_spare(const struct resume *resume, struct err *err);

void resume_file_release(struct resume_file *f);
