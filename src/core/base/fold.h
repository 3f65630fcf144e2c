/* fold.h - names without what people write differently: case and separators. */
#pragma once
#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { FOLD_TEXT = 64 };

/* "Global_Avg-Pool" to "globalavgpool"; cut where it does not fit. */
static inline void fold(const char *name, char folded[FOLD_TEXT]) {
    size_t n = 0;

    for (; *name && n + 1 < FOLD_TEXT; name++)
        if (isalnum((unsigned char)*name))
            folded[n++] = (char)tolower((unsigned char)*name);
    folded[n] = 0;
}

/* The length of folded without a dimension at its end: that of conv in conv2d. */
static inline size_t fold_plain_len(const char *folded) {
    const size_t len = strlen(folded);

    return len > 2 && folded[len - 1] == 'd' && strchr("123", folded[len - 2]) ? len - 2 : len;
}
