#include "io/import/utf8.h"

#include <stdbool.h>
#include <string.h>

/* Longer than it needs to be, half of a pair of UTF-16, or beyond the last character. Source: RFC
 * 3629, section 4. */
static bool is_odd(const unsigned char *s, size_t n) {
    switch (n) {
    case 2:
        return s[0] < 0xc2;
    case 3:
        return (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0);
    case 4:
        return (s[0] == 0xf0 && s[1] < 0x90) || s[0] > 0xf4 || (s[0] == 0xf4 && s[1] >= 0x90);
    default:
        return false;
    }
}

size_t utf8_len(const char *at, size_t left) {
    const unsigned char *s = (const unsigned char *)at;
    const size_t n = s[0] < 0x80       ? 1
                     : s[0] >> 5 == 6  ? 2
                     : s[0] >> 4 == 14 ? 3
                     : s[0] >> 3 == 30 ? 4
                                       : 0;

    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (s[i] >> 6 != 2)
            return 0;
    return is_odd(s, n) ? 0 : n;
}

int utf8_check(const char *text, size_t len, const char *what, struct err *err) {
    size_t line = 1;

    if (len > 1 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
        return err_set(err, ERR_DATA, "%s: is UTF-16, expected UTF-8: iconv -f UTF-16 -t UTF-8",
                       what);
    for (size_t i = 0; i < len;) {
        const size_t n = utf8_len(text + i, len - i);

        if (!text[i])
            return err_set(err, ERR_DATA, "%s:%zu: holds the byte 0x00, expected text", what, line);
        if (!n)
            return err_set(err, ERR_DATA,
                           "%s:%zu: holds the byte 0x%02x, which is no UTF-8; of Latin-1: iconv -f "
                           "ISO-8859-1 -t UTF-8",
                           what, line, (unsigned char)text[i]);
        line += text[i] == '\n';
        i += n;
    }
    return 0;
}

size_t utf8_mark(const char *text, size_t len) {
    return len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
}
