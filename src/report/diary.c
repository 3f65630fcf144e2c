#include "report/diary.h"
#include "io/file/file.h"
#include "report/page_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int open_file(struct sink *sink, const struct event *start, struct err *err) {
    struct diary *d = (struct diary *)sink;
    char *path = file_text("%s/events.jsonl", start->folder);

    if (!path)
        return err_set(err, ERR_IO, "%s: not enough memory for a path", start->folder);
    d->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const int rc =
        d->fd < 0 ? err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(errno)) : 0;
    free(path);
    return rc;
}

/* Half a line is worse than none, and taken back where that can be. Returns -1 with errno set. */
static int write_line(int fd, const char *text, size_t len) {
    struct stat st;
    const bool known = !fstat(fd, &st);

    if (!file_write(fd, text, len))
        return 0;
    const int why = errno;
    const int cut = known ? ftruncate(fd, st.st_size) : -1;
    (void)cut;
    errno = why;
    return -1;
}

/* Write a line, whose object is given away. */
static void append(struct diary *d, json_t *line) {
    char *text = json_dumps(line, JSON_COMPACT);
    const size_t len = text ? strlen(text) : 0;
    const bool knew = d->lost;

    if (text)
        text[len] = '\n'; /* over the end: a line goes out in one write */
    d->lost = !text || write_line(d->fd, text, len + 1);
    if (d->lost && !knew) /* the warning comes here, too */
        sinks_warn(d->warn,
                   "events.jsonl cannot be written: %s; training goes on, and says no more of it "
                   "until it can",
                   text ? strerror(errno) : "no memory");
    free(text);
    json_decref(line);
}

static json_t *new_line(const char *event) {
    return json_pack("{s:I, s:s}", "time", (json_int_t)time(NULL), "event", event);
}

static void say(struct diary *d, const char *event, const char *text) {
    json_t *line = new_line(event);

    json_object_set_new(line, "text", page_text(text));
    append(d, line);
}

static void start(struct diary *d, const struct event *e) {
    json_t *line = new_line("start");

    json_object_set_new(line, "step", json_integer(e->progress->step));
    json_object_set_new(line, "ranks", json_integer(e->start.ranks));
    json_object_set_new(line, "threads", json_integer(e->start.threads));
    json_object_set_new(line, "kernels", page_text(e->start.kernels));
    append(d, line);
}

static void end(struct diary *d, const struct event *e) {
    const struct err *err = e->end.err;
    json_t *line = new_line("end");

    json_object_set_new(line, "step", json_integer(e->progress->step));
    json_object_set_new(line, "state",
                        json_string(!err                       ? "complete"
                                    : err->kind == ERR_STOPPED ? "stopped"
                                                               : "failed"));
    json_object_set_new(line, "text", page_text(err ? err->msg : ""));
    append(d, line);
}

/* The folder is made again; so is the file in it. */
static void begin_again(struct diary *d, const struct event *e) {
    struct err err = {0};

    diary_release(d);
    if (open_file(&d->sink, e, &err))
        sinks_warn(d->warn, "%s; training goes on", err.msg);
}

static void take(struct sink *sink, const struct event *e) {
    struct diary *d = (struct diary *)sink;

    if (d->fd >= 0 && e->kind == EVENT_FOLDER)
        begin_again(d, e);
    if (d->fd < 0)
        return;
    if (e->kind == EVENT_START)
        start(d, e);
    else if (e->kind == EVENT_NOTE || e->kind == EVENT_WARNING)
        say(d, e->kind == EVENT_NOTE ? "note" : "warning", e->text);
    else if (e->kind == EVENT_END)
        end(d, e);
}

static const struct sink_kind kind = {.open = open_file, .take = take};

void diary_init(struct diary *d, const struct sinks *warn) {
    *d = (struct diary){.sink = {&kind}, .warn = warn, .fd = -1};
}

void diary_release(struct diary *d) {
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}
