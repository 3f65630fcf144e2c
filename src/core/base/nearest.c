#include "core/base/nearest.h"

#include <stdlib.h>
#include <string.h>

static size_t min(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Edit distance (insert, delete, replace, exchange two neighbours: 1 each); room for 3 rows of
 * strlen(b) + 1. */
static size_t distance(const char *a, const char *b, size_t *room) {
    const size_t n = strlen(b);
    size_t *row = room, *before = row + n + 1, *before_that = before + n + 1;

    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t *const reused = before_that;
        before_that = before;
        before = row;
        row = reused;
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            row[j + 1] = min(before[j] + (a[i] != b[j]), min(before[j + 1], row[j]) + 1);
            if (i && j && a[i] == b[j - 1] && a[i - 1] == b[j])
                row[j + 1] = min(row[j + 1], before_that[j - 1] + 1);
        }
    }
    return row[n];
}

const char *nearest(const char *word, const char *const *candidates, int n) {
    const size_t len = strlen(word);
    size_t *room = malloc(3 * (len + 1) * sizeof *room);
    size_t best = (len >= 6 ? len / 3 : 1) + 1;
    const char *found = NULL;

    for (int i = 0; room && i < n; i++) {
        size_t d = distance(candidates[i], word, room);
        if (d < best) {
            best = d;
            found = candidates[i];
        }
    }
    free(room);
    return found;
}
