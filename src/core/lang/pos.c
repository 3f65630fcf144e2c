/* Errors at a place in the job. */
#include "core/lang/syntax.h"

#include <stdarg.h>
#include <stdio.h>

int pos_error(struct err *err, struct pos pos, const char *fmt, ...) {
    char msg[sizeof err->msg];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    return err_set(err, ERR_CONFIG, "%s:%d:%d: %s", pos.file, pos.line, pos.column, msg);
}
