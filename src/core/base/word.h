/* word.h - a word of the job language: a name with arguments, as in sgd(lr=0.1, momentum=0.9).
 * Operators, initialisers, optimisers, schedules and augmentations all begin with one, are found
 * by name in a table, and are listed by `dltrain help` from that table. The evaluator stores the
 * arguments of a call in a struct of the word's own, as described by its arg specs. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arg_kind {
    ARG_INT = 1,      /* int */
    ARG_BYTES,        /* int64_t: a whole number, as in chunk=512KiB */
    ARG_REAL,         /* double */
    ARG_WORD,         /* int: index into words, as in pad=same; true/false is a word too */
    ARG_WORDS,        /* int: bit i for words[i], as in exclude=[bias, norm]; `none` is no bit */
    ARG_INTS,         /* struct ints: one whole number or a list of up to INTS_MAX */
    ARG_INTS_OR_WORD, /* struct ints: as before, or n = 0 and v[0] = index into words */
    ARG_REALS,        /* struct reals: a number or a list of any length */
    ARG_APPLIED,      /* struct applied: another word with its arguments, as in lr=cosine(0.1) */
};

enum { INTS_MAX = 4 };

/* Bounds that leave 0 or 1 out: the numbers next to them. */
#define ARG_ABOVE_0 0x1p-1074
#define ARG_BELOW_1 (1 - 0x1p-53)

struct ints {
    int n; /* 0 where a word was written */
    int v[INTS_MAX];
};

struct reals {
    int n;
    const double *v; /* [n], borrowed from the job */
};

struct word;

/* cosine(0.1, warmup=1): the word and its arguments, of the word's args_size. */
struct applied {
    const struct word *word; /* NULL: not given */
    const void *args;        /* borrowed from the job */
};

/* One argument. A spec array ends with {0}. */
struct arg_spec {
    const char *name;
    enum arg_kind kind;
    size_t offset;            /* into the word's struct of arguments */
    double fallback;          /* default; of lists and words: their one element or index; of WORDS
                               * their bits */
    double min, max;          /* inclusive, of every element; max <= min: no upper limit.
                               * For REAL and REALS min = max = 0 means no limit at all */
    const char *const *words; /* ends with NULL */
    bool required;
    /* ARG_APPLIED: the table; a plain number in its place means find("constant")(number), if it has
     * that word. */
    const struct word *(*find)(const char *name);
    const struct word *(*at)(int i); /* the table's i-th, NULL past its end: for "did you mean" */
    const char *help;                /* a few words, with the unit */
};

struct word {
    const char *name;
    const char *help;            /* one line: what it computes */
    size_t args_size;            /* 0: takes no arguments */
    const struct arg_spec *args; /* NULL: takes no arguments */
};

/* Fill args[args_size] with every default. */
void word_defaults(const struct word *word, void *args);

/* "512KiB" or "3": v as an argument of that kind is written; returns text. */
enum { ARG_TEXT = 32 };
const char *arg_text(enum arg_kind kind, double v, char text[ARG_TEXT]);

/* "0 to 1", "at least 0 and below 1", "above 0": the range of such an argument; returns text.
 *   max  <= min, or infinite: no upper limit */
enum { RANGE_TEXT = 2 * ARG_TEXT + 32 };
const char *range_text(enum arg_kind kind, double min, double max, char text[RANGE_TEXT]);

/* The element i of a kernel-like argument: a single number stands for all. */
static inline int ints_at(const struct ints *v, int i) {
    return v->n == 1 ? v->v[0] : v->v[i];
}
