#include "core/base/err.h"
#include "core/base/one_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 3 * 4096 }; /* some paths, each as long as Linux takes, and words */

/* As much of the text as there is room for: the beginning, which is where, and the end, which is
 * why. */
static void shorten(const char *text, char *msg, size_t room) {
    static const char gap[] = "...";
    const size_t len = strlen(text), head = room / 2, tail = room - head - sizeof gap;

    if (len < room)
        memcpy(msg, text, len + 1);
    else
        snprintf(msg, room, "%.*s%s%s", (int)head, text, gap, text + len - tail);
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) {
    char text[LONGEST];
    va_list ap;

    err->kind = kind;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    one_line(text);
    shorten(text, err->msg, sizeof err->msg);
    return -1;
}

int err_wrap(struct err *err, const char *fmt, ...) {
    char text[LONGEST];
    const size_t left = sizeof text - sizeof err->msg - sizeof ": ";
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, left, fmt, ap);
    va_end(ap);
    one_line(text);
    strcat(strcat(text, ": "), err->msg);
    shorten(text, err->msg, sizeof err->msg);
    return -1;
}
