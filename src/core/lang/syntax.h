/* syntax.h - the job as text and as trees, with the place of everything in its file.
 *
 * A job is INI files (read with inih) whose keys may hold expressions:
 *   pipe    = or { "|" stage }
 *   stage   = call | "(" stage { "|" stage } ")" [ times ]
 *   or      = and { "or" and }
 *   and     = not { "and" not }
 *   not     = "not" not | sum [ ( "<" | "<=" | ">" | ">=" | "==" | "!=" ) sum ]
 *   sum     = product { ("+" | "-") product }
 *   product = unary { ("*" | "/") unary }
 *   unary   = [ "-" ] primary
 *   primary = atom { "." NAME }
 *   atom    = NUMBER | "STRING" | call | "(" pipe ")" | "[" [ pipe { "," pipe } ] "]"
 *   call    = NAME [ "(" [ arg { "," arg } ] ")" ] [ times ]
 *   times   = "^" ( INTEGER | "(" sum ")" )
 *   arg     = [ NAME "=" ] pipe
 *
 * An indented line continues the value before it. ';' and '#' begin a comment at the start of a
 * line, ';' also after a blank outside of "...".
 *
 * Strings and nodes belong to the source they were read into. */
#pragma once
#include "core/base/err.h"
#include "core/base/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines and columns count from 1. file is "--set" for what the command line set. */
struct pos {
    const char *file;
    int line, column;
};

enum expr_kind {
    EXPR_NUMBER, /* number */
    EXPR_STRING, /* text */
    EXPR_NAME,   /* text; as right side of a pipe it is a call without arguments */
    EXPR_CALL,   /* text, args, times */
    EXPR_MEMBER, /* left "." text */
    EXPR_LIST,   /* args, unnamed */
    EXPR_NEGATE, /* -left */
    EXPR_NOT,    /* not left */
    EXPR_BINARY, /* left op right */
    EXPR_PIPE,   /* left | right; right is a NAME, a CALL or a GROUP */
    EXPR_GROUP,  /* (a | b)^times behind a bar: args are its stages */
};

enum expr_op {
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_EQ,
    OP_NE,
    OP_AND,
    OP_OR
};

struct expr_arg {
    const char *name; /* NULL: positional */
    struct expr *value;
    struct pos pos;
};

struct expr {
    enum expr_kind kind;
    struct pos pos;
    double number;
    const char *text;
    enum expr_op op;
    struct expr *left, *right;
    struct expr_arg *args;
    int n_args;
    struct expr *times; /* f^3, (f | g)^3: the exponent; NULL: once */
};

/* key = value, where value is text as written (inline comments cut, lines joined). */
struct entry {
    const char *key, *value;
    struct pos key_pos, pos; /* of the key; of the value */
    const char *raw;         /* value with its line breaks, for positions; private to lang */
    struct memo *memo;       /* what is known of it by now; NULL: is not kept. Private to lang */
};

/* One parameter of [net NAME(inputs, params=defaults)]. */
struct section_param {
    const char *name;
    struct expr *fallback; /* NULL: an input, or a parameter without default */
    struct pos pos;
};

/* [kind name(params)], all files merged: a key of an including file replaces the same key of an
 * included one in its place; a net or block of an including file replaces the included one
 * whole; the same key or net twice in one file is an error. */
struct section {
    const char *kind, *name; /* name "" where there is none */
    struct section_param *params;
    int n_params;
    struct entry *entries;
    int n_entries;
    struct pos pos;
    const char *header; /* the text between [ and ], as written */
    struct names keys;  /* numbers of the entries; empty in sections that no file has */
};

/* A file that another one includes, and where. */
struct source_include {
    const char *path;
    struct pos by;
};

/* A job file with all it includes and what --set overrides. */
struct source {
    struct source_include *includes; /* [n_includes] */
    int n_includes;
    struct section *sections; /* in file order, included files before the text that follows */
    int n_sections;
    struct names names; /* numbers of the sections */
    int64_t work;       /* spent on its values so far; see source_spend */
    struct pool pool;   /* owner of everything */
};

/* Read a job file and all files that its [job] include names (relative to the including file; each
 * file once; separated by blanks).
 *   sets  [n_sets] texts NAME=VALUE or section.key=VALUE or section.name.key=VALUE, borrowed.
 *         NAME is a constant of [let] or else a key of [job]. Setting a section.key that no file
 *         has is allowed (the caller knows which keys exist); an unknown NAME is an error.
 *   keys  every SECTION.KEY that there is: those of [job] a set may name though no file has them,
 *         the others are what it may have meant, as are SECTION.KEY.ARGUMENT, of a word that is the
 *         key's value; ends with NULL, or NULL
 * Errors: ERR_CONFIG "FILE:LINE:COLUMN: found ..., expected ..."; ERR_IO for unreadable files, and
 * for what is no regular file, since it may not end; at most SOURCE_MAX_BYTES are read altogether;
 * ERR_USAGE "--set: ..." for sets that name nothing. On errors s is released. */
int source_read(struct source *s, const char *path, const char *const *sets, int n_sets,
                const char *const *keys, struct err *err);

/* What --set has to be given for one of these keys: "data.batch=VALUE",
 * "step.optimizer=WORD(lr=VALUE)", "epochs=VALUE". */
const char *source_setting(struct pool *pool, const char *key);

/* The same of a text that includes nothing, as source_print gives it; `name` is what places call
 * it. Errors: ERR_CONFIG, ERR_USAGE as above; ERR_IO for lack of memory. */
int source_read_text(struct source *s, const char *name, const char *text, const char *const *sets,
                     int n_sets, const char *const *keys, struct err *err);

void source_release(struct source *s);

/* Where the message names a place in an included file, add who includes it: the mistake may
 * be there. */
void source_explain(const struct source *s, struct err *err);

/* What reading a job and computing its values may cost. Nobody writes as much, but text that
 * doubles what it names, or a block that uses itself twice, asks for it in a few lines. */
enum { SOURCE_MAX_BYTES = 4 << 20, SOURCE_MAX_WORK = 5000000 };

/* Spend so many units of work, of about 50 ns and 50 bytes each, on what stands at pos.
 * Errors: ERR_CONFIG when SOURCE_MAX_WORK is spent. */
int source_spend(struct source *s, int work, struct pos pos, struct err *err);

/* The section of that kind and name, or NULL. */
const struct section *source_find(const struct source *s, const char *kind, const char *name);

/* The entry of that key, or NULL. */
const struct entry *section_find(const struct section *section, const char *key);

/* The statements of a section (NULL: none) and behind them one more, which no file has: `key`,
 * which is borrowed and what places call the text by, as "--output". Belongs to s, whose job it is
 * no part of. */
const struct section *source_extend(struct source *s, const struct section *from, const char *key,
                                    const char *text);

/* Parse an entry's value; "a, b" without brackets is a list too. Nodes belong to s, and are made
 * once for each entry of a file. Errors: ERR_CONFIG with file:line:column. */
int expr_parse(struct source *s, const struct entry *entry, struct expr **out, struct err *err);

/* The job as resolved: every section and key after includes and --set, as one INI text (heap, the
 * caller frees), which reads back to the same job. */
char *source_print(const struct source *s);

/* Something that two jobs do not have alike: a key, or a whole section. */
struct source_change {
    const char *section;   /* "[net small]" */
    const char *kind;      /* "net" */
    const char *key;       /* NULL: the section, its name and parameters */
    const char *was, *now; /* values, lines joined; NULL: not there */
};

/* What is not alike in two jobs, in the order of the second, then what only the first has: *out in
 * the pool, texts borrowed from the jobs. Returns how many. */
int source_changes(const struct source *was, const struct source *now, struct pool *pool,
                   struct source_change **out);

/* An error at a place in the job: "FILE:LINE:COLUMN: <message>". Returns -1. */
int pos_error(struct err *err, struct pos pos, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
