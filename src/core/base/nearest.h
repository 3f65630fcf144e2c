/* nearest.h - "did you mean": which known word somebody may have wanted to write. */
#pragma once

/* The candidate nearest to word (edit distance at most a third of its length, at least 1), or NULL.
 */
const char *nearest(const char *word, const char *const *candidates, int n);
