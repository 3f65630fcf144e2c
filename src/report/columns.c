#define _XOPEN_SOURCE 700 /* wcwidth, uselocale */
#include "report/columns.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

/* The next letter: its bytes, at least 1, and its columns. */
static size_t letter(const char *text, int *columns) {
    mbstate_t state = {0};
    wchar_t wide;
    const size_t bytes = mbrtowc(&wide, text, strlen(text), &state);

    *columns = 1;
    if (bytes == 0 || bytes > strlen(text))
        return 1; /* no UTF-8 */
    const int width = wcwidth(wide);
    *columns = width >= 0 ? width : 1;
    return bytes;
}

/* The program itself runs in the locale "C", where numbers are written as in job files. */
static size_t measure(const char *text, int most, int *columns) {
    const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    const locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    size_t used = 0;

    *columns = 0;
    while (text[used]) {
        int width;
        const size_t bytes = letter(text + used, &width);
        if (*columns + width > most)
            break;
        *columns += width;
        used += bytes;
    }
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return used;
}

int columns_of(const char *text) {
    int columns;

    measure(text, 1 << 30, &columns);
    return columns;
}

size_t columns_cut(const char *text, int columns) {
    int used;

    return measure(text, columns, &used);
}

void columns_print(FILE *out, const char *text, int width, int left) {
    const char *dots = columns_of(text) > width && width > 4 ? "..." : "";
    const size_t bytes = columns_cut(text, width - (int)strlen(dots));
    int used;

    measure(text, width - (int)strlen(dots), &used);
    const int blanks = width - used - (int)strlen(dots);
    if (!left)
        fprintf(out, "%*s", blanks, "");
    fprintf(out, "%.*s%s", (int)bytes, text, dots);
    if (left)
        fprintf(out, "%*s", blanks, "");
}
