#include "dist/sync.h"

#include <string.h>

static const struct arg_spec specs[] = {
    {.name = "every",
     .kind = ARG_INT,
     .offset = offsetof(struct local_sgd_args, every),
     .fallback = 8,
     .min = 1,
     .max = 1 << 30,
     .help = "steps between averages of what ranks hold"},
    {.name = "after",
     .kind = ARG_INT,
     .offset = offsetof(struct local_sgd_args, after),
     .fallback = 0,
     .min = 0,
     .max = 1 << 30,
     .help = "steps at the start of training that sum gradients"},
    {0},
};

static const struct word words[] = {
    {"step", "gradients of every step are summed: ranks are always the same", 0, NULL},
    {"local_sgd", "ranks update by their own gradients, and average what they hold now and then",
     sizeof(struct local_sgd_args), specs},
};

const struct word *sync_word(int i) {
    return i >= 0 && (size_t)i < sizeof words / sizeof *words ? &words[i] : NULL;
}

const struct word *sync_find(const char *name) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i].name, name))
            return &words[i];
    return NULL;
}

const struct local_sgd_args *sync_local_sgd(const struct applied *sync) {
    return sync->word && sync->word->args == specs ? sync->args : NULL;
}
