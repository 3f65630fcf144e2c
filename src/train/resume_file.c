#include "train/resume_file.h"
#include "io/runlog/runlog.h"
#include "io/weights/tensor_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int resume_exists(const char *file, struct err *err) {
    struct stat st;

    if (!stat(file, &st))
        return 1;
    if (errno == ENOENT)
        return 0;
    return err_set(err, ERR_IO, "%s: cannot be read: %s", file, strerror(errno));
}

/* Weights without the state of a run can be begun with, but not gone on from. */
static int only_weights(struct err *err) {
    const struct err inner = *err;

    return err_set(err, inner.kind, "%s; the job's [weights NET] file = begins with its weights",
                   inner.msg);
}

/* *damaged: the file does not hold what was written. */
static int open_checkpoint(struct resume_file *f, bool *damaged, struct err *err) {
    if (tensor_file_is_safetensors(f->path)) {
        err_set(err, ERR_DATA, "%s: is safetensors: weights alone, no moments and no history",
                f->path);
        return only_weights(err);
    }
    if (checkpoint_open(&f->ck, f->path, err)) {
        *damaged = err->kind == ERR_DATA;
        return -1;
    }
    return meta_read(&f->meta, f->path, checkpoint_meta(f->ck), err) ? only_weights(err) : 0;
}

/* Say what else there is. Returns -1. */
static int refuse(struct resume_file *f, const char *last, struct err *err) {
    others_name(last, pool_print(&f->pool, "%s, and --resume again", last), err);
    return -1;
}

static int open_other(struct resume_file *f, const struct resume *resume, struct err *err) {
    bool damaged;

    others_find(&f->others, resume->folder, resume->file);
    const struct other *other = others_latest(&f->others, resume->id->job->name);
    if (other) {
        f->path = other->path;
        return open_checkpoint(f, &damaged, err);
    }
    if (f->why.kind)
        *err = f->why;
    else
        err_set(err, ERR_DATA, "%s is not there", resume->file);
    return refuse(f, resume->file, err);
}

int resume_file_open(struct resume_file *f, const struct resume *resume, struct err *err) {
    const int there = resume_exists(resume->file, err);
    bool damaged = false;

    *f = (struct resume_file){.path = resume->file};
    if (there < 0)
        return -1;
    if (!there)
        return open_other(f, resume, err);
    if (!open_checkpoint(f, &damaged, &f->why))
        return 0;
    if (damaged)
        return open_other(f, resume, err);
    *err = f->why;
    return refuse(f, resume->file, err);
}

/* last.damaged.h5, last.damaged.1.h5 ... */
static int put_aside(struct resume_file *f, const char *last, const char **aside, struct err *err) {
    const char *dot = strrchr(last, '.');
    const int stem = (int)(dot - last);
    int rc;

    *aside = pool_print(&f->pool, "%.*s.damaged%s", stem, last, dot);
    for (int i = 1; (rc = resume_exists(*aside, err)) > 0; i++)
        *aside = pool_print(&f->pool, "%.*s.damaged.%d%s", stem, last, i, dot);
    if (rc < 0)
        return -1;
    return rename(last, *aside) ? err_set(err, ERR_IO, "%s: cannot be renamed to %s: %s", last,
                                          *aside, strerror(errno))
                                : 0;
}

/* "the 6 steps up to 12 are done again": as far as the log of steps goes. */
static const char *done_again(struct resume_file *f, const char *folder, int64_t step) {
    const int64_t last = runlog_last_step(folder, "metrics");

    if (last <= step)
        return "what was done after it is done again";
    return last == step + 1
               ? pool_print(&f->pool, "step %" PRId64 " is done again", last)
               : pool_print(&f->pool, "the %" PRId64 " steps up to %" PRId64 " are done again",
                            last - step, last);
}

int resume_file_settle(struct resume_file *f, const struct resume *resume, struct err *err) {
    const int64_t step = meta_step(&f->meta);
    const char *aside = NULL;

    if (f->path == resume->file)
        return 0;
    if (f->why.kind && put_aside(f, resume->file, &aside, err))
        return -1;
    sinks_warn(resume->sinks, "%s%s; going on after step %" PRId64 " from %s: %s%s%s%s",
               f->why.kind ? f->why.msg : resume->file, f->why.kind ? "" : " is not there", step,
               f->path, done_again(f, resume->folder, step),
               aside ? "; the damaged file is kept as " : "", aside ? aside : "", f->others.wrong);
    return 0;
}

int resume_file_spare(const struct resume *resume, struct err *err) {
    struct resume_file f = {.path = resume->file};
    const int there = resume_exists(resume->file, err);
    const char *aside;
    bool damaged = false;
    int rc = there < 0 ? -1 : 0;

    if (there > 0 && open_checkpoint(&f, &damaged, &f.why) && damaged) {
        rc = put_aside(&f, resume->file, &aside, err);
        if (!rc)
            sinks_warn(resume->sinks, "%s; the damaged file is kept as %s", f.why.msg, aside);
    }
    resume_file_release(&f);
    return rc;
}

void resume_file_release(struct resume_file *f) {
    checkpoint_close(f->ck);
    meta_release(&f->meta);
    others_release(&f->others);
    pool_release(&f->pool);
    *f = (struct resume_file){0};
}
