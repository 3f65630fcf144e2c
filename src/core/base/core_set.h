/* core_set.h - a set of small numbers: processors (hardware threads) as the system numbers them, or
 * cores. {0} is empty. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { CORE_SET_MOST = 1024, CORE_SET_WORDS = CORE_SET_MOST / 64 };

struct core_set {
    uint64_t word[CORE_SET_WORDS];
};

/* i in [0, CORE_SET_MOST). */
static inline void core_set_add(struct core_set *set, int i) {
    set->word[i / 64] |= (uint64_t)1 << i % 64;
}

static inline bool core_set_has(const struct core_set *set, int i) {
    return set->word[i / 64] >> i % 64 & 1;
}

static inline int core_set_count(const struct core_set *set) {
    int n = 0;

    for (int w = 0; w < CORE_SET_WORDS; w++)
        n += __builtin_popcountll(set->word[w]);
    return n;
}

static inline bool core_set_equal(const struct core_set *a, const struct core_set *b) {
    return !memcmp(a, b, sizeof *a);
}

/* Is everything in a in b, too? */
static inline bool core_set_within(const struct core_set *a, const struct core_set *b) {
    for (int w = 0; w < CORE_SET_WORDS; w++)
        if (a->word[w] & ~b->word[w])
            return false;
    return true;
}

static inline void core_set_join(struct core_set *into, const struct core_set *more) {
    for (int w = 0; w < CORE_SET_WORDS; w++)
        into->word[w] |= more->word[w];
}

/* Those of the set from number `first` to before `end`, counted in order. */
static inline struct core_set core_set_part(const struct core_set *set, int first, int end) {
    struct core_set part = {{0}};
    int n = 0;

    for (int i = 0; i < CORE_SET_MOST && n < end; i++)
        if (core_set_has(set, i) && n++ >= first)
            core_set_add(&part, i);
    return part;
}
