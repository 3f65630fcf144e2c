/* names.h - numbers by name: what a job may hold tens of thousands of is found at once. */
#pragma once
#include "core/base/pool.h"

struct name;

/* {0} is empty. */
struct names {
    struct name *slots; /* [n_slots], a power of two, or NULL */
    int n, n_slots;
};

/* The number of that name within that group ("" where there are none), or -1.
 * Cost: that of comparing one or two names. */
int names_find(const struct names *names, const char *group, const char *name);

/* Give that name a number >= 0, in place of the one it may have. Both texts are borrowed.
 *   pool  owner of the table */
void names_set(struct names *names, struct pool *pool, const char *group, const char *name,
               int number);
