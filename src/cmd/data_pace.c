#include "cmd/data_pace.h"

#include "core/base/clock.h"
#include "io/file/file.h"
#include "train/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds between two lines of a log; on a terminal it may be shown more often. */
#define LOG_S 60.0
#define TERMINAL_S 0.2

void data_show_progress(void *context, int64_t done, int64_t total) {
    (void)context;
    if (!isatty(STDERR_FILENO))
        return;
    if (total > 0)
        fprintf(stderr, "\r%3d %%", (int)(100 * done / total));
    else
        fprintf(stderr, "\r%lld images", (long long)done);
    if (done == total)
        fputs("\r      \r", stderr);
}

const char *data_time_text(double seconds, char text[DATA_TIME_TEXT]) {
    const long long s = (long long)(seconds + 0.5);

    if (s < 60)
        snprintf(text, DATA_TIME_TEXT, "%lld s", s);
    else if (s < 3600)
        snprintf(text, DATA_TIME_TEXT, "%lld min %lld s", s / 60, s % 60);
    else
        snprintf(text, DATA_TIME_TEXT, "%lld h %lld min", s / 3600, s / 60 % 60);
    return text;
}

/* One command of a process has a pace. */
static double shown_s;

static void clear_line(void) {
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

void data_show_pace(void *context, const struct import_pace *pace) {
    const bool terminal = isatty(STDERR_FILENO);
    const double now = clock_now(), seconds = pace->seconds > 1e-3 ? pace->seconds : 1e-3;
    const double rate = (double)(pace->done - pace->begun) / seconds;
    char left[DATA_TIME_TEXT];

    (void)context;
    if (pace->done == pace->total) {
        clear_line();
        return;
    }
    if (now - shown_s < (terminal ? TERMINAL_S : LOG_S))
        return;
    shown_s = now;
    data_time_text((double)(pace->total - pace->done) / (rate > 0 ? rate : 1), left);
    fprintf(stderr, "%s%3d %%: %lld of %lld images, %.0f images/s, %.1f MiB/s, %s left%s",
            terminal ? "\r\033[K" : "", (int)(100 * pace->done / pace->total),
            (long long)pace->done, (long long)pace->total, rate,
            (double)pace->bytes / seconds / (1 << 20), left, terminal ? "" : "\n");
}

static void say(void *context, const char *text) {
    (void)context;
    clear_line();
    fprintf(stderr, "%s\n", text);
}

void data_pace_begin(struct import_progress *progress) {
    stop_catch_signals();
    shown_s = clock_now();
    progress->pace = data_show_pace;
    progress->say = say;
    progress->stopped = stop_requested;
}

int data_write_lines(const char *path, char *const *lines, int64_t n, struct err *err) {
    size_t len = 0, at = 0;
    char *text;

    for (int64_t i = 0; i < n; i++)
        len += strlen(lines[i]) + 1;
    text = malloc(len + 1);
    if (!text)
        return err_set(err, ERR_IO, "%s: out of memory", path);
    for (int64_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, len + 1 - at, "%s\n", lines[i]);
    const int status = file_replace(path, text, len, err);
    free(text);
    return status;
}
