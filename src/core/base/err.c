#include "core/base/err.h"
#include "core/base/one_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) {
    va_list ap;

    err->kind = kind;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    one_line(err->msg);
    return -1;
}

int err_wrap(struct err *err, const char *fmt, ...) {
    struct err outer = {.kind = err->kind};
    const size_t room = sizeof err->msg;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(outer.msg, room, fmt, ap);
    va_end(ap);
    one_line(outer.msg);
    strncat(outer.msg, ": ", room - strlen(outer.msg) - 1);
    strncat(outer.msg, err->msg, room - strlen(outer.msg) - 1);
    *err = outer;
    return -1;
}
