#include "report/page_base64.h"

#include <stdlib.h>
#include <string.h>

char *page_base64(const char *before, const unsigned char *bytes, size_t len) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t begin = strlen(before);
    char *text = malloc(begin + (len + 2) / 3 * 4 + 1), *to = text + begin;

    if (!text)
        return NULL;
    memcpy(text, before, begin);
    for (size_t i = 0; i < len; i += 3) {
        const unsigned a = bytes[i], b = i + 1 < len ? bytes[i + 1] : 0u,
                       c = i + 2 < len ? bytes[i + 2] : 0u;
        *to++ = letters[a >> 2];
        *to++ = letters[(a & 3) << 4 | b >> 4];
        *to++ = i + 1 < len ? letters[(b & 15) << 2 | c >> 6] : '=';
        *to++ = i + 2 < len ? letters[c & 63] : '=';
    }
    *to = 0;
    return text;
}
