/* shuffle.h - the words of [data] shuffle: in which order an epoch has its samples. */
#pragma once
#include "core/base/word.h"
#include "dist/shard.h"

/* The word of that name, or NULL; the i-th, NULL past the end. */
const struct word *shuffle_find(const char *name);
const struct word *shuffle_word(int i);

/* Write what the applied word says to plan: shuffle, block, window. */
void shuffle_plan(const struct applied *shuffle, struct shard *plan);
