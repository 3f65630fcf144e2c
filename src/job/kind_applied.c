/* kind_applied.c - a word of a table with its arguments, as in sgd(lr=0.1). */
#include "job/kind.h"

#include <string.h>

static const struct key *key_of(const struct evaluator *ev) {
    return ev->context;
}

static int apply(struct evaluator *ev, const struct expr *e, const struct word *word,
                 struct value *out, struct err *err) {
    *out = (struct value){.kind = VALUE_APPLIED, .pos = e->pos};
    return eval_apply(ev, e, 0, word, &out->applied, err) ? -1 : 1;
}

static int applied_call(struct evaluator *ev, const struct expr *e, const struct value *piped,
                        struct value *out, struct err *err) {
    const struct word *word = piped ? NULL : key_of(ev)->find(e->text);

    return word ? apply(ev, e, word, out, err) : 0;
}

/* A word that needs no arguments may stand alone. */
static int applied_name(struct evaluator *ev, const struct expr *e, struct value *out,
                        struct err *err) {
    const struct word *word = key_of(ev)->find(e->text);

    for (const struct arg_spec *a = word ? word->args : NULL; a && a->name; a++)
        if (a->required)
            return 0;
    return word ? apply(ev, e, word, out, err) : 0;
}

static int applied_known(const struct evaluator *ev, const char **names, int n, int max) {
    const struct word *word;

    for (int i = 0; n < max && (word = key_of(ev)->at(i)); i++)
        names[n++] = word->name;
    return n;
}

static int read_applied(struct job *job, const struct key *key, const struct entry *entry, void *at,
                        struct err *err) {
    const struct eval_host host = {
        .name = applied_name, .call = applied_call, .known = applied_known, .what = key->name};
    struct evaluator ev = kind_evaluator(job, &host);
    struct value v;

    ev.context = (void *)key;
    if (eval_entry(&ev, entry, &v, err))
        return -1;
    if (v.kind != VALUE_APPLIED)
        return pos_error(err, entry->pos, "%s: expected one as in %s", key->name, key->at(0)->name);
    *(struct applied *)at = v.applied;
    return 0;
}

const struct kind kind_applied = {
    .name = "word",
    .form = "a word of [words.md](words.md) with its arguments, as in `sgd(lr=0.1, momentum=0.9)`",
    .read = read_applied,
};
