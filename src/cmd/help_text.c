#include "cmd/help_text.h"
#include "core/base/word.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void help_add(char text[HELP_TEXT], const char *fmt, ...) {
    const size_t used = strlen(text);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text + used, HELP_TEXT - used, fmt, ap);
    va_end(ap);
}

void help_range(double min, double max, char text[HELP_TEXT]) {
    const double huge = 1e9;
    char range[RANGE_TEXT];

    if (min <= -huge && !(max > min && max < huge))
        return;
    help_add(text, ", %s", range_text(ARG_REAL, min, max < huge ? max : INFINITY, range));
}

void help_cell(const char *text) {
    bool code = false;

    for (; *text; text++) {
        code ^= *text == '`';
        printf(strchr(code ? "|" : "|*<>", *text) ? "\\%c" : "%c", *text);
    }
}
