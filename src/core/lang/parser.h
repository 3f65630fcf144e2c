/* parser.h - recursive descent over the tokens of one text. Internal to lang. */
#pragma once
#include "core/lang/lexer.h"
#include "core/lang/syntax.h"

struct parser {
    struct pool *pool; /* owner of the nodes */
    struct lexer lexer;
    struct token token; /* not yet consumed */
    int depth, n_nodes;
    struct err *err;
};

/* Begin at the first token of text.
 *   pos  of its first character
 *   end  how messages call its end: "end of value" */
int parser_init(struct parser *p, struct pool *pool, const char *text, struct pos pos,
                const char *end, struct err *err);

/* Consume the token. */
int parser_next(struct parser *p);

/* The error "found <token>, expected <expected>". */
int parser_unexpected(struct parser *p, const char *expected);

/* Consume the bracket that closes open. also: what else might have followed, as "',' or ". */
int parser_close(struct parser *p, const struct token *open, char close, const char *also);

bool parser_at_name(const struct parser *p);

/* Consume a name and return a copy; NULL with err set if it is something else. */
const char *parser_name(struct parser *p, const char *expected);

/* Consume one expression without a comma. NULL with err set. */
struct expr *parser_pipe(struct parser *p);

/* Parse a section header into kind, name, params, header and pos of *out.
 *   text  "[kind NAME(params)]", terminated, without comment
 *   pos   of its first character
 * Nodes belong to the pool. Errors: ERR_CONFIG at the place. */
int header_parse(struct pool *pool, const char *text, struct pos pos, struct section *out,
                 struct err *err);
