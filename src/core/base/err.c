#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names of files and datasets may hold anything: a message stays one line, and moves no cursor. */
static void keep_to_one_line(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) {
    va_list ap;

    err->kind = kind;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    keep_to_one_line(err->msg);
    return -1;
}

int err_wrap(struct err *err, const char *fmt, ...) {
    struct err outer = {.kind = err->kind};
    const size_t room = sizeof err->msg;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(outer.msg, room, fmt, ap);
    va_end(ap);
    keep_to_one_line(outer.msg);
    strncat(outer.msg, ": ", room - strlen(outer.msg) - 1);
    strncat(outer.msg, err->msg, room - strlen(outer.msg) - 1);
    *err = outer;
    return -1;
}
