/* init.h - initialisers: how a weight tensor gets its first values. */
#pragma once
#include "core/base/tensor.h"
#include "core/base/word.h"

struct init {
    struct word word;
    /* Fill w[len] for the given fans; randomness is a function of key and element. */
    void (*fill)(const void *args, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
                 int64_t len);
};

/* The word (first member of its struct init) of that name, or NULL. */
const struct word *init_find(const char *name);

/* All initialisers; *n is their number. */
const struct init *const *init_table(int *n);

/* Fill w[len] as `init` says; zeros where init.word is NULL. */
void init_fill(const struct applied *init, int64_t fan_in, int64_t fan_out, uint64_t key, real *w,
               int64_t len);
