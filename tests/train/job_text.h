/* job_text.h - a job from a text that stands in a file only while it is read. */
#pragma once
#include "io/scratch.h"
#include "job/job.h"

#include <unistd.h>

static inline int job_of_text(struct job *job, const char *text, struct err *err) {
    char path[64] = "/tmp/dltrain_XXXXXX";

    close(mkstemp(path));
    write_bytes(path, text, strlen(text));
    const int rc = job_read(job, path, NULL, 0, err);
    unlink(path);
    return rc;
}
