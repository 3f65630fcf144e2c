/* kind_applied.c - a word of a table with its arguments, as in sgd(lr=0.1). */
#include "job/kind.h"

#include <string.h>

/* What the evaluator works for. */
struct reading {
    const struct job *job;
    const struct key *key;
};

static const struct key *key_of(const struct evaluator *ev) {
    return ((const struct reading *)ev->context)->key;
}

struct scaled {
    double value;
    int per;
};

static const struct arg_spec scaled_args[] = {
    {.name = "value",
     .kind = ARG_REAL,
     .offset = offsetof(struct scaled, value),
     .required = true,
     .help = "for a batch of `per`"},
    {.name = "per",
     .kind = ARG_INT,
     .offset = offsetof(struct scaled, per),
     .fallback = 256,
     .min = 1,
     .help = "samples"},
    {0},
};

static const struct word word_scaled = {
    "scaled", "a number that grows in proportion to [data] batch: value * batch / per",
    sizeof(struct scaled), scaled_args};

const struct word *job_word_at(int i) {
    return i ? NULL : &word_scaled;
}

/* The linear scaling rule (Goyal et al. 2017, arXiv:1706.02677), said and not assumed. */
static int scaled_value(struct evaluator *ev, const struct expr *e, struct value *out,
                        struct err *err) {
    const struct reading *reading = ev->context;
    struct scaled scaled;

    if (eval_bind(ev, e, 0, &word_scaled, &scaled, err))
        return -1;
    *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos};
    out->number = scaled.value * (double)reading->job->batch / scaled.per;
    return 1;
}

static int apply(struct evaluator *ev, const struct expr *e, const struct word *word,
                 struct value *out, struct err *err) {
    *out = (struct value){.kind = VALUE_APPLIED, .pos = e->pos};
    return eval_apply(ev, e, 0, word, &out->applied, err) ? -1 : 1;
}

static int applied_call(struct evaluator *ev, const struct expr *e, const struct value *piped,
                        struct value *out, struct err *err) {
    const struct word *word = key_of(ev)->find(e->text);

    if (piped && word)
        return pos_error(err, e->pos, "found %s behind a bar, expected one %s alone", e->text,
                         key_of(ev)->name);
    if (!piped && !strcmp(e->text, word_scaled.name))
        return scaled_value(ev, e, out, err);
    return word ? apply(ev, e, word, out, err) : 0;
}

static bool needs_arguments(const struct word *word) {
    for (const struct arg_spec *a = word->args; a && a->name; a++)
        if (a->required)
            return true;
    return false;
}

/* A word that needs no arguments may stand alone; of others the first that is missing is said,
 * unless a constant of [let] has their name. */
static int applied_name(struct evaluator *ev, const struct expr *e, struct value *out,
                        struct err *err) {
    const struct word *word = key_of(ev)->find(e->text);
    const struct section *let = source_find(ev->source, "let", "");

    if (!word || (needs_arguments(word) && let && section_find(let, e->text)))
        return 0;
    return apply(ev, e, word, out, err);
}

static int applied_known(const struct evaluator *ev, const char **names, int n, int max) {
    const struct word *word;

    for (int i = 0; n < max && (word = key_of(ev)->at(i)); i++)
        names[n++] = word->name;
    if (n < max)
        names[n++] = word_scaled.name;
    return n;
}

static int read_applied(struct job *job, const struct key *key, const struct entry *entry, void *at,
                        struct err *err) {
    const struct eval_host host = {
        .name = applied_name, .call = applied_call, .known = applied_known, .what = key->name};
    struct evaluator ev = kind_evaluator(job, &host);
    struct reading reading = {job, key};
    struct value v;

    ev.context = &reading;
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
