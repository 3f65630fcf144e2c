#include "cmd/help_text.h"

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
    const double tiny = 1e-20, huge = 1e9;
    const bool above = max > min && max < huge;

    if (min > 0 && min < tiny)
        help_add(text, ", above 0");
    else if (above)
        help_add(text, ", %g to %g", min, max);
    else if (min > -huge)
        help_add(text, ", at least %g", min);
}

void help_cell(const char *text) {
    bool code = false;

    for (; *text; text++) {
        code ^= *text == '`';
        printf(strchr(code ? "|" : "|*<>", *text) ? "\\%c" : "%c", *text);
    }
}
