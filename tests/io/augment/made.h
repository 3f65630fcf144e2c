/* made.h - one word of a pipeline with its arguments. */
#pragma once
#include "io/augment/augment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* One word with its arguments: defaults, then what the test sets by name. */
struct made {
    struct applied applied;
    double args[32];
};

static inline void *spot(struct made *m, const char *name, enum arg_kind kind) {
    for (const struct arg_spec *a = m->applied.word->args; a->name; a++)
        if (!strcmp(a->name, name)) {
            assert_int_equal(a->kind, kind);
            return (char *)m->args + a->offset;
        }
    fail_msg("%s has no %s", m->applied.word->name, name);
    return NULL;
}

static inline struct applied make(struct made *m, const char *name) {
    const struct word *word = augment_find(name);

    assert_non_null(word);
    assert_true(word->args_size <= sizeof m->args);
    m->applied = (struct applied){word, m->args};
    if (word->args_size)
        word_defaults(word, m->args);
    return m->applied;
}
