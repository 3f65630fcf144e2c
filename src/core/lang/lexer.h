/* lexer.h - the tokens of an expression or a section header. Internal to lang. */
#pragma once
#include "core/lang/syntax.h"

/* A token's kind is its character, or one of these. */
enum {
    TOKEN_END = 256,
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_NAME,
    TOKEN_LE,
    TOKEN_GE,
    TOKEN_EQ,
    TOKEN_NE
};

struct token {
    int kind;
    const char *start; /* [len], borrowed from the text; of a string: with its quotes */
    int len;
    struct pos pos;
    double number;
};

/* What is left of the text, and where that stands. */
struct lexer {
    const char *at;
    struct pos pos;
    const char *end; /* how messages call the end: "end of value" */
};

/* The next token; TOKEN_END again and again at the end. Errors: ERR_CONFIG at the place. */
int lexer_next(struct lexer *lexer, struct token *out, struct err *err);

bool token_is(const struct token *token, const char *name);

/* "'bn'" or "end of value" for a message, on one line and shortened if long; returns text. */
enum { FOUND_TEXT = 64 };
const char *found_text(const char *start, int len, char text[FOUND_TEXT]);

/* Blank as inih sees it: space, tab, carriage return, line, vertical and form feed. */
bool is_blank(char c);

/* [A-Za-z_][A-Za-z0-9_]*, and none of and, or, not. */
bool is_name(const char *text, size_t len);

/* The characters of a line before its inline comment (a ';' that stands first or after a blank, not
 * inside "...") and the blanks in front of that. */
size_t uncommented_len(const char *line);
