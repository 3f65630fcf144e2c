/* eval_case.h - expressions evaluated in a job of their own, with a small host, for tests. */
#pragma once
#include "core/lang/eval.h"
#include "core/lang/job_files.h"

#include <math.h>

/* A word with an argument of every kind. */
struct paint {
    int coats;
    double gloss, depth;
    int tone, dabs;
    struct ints size, edge;
    struct reals mix;
    struct applied primer;
    int64_t can;
};

struct constant_args {
    double value;
};

static const struct arg_spec constant_specs[] = {
    {.name = "value", .kind = ARG_REAL, .required = true},
    {0},
};
static const struct word constant_word = {"constant", "a number", sizeof(struct constant_args),
                                          constant_specs};
static const struct arg_spec ramp_specs[] = {
    {.name = "slope", .kind = ARG_REAL, .fallback = 2},
    {0},
};
static const struct word ramp_word = {"ramp", "a slope", sizeof(struct constant_args), ramp_specs};

static inline const struct word *primer_at(int i) {
    const struct word *const words[] = {&constant_word, &ramp_word};

    return i < 2 ? words[i] : NULL;
}

static inline const struct word *find_primer(const char *name) {
    for (int i = 0; primer_at(i); i++)
        if (!strcmp(primer_at(i)->name, name))
            return primer_at(i);
    return NULL;
}

static const char *const tones[] = {"warm", "cold", NULL};
static const char *const dabs[] = {"spot", "stripe", "ring", NULL};
static const char *const edges[] = {"soft", "hard", NULL};

static const struct arg_spec paint_specs[] = {
    {.name = "coats",
     .kind = ARG_INT,
     .offset = offsetof(struct paint, coats),
     .min = 1,
     .max = 9,
     .required = true,
     .help = "layers"},
    {.name = "gloss",
     .kind = ARG_REAL,
     .offset = offsetof(struct paint, gloss),
     .fallback = 0.5,
     .min = 0,
     .max = 1},
    {.name = "depth", .kind = ARG_REAL, .offset = offsetof(struct paint, depth), .fallback = -2},
    {.name = "tone",
     .kind = ARG_WORD,
     .offset = offsetof(struct paint, tone),
     .fallback = 1,
     .words = tones},
    {.name = "size",
     .kind = ARG_INTS,
     .offset = offsetof(struct paint, size),
     .fallback = 3,
     .min = 1},
    {.name = "edge",
     .kind = ARG_INTS_OR_WORD,
     .offset = offsetof(struct paint, edge),
     .words = edges},
    {.name = "mix",
     .kind = ARG_REALS,
     .offset = offsetof(struct paint, mix),
     .fallback = 1,
     .min = 0,
     .max = -1},
    {.name = "primer",
     .kind = ARG_APPLIED,
     .offset = offsetof(struct paint, primer),
     .find = find_primer,
     .at = primer_at},
    {.name = "can",
     .kind = ARG_BYTES,
     .offset = offsetof(struct paint, can),
     .fallback = 4096,
     .min = 1024,
     .max = 0x1p40},
    {.name = "dabs",
     .kind = ARG_WORDS,
     .offset = offsetof(struct paint, dabs),
     .fallback = 5,
     .words = dabs},
    {0},
};
static const struct word paint_word = {"paint", "all kinds of arguments", sizeof(struct paint),
                                       paint_specs};

/* The host: `seven` is a number, `twice` doubles what stands before it, `count` says how often it
 * was called, paint(...) is bound; arithmetic on strings gives its left operand's text. */
struct world {
    int calls;
    struct paint paint;
};

static int host_name(struct evaluator *ev, const struct expr *e, struct value *out,
                     struct err *err) {
    (void)ev, (void)err;
    if (strcmp(e->text, "seven") && strcmp(e->text, "shadowed"))
        return 0;
    *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = 7};
    return 1;
}

static int host_call(struct evaluator *ev, const struct expr *e, const struct value *piped,
                     struct value *out, struct err *err) {
    struct world *world = ev->context;

    if (!strcmp(e->text, "twice") && piped) {
        *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = 2 * piped->number};
        return 1;
    }
    if (!strcmp(e->text, "count")) {
        *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = ++world->calls};
        return 1;
    }
    if (strcmp(e->text, "paint"))
        return 0;
    struct applied applied;
    if (eval_apply(ev, e, 0, &paint_word, &applied, err))
        return -1;
    world->paint = *(const struct paint *)applied.args;
    *out = (struct value){.kind = VALUE_APPLIED, .pos = e->pos, .applied = applied};
    return 1;
}

static int host_member(struct evaluator *ev, const struct expr *e, const struct value *left,
                       struct value *out, struct err *err) {
    (void)ev, (void)err;
    if (left->kind != VALUE_APPLIED || strcmp(e->text, "coats"))
        return 0;
    *out = (struct value){.kind = VALUE_NUMBER,
                          .pos = e->pos,
                          .number = ((const struct paint *)left->applied.args)->coats};
    return 1;
}

static int host_arithmetic(struct evaluator *ev, const struct expr *e, const struct value *a,
                           const struct value *b, struct value *out, struct err *err) {
    (void)ev, (void)e, (void)err;
    if (a->kind != VALUE_STRING)
        return 0;
    *out = (struct value){.kind = VALUE_STRING, .text = a->text, .number = b->number};
    return 1;
}

static int host_known(const struct evaluator *ev, const char **names, int n, int max) {
    (void)ev;
    for (const char *const *w = (const char *const[]){"seven", "twice", "paint", NULL};
         *w && n < max; w++)
        names[n++] = *w;
    return n;
}

static const struct eval_host host = {host_name,  host_call, host_member, host_arithmetic,
                                      host_known, "colour",  NULL};

/* A job of [let] as given and one key x, evaluated. */
struct run {
    struct source source;
    struct pool pool;
    struct world world;
    struct value value;
    struct err err;
};

static int run_init(struct run *r, struct job_files *files, const char *let, const char *x,
                    const struct eval_host *with) {
    char text[2048];

    *r = (struct run){0};
    snprintf(text, sizeof text, "[step]\nx = %s\n[let]\n%s", x, let);
    job_read(&r->source, job_file(files, "a.ini", text), NULL, 0);
    struct evaluator ev = {
        .source = &r->source, .pool = &r->pool, .host = with, .context = &r->world};
    return eval_entry(&ev, section_find(source_find(&r->source, "step", ""), "x"), &r->value,
                      &r->err);
}

static inline void run_release(struct run *r) {
    pool_release(&r->pool);
    source_release(&r->source);
}

static inline void check_refused(void **state, const char *let, const char *x,
                                 const char *message) {
    struct run r;

    if (!run_init(&r, *state, let, x, &host))
        fail_msg("%s is accepted, expected: %s", x, message);
    check_message(*state, r.err.msg, message);
    assert_int_equal(r.err.kind, ERR_CONFIG);
    run_release(&r);
}

#define IN_FILES(test) cmocka_unit_test_setup_teardown(test, job_files_setup, job_files_teardown)
