/* watch_log.h - a file of JSON lines that another process writes, on another host perhaps: what has
 * come since it was last looked at. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { LOG_TAIL = 64 };

/* {.path} has read nothing. */
struct watch_log {
    const char *path; /* borrowed */
    int64_t read;     /* bytes, to the end of a line */
    int64_t
        doubtful; /* where a line is no JSON, as it is seen for a moment over NFS; -1: nowhere */
    dev_t device;
    ino_t file;
    char tail[LOG_TAIL]; /* the last of what was read, by which it is known again */
    int tail_len;
    double changed; /* seconds since 1970; 0: it is not there */
};

/* Read the whole lines that are new, each of which goes to `take` as an object. A file that is not
 * the one that was read, or not all of it any more (a run that goes on cuts its log), is read from
 * its beginning, and `anew` is called before. What cannot be read is tried again next time. */
void watch_log_read(struct watch_log *log, void *context, void (*anew)(void *context),
                    void (*take)(void *context, const json_t *line));
