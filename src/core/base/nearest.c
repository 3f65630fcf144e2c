#include "core/base/nearest.h"
#include "core/base/fold.h"
#include "core/base/foreign.h"

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

/* The candidate that is written the same but for case, separators and a dimension (Conv2d), or
 * NULL. */
static const char *same(const char *word, const char *const *candidates, int n) {
    char a[FOLD_TEXT], b[FOLD_TEXT];

    fold(word, a);
    for (int plain = 0; plain < 2; plain++) {
        for (int i = 0; i < n && *a; i++) {
            fold(candidates[i], b);
            if (!strcmp(a, b))
                return candidates[i];
        }
        a[fold_plain_len(a)] = 0;
    }
    return NULL;
}

/* The candidate that others call so, or NULL. */
static const char *translated(const char *word, const char *const *candidates, int n) {
    const char *ours;

    for (int k = 0; (ours = foreign_meaning(word, k)); k++)
        for (int i = 0; i < n; i++)
            if (!strcmp(candidates[i], ours))
                return candidates[i];
    return NULL;
}

/* The candidate of the least distance, if that is small. */
static const char *slip(const char *word, const char *const *candidates, int n) {
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

const char *nearest(const char *word, const char *const *candidates, int n) {
    const char *found = same(word, candidates, n);

    if (!found)
        found = translated(word, candidates, n);
    return found ? found : slip(word, candidates, n);
}
