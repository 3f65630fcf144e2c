/* sync.h - how often ranks become the same again: words of the job language, `[dist] sync = step`.
 */
#pragma once
#include "core/base/word.h"

struct local_sgd_args {
    int every, after; /* steps */
};

/* The word of that name, or NULL; the i-th, NULL past the end. */
const struct word *sync_find(const char *name);
const struct word *sync_word(int i);

/* The arguments of local_sgd; NULL where ranks sum the gradients of every step, also of {0}. */
const struct local_sgd_args *sync_local_sgd(const struct applied *sync);
