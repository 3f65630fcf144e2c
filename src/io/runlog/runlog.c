#include "io/runlog/runlog.h"
#include "io/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAITING_BYTES = 1 << 20 }; /* hours of lines that a full disk does not take */

struct runlog {
    int fd;        /* appending */
    char *path;    /* "runs/NAME/metrics.jsonl" */
    char *waiting; /* [n_waiting] whole lines that could not be written */
    size_t n_waiting;
};

static int fail(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
}

/* A new run begins an empty log; what an earlier one wrote is kept beside. */
static int put_aside(const char *dir, const char *name, const char *path, struct err *err) {
    char *aside = file_text("%s/%s.previous.jsonl", dir, name);
    struct stat st;
    int status = 0;

    if (!aside)
        return err_set(err, ERR_IO, "%s: not enough memory for a path", dir);
    if (!stat(path, &st) && st.st_size > 0 && rename(path, aside))
        status = fail(aside, err);
    free(aside);
    return status;
}

/* Does this line, without its end, belong to the first `step` updates? */
static int belongs(const char *line, size_t len, int64_t step) {
    json_t *object = json_loadb(line, len, 0, NULL);
    const json_t *at = json_object_get(object, "step");
    const int yes = json_is_object(object) && !(json_number_value(at) > (double)step);

    json_decref(object);
    return yes;
}

/* Cut the log behind its last line that belongs to the first `step` updates. */
static int cut(const char *path, int64_t step, struct err *err) {
    char *text, *line, *end;
    size_t len;
    int status = 0;

    if (access(path, F_OK) && errno == ENOENT)
        return 0;
    if (file_read(path, &text, &len, err))
        return -1;
    line = text;
    while ((end = memchr(line, '\n', len - (size_t)(line - text))) &&
           belongs(line, (size_t)(end - line), step))
        line = end + 1;
    if (line < text + len && truncate(path, (off_t)(line - text)))
        status = fail(path, err);
    free(text);
    return status;
}

static int open_log(const char *path, struct err *err) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    return fd < 0 ? fail(path, err) : fd;
}

int runlog_open(struct runlog **out, const char *dir, const char *name, int64_t step,
                struct err *err) {
    struct runlog *log = NULL;
    char *path = NULL;
    int fd;

    if (file_make_folders(dir, err))
        return -1;
    if (!(path = file_text("%s/%s.jsonl", dir, name)) || !(log = malloc(sizeof *log))) {
        err_set(err, ERR_IO, "%s: not enough memory for the run log", dir);
        goto failed;
    }
    if (step > 0 ? cut(path, step, err) : put_aside(dir, name, path, err))
        goto failed;
    if ((fd = open_log(path, err)) < 0)
        goto failed;
    *log = (struct runlog){.fd = fd, .path = path};
    *out = log;
    return 0;
failed:
    free(log);
    free(path);
    return -1;
}

/* All that waits, in one write: others see whole lines. */
static int write_waiting(struct runlog *log, struct err *err) {
    struct stat st;

    if (fstat(log->fd, &st))
        return fail(log->path, err);
    if (file_write(log->fd, log->waiting, log->n_waiting)) {
        fail(log->path, err);
        if (ftruncate(log->fd, st.st_size)) { /* half a line is worse than none */
            err_wrap(err, "a line was cut off");
            log->n_waiting = 0; /* the half would be there twice */
        }
        return -1;
    }
    free(log->waiting);
    log->waiting = NULL;
    log->n_waiting = 0;
    return 0;
}

/* Thirteen digits tell milliseconds since 1970 apart. */
int runlog_append(struct runlog *log, const json_t *object, struct err *err) {
    char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(13));
    const size_t len = line ? strlen(line) : 0;
    const bool full = log->n_waiting + len >= WAITING_BYTES;
    char *more = line && !full ? realloc(log->waiting, log->n_waiting + len + 1) : NULL;

    if (more) {
        memcpy(more + log->n_waiting, line, len);
        log->n_waiting += len;
        more[log->n_waiting++] = '\n';
        log->waiting = more;
    }
    free(line);
    if (!more && !full)
        return err_set(err, ERR_IO, "%s: not enough memory for a line", log->path);
    return write_waiting(log, err);
}

int runlog_again(struct runlog *log, struct err *err) {
    const int fd = open_log(log->path, err);

    if (fd < 0)
        return -1;
    close(log->fd);
    log->fd = fd;
    return 0;
}

int64_t runlog_last_step(const char *dir, const char *name) {
    char *path = file_text("%s/%s.jsonl", dir, name), *text = NULL;
    struct err ignored = {0};
    int64_t last = 0;
    size_t len = 0;

    if (path && !file_read(path, &text, &len, &ignored))
        for (char *line = text, *end; (end = memchr(line, '\n', len - (size_t)(line - text)));
             line = end + 1) {
            json_t *object = json_loadb(line, (size_t)(end - line), 0, NULL);
            const int64_t step = json_integer_value(json_object_get(object, "step"));

            last = step > last ? step : last;
            json_decref(object);
        }
    free(text);
    free(path);
    return last;
}

void runlog_number(json_t *object, const char *key, double value) {
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

void runlog_close(struct runlog *log) {
    struct err ignored = {0}; /* it has been told */

    if (!log)
        return;
    if (log->n_waiting)
        write_waiting(log, &ignored);
    close(log->fd);
    free(log->waiting);
    free(log->path);
    free(log);
}
