/* words.h - every word that a job may hold, by what it is: for help and the pages made from it. */
#pragma once
#include "core/base/word.h"

struct vocabulary {
    const char *title; /* "Optimisers" */
    const char *use;   /* where they stand, one line */
    /* The i-th word by value (its text and arguments are static); false past the end. */
    bool (*at)(int i, struct word *out);
};

/* The i-th vocabulary, NULL past the end. */
const struct vocabulary *vocabulary_at(int i);
