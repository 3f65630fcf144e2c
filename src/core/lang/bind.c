/* bind.c - the arguments of a call, into the struct that its word describes. */
#include "core/lang/eval.h"
#include "core/base/nearest.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_SPECS = 32, MAX_WORDS = 64 };

/* Who is being bound, for messages. */
struct binding {
    struct evaluator *ev;
    const struct word *word;
    const struct arg_spec *spec;
    const struct expr *e;
};

static int word_index(const struct arg_spec *spec, const char *text) {
    for (int i = 0; spec->words && spec->words[i]; i++)
        if (!strcmp(spec->words[i], text))
            return i;
    return -1;
}

/* "same, valid", "same, valid or whole numbers", "none or a list of bias, norm" into text. */
static const char *expected_words(const struct arg_spec *spec, char *text, size_t size) {
    size_t used =
        (size_t)snprintf(text, size, "%s", spec->kind == ARG_WORDS ? "none or a list of " : "");

    for (int i = 0; spec->words[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", spec->words[i]);
    if (spec->kind == ARG_INTS_OR_WORD && used < size)
        snprintf(text + used, size - used, " or whole numbers");
    return text;
}

static int check_range(const struct binding *b, double v, struct err *err) {
    const struct arg_spec *s = b->spec;
    const bool bytes = s->kind == ARG_BYTES;
    const bool whole =
        bytes || s->kind == ARG_INT || s->kind == ARG_INTS || s->kind == ARG_INTS_OR_WORD;
    const bool limited = whole || s->min != 0 || s->max != 0;
    const double most = s->max > s->min ? s->max
                        : bytes         ? 0x1p53
                        : whole         ? (double)INT_MAX
                                        : (double)INFINITY;
    char found[ARG_TEXT], range[RANGE_TEXT];

    if (whole && v != floor(v))
        return pos_error(err, b->e->pos, "%s: %s is %s, expected a whole number", b->word->name,
                         s->name, arg_text(ARG_REAL, v, found));
    if (limited && (v < s->min || v > most || isnan(v)))
        return pos_error(err, b->e->pos, "%s: %s is %s, expected %s", b->word->name, s->name,
                         arg_text(s->kind, v, found),
                         range_text(s->kind, s->min, v > most ? most : s->max, range));
    return 0;
}

static int bind_word(const struct binding *b, int *out, struct err *err) {
    char words[256];

    const bool written = b->e->kind == EXPR_NAME || b->e->kind == EXPR_STRING;
    *out = written ? word_index(b->spec, b->e->text) : -1;
    if (*out >= 0)
        return 0;
    return pos_error(err, b->e->pos, "%s: %s is %s%s%s, expected %s", b->word->name, b->spec->name,
                     written ? "'" : "", written ? b->e->text : "not a word", written ? "'" : "",
                     expected_words(b->spec, words, sizeof words));
}

/* A word or a list of them, as bits. */
static int bind_words(const struct binding *b, int *out, struct err *err) {
    const bool list = b->e->kind == EXPR_LIST;

    *out = 0;
    if (b->e->kind == EXPR_NAME && !strcmp(b->e->text, "none"))
        return 0;
    for (int i = 0; i < (list ? b->e->n_args : 1); i++) {
        struct binding one = *b;
        int word;

        if (list)
            one.e = b->e->args[i].value;
        if (bind_word(&one, &word, err))
            return -1;
        *out |= 1 << word;
    }
    return 0;
}

/* A number or a list of numbers, as doubles in the pool. */
static int bind_numbers(const struct binding *b, struct reals *out, struct err *err) {
    struct value v;

    if (eval(b->ev, b->e, &v, err))
        return -1;
    const struct value *items = v.kind == VALUE_LIST ? v.items : &v;
    const int n = v.kind == VALUE_LIST ? v.n_items : 1;
    double *numbers = pool_take(b->ev->pool, (size_t)(n + 1) * sizeof *numbers);

    for (int i = 0; i < n; i++) {
        if (items[i].kind != VALUE_NUMBER)
            return pos_error(err, b->e->pos, "%s: %s is %s, expected a number%s", b->word->name,
                             b->spec->name, value_kind_name(items[i].kind),
                             b->spec->kind == ARG_REAL || b->spec->kind == ARG_INT ||
                                     b->spec->kind == ARG_BYTES
                                 ? ""
                                 : " or a list of numbers");
        if (check_range(b, items[i].number, err))
            return -1;
        numbers[i] = items[i].number;
    }
    if (!n)
        return pos_error(err, b->e->pos, "%s: %s is an empty list", b->word->name, b->spec->name);
    *out = (struct reals){n, numbers};
    return 0;
}

static int bind_ints(const struct binding *b, struct ints *out, struct err *err) {
    struct reals numbers;

    if (bind_numbers(b, &numbers, err))
        return -1;
    if (numbers.n > INTS_MAX)
        return pos_error(err, b->e->pos, "%s: %s has %d numbers, expected at most %d",
                         b->word->name, b->spec->name, numbers.n, INTS_MAX);
    *out = (struct ints){.n = numbers.n};
    for (int i = 0; i < numbers.n; i++)
        out->v[i] = (int)numbers.v[i];
    return 0;
}

static int bind_scalar(const struct binding *b, double *out, struct err *err) {
    struct reals numbers;

    if (bind_numbers(b, &numbers, err))
        return -1;
    if (numbers.n != 1)
        return pos_error(err, b->e->pos, "%s: %s is a list, expected one number", b->word->name,
                         b->spec->name);
    *out = numbers.v[0];
    return 0;
}

/* Is it the name of a constant of [let]? */
static bool is_constant(const struct binding *b) {
    const struct section *let = source_find(b->ev->source, "let", "");

    return let && section_find(let, b->e->text);
}

/* Is it a function that gives numbers? */
static bool is_function(const struct binding *b) {
    const struct eval_host *host = b->ev->host;
    const char *names[MAX_WORDS];
    const int n = host && host->known ? host->known(b->ev, names, 0, MAX_WORDS) : 0;

    for (int i = 0; i < n; i++)
        if (!strcmp(names[i], b->e->text))
            return true;
    return !strcmp(b->e->text, "if");
}

static const char *expected_applied(const struct binding *b) {
    return b->spec->find("constant") ? "a number or one of its words" : "one of its words";
}

/* lr=cosin(0.1): no word of the argument's table, nor any number. */
static int unknown_applied(const struct binding *b, struct err *err) {
    const char *names[MAX_WORDS];
    int n = 0;

    for (const struct word *w; b->spec->at && n < MAX_WORDS && (w = b->spec->at(n)); n++)
        names[n] = w->name;
    const char *near = nearest(b->e->text, names, n);
    return pos_error(err, b->e->pos, "%s: %s is '%s', expected %s%s%s%s", b->word->name,
                     b->spec->name, b->e->text, expected_applied(b), near ? "; did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}

/* A call of a word in the argument's own table, or a number in place of constant(number), where the
 * table has that. */
static int bind_applied(const struct binding *b, struct applied *out, struct err *err) {
    const struct expr *e = b->e;
    const bool named = e->kind == EXPR_NAME || e->kind == EXPR_CALL;
    const struct word *word = named ? b->spec->find(e->text) : NULL;
    const struct word *constant = b->spec->find("constant");
    struct value v;

    if (word)
        return eval_apply(b->ev, e, 0, word, out, err);
    if (eval(b->ev, e, &v, err))
        return named && !is_constant(b) && !is_function(b) ? unknown_applied(b, err) : -1;
    if (v.kind != VALUE_NUMBER || !constant)
        return pos_error(err, e->pos, "%s: %s is %s, expected %s", b->word->name, b->spec->name,
                         value_kind_name(v.kind), expected_applied(b));
    struct expr literal = {.kind = EXPR_NUMBER, .pos = e->pos, .number = v.number};
    struct expr_arg arg = {.value = &literal, .pos = e->pos};
    const struct expr call = {
        .kind = EXPR_CALL, .pos = e->pos, .text = "constant", .args = &arg, .n_args = 1};
    return eval_apply(b->ev, &call, 0, constant, out, err);
}

static int bind_one(const struct binding *b, void *args, struct err *err) {
    void *at = (char *)args + b->spec->offset;
    double number = 0;
    struct value v;
    int word;

    switch (b->spec->kind) {
    case ARG_INT:
        if (bind_scalar(b, &number, err))
            return -1;
        *(int *)at = (int)number;
        return 0;
    case ARG_BYTES:
        if (bind_scalar(b, &number, err))
            return -1;
        *(int64_t *)at = (int64_t)number;
        return 0;
    case ARG_REAL:
        return bind_scalar(b, at, err);
    case ARG_WORD:
        return bind_word(b, at, err);
    case ARG_WORDS:
        return bind_words(b, at, err);
    case ARG_INTS:
        return bind_ints(b, at, err);
    case ARG_INTS_OR_WORD:
        if (b->e->kind == EXPR_NAME && word_index(b->spec, b->e->text) >= 0) {
            *(struct ints *)at = (struct ints){0, {word_index(b->spec, b->e->text)}};
            return 0;
        }
        if (b->e->kind == EXPR_NAME && !is_constant(b) && eval(b->ev, b->e, &v, err))
            return bind_word(b, &word, err);
        return bind_ints(b, at, err);
    case ARG_REALS:
        return bind_numbers(b, at, err);
    case ARG_APPLIED:
        return bind_applied(b, at, err);
    }
    return 0;
}

static int find_spec(const struct word *word, const struct expr_arg *arg, int *which,
                     struct err *err) {
    const char *names[MAX_SPECS];
    int n = 0;

    for (; word->args && word->args[n].name && n < MAX_SPECS; n++) {
        names[n] = word->args[n].name;
        if (!strcmp(names[n], arg->name)) {
            *which = n;
            return 0;
        }
    }
    const char *near = nearest(arg->name, names, n);
    if (near)
        return pos_error(err, arg->pos, "%s has no argument '%s'; did you mean '%s'?", word->name,
                         arg->name, near);
    return pos_error(err, arg->pos, "%s has no argument '%s'", word->name, arg->name);
}

int eval_bind(struct evaluator *ev, const struct expr *call, int skip, const struct word *word,
              void *args, struct err *err) {
    bool given[MAX_SPECS] = {0};
    int n_specs = 0, place = -skip;

    while (word->args && word->args[n_specs].name)
        n_specs++;
    word_defaults(word, args);
    for (int i = 0; i < call->n_args; i++) {
        const struct expr_arg *arg = &call->args[i];
        int which = place;

        if (!arg->name && place++ < 0)
            continue;
        if (arg->name && !strcmp(arg->name, "name"))
            continue;
        if (arg->name && find_spec(word, arg, &which, err))
            return -1;
        if (which >= n_specs)
            return pos_error(err, arg->pos, "%s takes %d argument%s here, found more", word->name,
                             n_specs, n_specs == 1 ? "" : "s");
        if (given[which])
            return pos_error(err, arg->pos, "%s: %s is given twice", word->name,
                             word->args[which].name);
        given[which] = true;
        const struct binding b = {ev, word, &word->args[which], arg->value};
        if (bind_one(&b, args, err))
            return -1;
    }
    for (int i = 0; i < n_specs; i++)
        if (word->args[i].required && !given[i])
            return pos_error(err, call->pos, "%s: %s is missing%s%s", word->name,
                             word->args[i].name, word->args[i].help ? ": " : "",
                             word->args[i].help ? word->args[i].help : "");
    return 0;
}

int eval_apply(struct evaluator *ev, const struct expr *call, int skip, const struct word *word,
               struct applied *out, struct err *err) {
    void *args = pool_take(ev->pool, word->args_size + 1);

    if (eval_bind(ev, call, skip, word, args, err))
        return -1;
    *out = (struct applied){word, args};
    return 0;
}
