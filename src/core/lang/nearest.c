#include "core/lang/syntax.h"

#include <stdlib.h>
#include <string.h>

/* Edit distance (insert, delete, replace: 1 each); row has room for strlen(b) + 1. */
static size_t distance(const char *a, const char *b, size_t *row) {
    const size_t n = strlen(b);

    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            if (best > diagonal + 1)
                best = diagonal + 1;
            if (best > row[j] + 1)
                best = row[j] + 1;
            row[j + 1] = best;
        }
    }
    return row[n];
}

const char *nearest(const char *word, const char *const *candidates, int n) {
    const size_t len = strlen(word);
    size_t *row = malloc((len + 1) * sizeof *row);
    size_t best = (len >= 6 ? len / 3 : 1) + 1;
    const char *found = NULL;

    for (int i = 0; row && i < n; i++) {
        size_t d = distance(candidates[i], word, row);
        if (d < best) {
            best = d;
            found = candidates[i];
        }
    }
    free(row);
    return found;
}
