#include "cmd/watch_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads to the end of bytes[len] or of the file; returns how many. */
static size_t read_at(int fd, int64_t offset, char *bytes, size_t len) {
    size_t done = 0;
    ssize_t n;

    while (done < len && (n = pread(fd, bytes + done, len - done, (off_t)offset + (off_t)done)) > 0)
        done += (size_t)n;
    return done;
}

static bool is_known(const struct watch_log *log, int fd, const struct stat *st) {
    const size_t len = (size_t)log->tail_len;
    char tail[LOG_TAIL];

    return st->st_dev == log->device && st->st_ino == log->file && st->st_size >= log->read &&
           read_at(fd, log->read - log->tail_len, tail, len) == len &&
           !memcmp(tail, log->tail, len);
}

/* The lines of text[len], which stands at log->read. A last line that is no JSON is left for the
 * next time once, and then passed over, as others are. */
static void take_lines(struct watch_log *log, const char *text, size_t len, void *context,
                       void (*take)(void *context, const json_t *line)) {
    const char *at = text, *end;

    while ((end = memchr(at, '\n', len - (size_t)(at - text)))) {
        const int64_t here = log->read + (at - text);
        json_t *line = json_loadb(at, (size_t)(end - at), 0, NULL);
        const char *rest = end + 1;
        const bool last = !memchr(rest, '\n', len - (size_t)(rest - text));
        if (!line && last && log->doubtful != here) {
            log->doubtful = here;
            break;
        }
        if (json_is_object(line))
            take(context, line);
        json_decref(line);
        at = rest;
    }
    log->read += at - text;
}

static void read_on(struct watch_log *log, int fd, const struct stat *st, void *context,
                    void (*take)(void *context, const json_t *line)) {
    const size_t size = (size_t)(st->st_size - log->read);
    char *text = size ? malloc(size) : NULL;

    if (text)
        take_lines(log, text, read_at(fd, log->read, text, size), context, take);
    free(text);
    const size_t tail = log->read < LOG_TAIL ? (size_t)log->read : LOG_TAIL;
    log->tail_len = (int)read_at(fd, log->read - (int64_t)tail, log->tail, tail);
}

void watch_log_read(struct watch_log *log, void *context, void (*anew)(void *context),
                    void (*take)(void *context, const json_t *line)) {
    const int fd = open(log->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        log->changed = 0;
        return;
    }
    if (!is_known(log, fd, &st)) {
        const char *path = log->path;
        *log = (struct watch_log){
            .path = path, .device = st.st_dev, .file = st.st_ino, .doubtful = -1};
        anew(context);
    }
    log->changed = (double)st.st_mtim.tv_sec + 1e-9 * (double)st.st_mtim.tv_nsec;
    read_on(log, fd, &st, context, take);
    close(fd);
}
