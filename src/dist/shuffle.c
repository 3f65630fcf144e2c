#include "dist/shuffle.h"

#include <limits.h>
#include <string.h>

struct shuffle_args {
    int size, window;
};

static const struct arg_spec block_args[] = {
    {.name = "size",
     .kind = ARG_INT,
     .offset = offsetof(struct shuffle_args, size),
     .min = 1,
     .max = INT_MAX,
     .required = true,
     .help = "samples of a block, neighbours in the file"},
    {.name = "window",
     .kind = ARG_INT,
     .offset = offsetof(struct shuffle_args, window),
     .fallback = 0,
     .min = 0,
     .max = INT_MAX,
     .help = "blocks that are mixed at a time; 0: as many as hold 8 batches, and 8 at least"},
    {0},
};

static const struct {
    struct word word;
    enum shard_shuffle order;
} table[] = {
    {{"full", "all samples in a new order each epoch", 0, NULL}, SHARD_FULL},
    {{"block", "blocks of neighbours in a new order each epoch, mixed a window at a time",
      sizeof(struct shuffle_args), block_args},
     SHARD_BLOCKS},
    {{"none", "as stored, in every epoch", 0, NULL}, SHARD_STORED},
};

enum { N_WORDS = sizeof table / sizeof *table };

const struct word *shuffle_word(int i) {
    return i >= 0 && i < N_WORDS ? &table[i].word : NULL;
}

const struct word *shuffle_find(const char *name) {
    for (int i = 0; i < N_WORDS; i++)
        if (!strcmp(table[i].word.name, name))
            return &table[i].word;
    return NULL;
}

void shuffle_plan(const struct applied *shuffle, struct shard *plan) {
    const struct shuffle_args *args = shuffle->args;

    for (int i = 0; i < N_WORDS; i++)
        if (shuffle->word == &table[i].word)
            plan->shuffle = table[i].order;
    if (plan->shuffle == SHARD_BLOCKS) {
        plan->block = args->size;
        plan->window = args->window;
    }
}
