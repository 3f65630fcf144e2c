/* eval.h - the value of an expression. The evaluator knows numbers, strings, lists, if(...),
 * arithmetic, and the constants of [let]; names, calls and arithmetic on anything else are asked
 * of its host: the graph builder makes tensors of them, the job reader schedules and optimisers. */
#pragma once
#include "core/base/pool.h"
#include "core/base/word.h"
#include "core/lang/syntax.h"

enum value_kind {
    VALUE_NUMBER = 1,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_APPLIED, /* a word with its arguments: cosine(0.1) */
    VALUE_TENSOR,  /* host: index is the node */
    VALUE_NET,     /* host: object */
    VALUE_USE,     /* host: what a net gave: index is its value, object its statements */
    VALUE_BLOCK,   /* host: object is the shared instance */
    VALUE_AUTO,    /* the word auto, which means something to a host alone */
};

struct value {
    enum value_kind kind;
    struct pos pos;
    double number;
    const char *text;
    const struct value *items; /* [n_items] of a list */
    int n_items;
    int n_all; /* of a list: all items, with those of lists in it */
    struct applied applied;
    int index;
    void *object;
    const char *chain; /* host: the value stands in a numbered chain of that name, or NULL */
    int stage;         /* the number of the stage that comes next in it */
};

struct evaluator;

/* Each returns 1 when it made *out, 0 when it does not know the name, -1 with err. NULL: knows
 * none. */
struct eval_host {
    int (*name)(struct evaluator *ev, const struct expr *e, struct value *out, struct err *err);
    /* piped: the value left of the bar, or NULL. */
    int (*call)(struct evaluator *ev, const struct expr *e, const struct value *piped,
                struct value *out, struct err *err);
    int (*member)(struct evaluator *ev, const struct expr *e, const struct value *left,
                  struct value *out, struct err *err);
    int (*arithmetic)(struct evaluator *ev, const struct expr *e, const struct value *a,
                      const struct value *b, struct value *out, struct err *err);
    /* Names it knows, for "did you mean"; adds to names[] from n on, returns the new n. */
    int (*known)(const struct evaluator *ev, const char **names, int n, int max);
    const char *what; /* what a name stands for here: "operator, block or net" */
    /* The end of the error about an unknown name. */
    const char *(*hint)(const struct evaluator *ev);
};

struct evaluator {
    struct source *source;
    struct pool *pool; /* lists, arguments; those of constants belong to the source */
    const struct eval_host *host;
    void *context;   /* the host's */
    int depth;       /* expressions that are being evaluated inside each other */
    int n_constants; /* of [let] that are being computed for each other; 0: outside of it */
};

/* Value of e. Errors: ERR_CONFIG with the place; also for what costs more than SOURCE_MAX_WORK. */
int eval(struct evaluator *ev, const struct expr *e, struct value *out, struct err *err);

/* The same for an entry of a section. */
int eval_entry(struct evaluator *ev, const struct entry *entry, struct value *out, struct err *err);

/* The number that e must be. */
int eval_number(struct evaluator *ev, const struct expr *e, double *out, struct err *err);

/* Fill args[word->args_size] from a call's arguments: defaults, then the positional arguments
 * from number `skip` on in the order of the specs, then the named ones. `name=` is left to the
 * host. Errors name word, argument, what was found and what is expected. */
int eval_bind(struct evaluator *ev, const struct expr *call, int skip, const struct word *word,
              void *args, struct err *err);

/* A word applied to a call's arguments; memory from the pool. */
int eval_apply(struct evaluator *ev, const struct expr *call, int skip, const struct word *word,
               struct applied *out, struct err *err);

/* An error for an unknown name, with the nearest known one. Returns -1. */
int eval_unknown(struct evaluator *ev, const struct expr *e, struct err *err);

/* "a number", "a tensor": for messages. */
const char *value_kind_name(enum value_kind kind);
