/* key.h - the keys of a job. One row of a table says how a key is written, where its value goes,
 * what it is where nobody writes it and what help says of it; one reader fills a section's struct
 * from the rows, and `dltrain help keys`, docs/keys.md and every "did you mean" come from them. */
#pragma once
#include "core/base/pool.h"
#include "core/base/word.h"
#include "core/lang/syntax.h"

struct job;
struct key;

/* How the value of a key is written. One const struct each; nothing else knows the kinds. */
struct kind {
    const char *name;  /* for help: "interval" */
    const char *form;  /* what can stand, in Markdown; NULL: the name says it */
    bool is_number;    /* min, max and unit of the key are of use */
    bool is_statement; /* the graph reads it, as it reads the other statements of the section */
    /* Turn the text into *at, the member that the key's offset names. NULL: somebody else does.
     * Errors: ERR_CONFIG with the place, what was found and what is expected. */
    int (*read)(struct job *job, const struct key *key, const struct entry *entry, void *at,
                struct err *err);
};

/* One key. A table ends with {0}. */
struct key {
    const char *name;
    const struct kind *kind;
    size_t offset;            /* into the struct of its section */
    const char *fallback;     /* what it is unless written, as it would be written; NULL: its member
                               * stays zero */
    const char *absent;       /* what that means, for help: "as fits" */
    const char *missing;      /* without it "[step] has no " and this; NULL: it may be missing */
    double min, max;          /* of numbers, inclusive; max <= min: no upper limit */
    const char *unit;         /* of numbers, for help: "samples" */
    const char *const *words; /* kind_flag: no and yes, ends with NULL */
    /* kind_applied: the table of words, as in struct arg_spec. */
    const struct word *(*find)(const char *name);
    const struct word *(*at)(int i);
    const char *help; /* a few words */
};

/* A kind of section: [job], [data], [step NAME]. */
struct job_section {
    const char *kind, *help;
    enum {
        JOB_NO_NAME,
        JOB_MAY_HAVE_NAME,
        JOB_NEEDS_NAME
    } named; /* JOB_NO_NAME: there is one at most */
    enum { JOB_STATEMENTS, JOB_KEYS, JOB_KEYS_AND_STATEMENTS } holds;
    bool is_word;           /* its name is one of the language's */
    const struct key *keys; /* ends with {0}; NULL: none */
    /* Read one; s is NULL where there is none and JOB_NO_NAME. NULL: its keys alone, into struct
     * job.
     */
    int (*read)(struct job *job, const struct section *s, struct err *err);
};

/* The i-th kind of section in the order of help, NULL past the end; the one of that name or NULL.
 */
const struct job_section *job_section_at(int i);
const struct job_section *job_section_find(const char *kind);

extern const struct job_section section_job, section_data, section_weights, section_step,
    section_validate, section_picture, section_checkpoint, section_dist, section_log, section_run;

/* The i-th function that arguments of a key's words may be made with, NULL past the end. */
const struct word *job_word_at(int i);

/* "data.batch": every key of the sections that need no name, and "step.optimizer.lr": every
 * argument of the words that such a key may be; in the pool, ends with NULL. */
const char *const *job_all_keys(struct pool *pool);

/* Fill out, the struct that the rows' offsets mean, from what a section holds and from the
 * fallbacks of what it does not.
 *   s  NULL: fallbacks alone
 * Errors: ERR_CONFIG with the place. */
int keys_read(struct job *job, const struct key *keys, const struct section *s, void *out,
              struct err *err);

/* Names of all keys that are no statements, in the pool; ends with NULL. */
const char *const *keys_plain(struct pool *pool, const struct key *keys);

/* The key that somebody may have wanted to write, or NULL.
 *   plain  of those that are no statements */
const char *keys_nearest(const struct key *keys, const char *name, bool plain);
