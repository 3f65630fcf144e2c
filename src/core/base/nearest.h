/* nearest.h - "did you mean": which known word somebody may have wanted to write. */
#pragma once

/* The candidate that word is but for case and separators, or that others call so (foreign.h), or
 * else the nearest (edit distance at most a third of its length, at least 1); NULL. */
const char *nearest(const char *word, const char *const *candidates, int n);
