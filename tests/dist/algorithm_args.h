/* algorithm_args.h - arguments of every all-reduce, as tests want them. */
#pragma once
#include "dist/allreduce/allreduce.h"

#include <stdlib.h>
#include <string.h>

/* Set the argument of that name to v, milliseconds where it is seconds, of an algorithm that has
 * it. */
static inline bool algorithm_set(const struct word *w, void *args, const char *name, int64_t v) {
    for (const struct arg_spec *a = w->args; a && a->name; a++)
        if (!strcmp(a->name, name)) {
            if (a->kind == ARG_BYTES)
                *(int64_t *)(void *)((char *)args + a->offset) = v;
            else if (a->kind == ARG_REAL)
                *(double *)(void *)((char *)args + a->offset) = (double)v / 1000;
            else
                *(int *)(void *)((char *)args + a->offset) = (int)v;
            return true;
        }
    return false;
}

/* Arguments to be freed: defaults, little time to measure, and where others are asked for, some
 * that there are. */
static inline void *algorithm_args(const struct word *w) {
    static const char *const names[] = {"tree", "ring"};
    static struct { int64_t args[8]; /* room for those of either */ } room[2];
    void *args = malloc(w->args_size + 1);
    int n = 0;

    if (!args)
        abort();
    word_defaults(w, args);
    algorithm_set(w, args, "seconds", 1);
    algorithm_set(w, args, "limit", 100000);
    for (const struct arg_spec *a = w->args; a && a->name; a++)
        if (a->kind == ARG_APPLIED && n < 2) {
            const struct word *part = allreduce_find(names[n]);
            if (part->args_size > sizeof room[n])
                abort();
            word_defaults(part, &room[n]);
            *(struct applied *)(void *)((char *)args + a->offset) =
                (struct applied){part, &room[n++]};
        }
    return args;
}
