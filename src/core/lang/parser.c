/* Recursive descent: one function for each rule of the grammar in syntax.h. Functions that return a
 * node return NULL with err set. p->token is the token not yet consumed. */
#include "core/lang/parser.h"
#include "core/lang/lexer.h"
#include "core/lang/memory.h"

#include <stdio.h>
#include <string.h>

/* Whoever walks a tree may do so recursively: both keep the depth of trees within the stack. */
enum { MAX_DEPTH = 200, MAX_NODES = 10000 };

struct parser {
    void **memory;
    struct lexer lexer;
    struct token token;
    int depth, n_nodes;
    struct err *err;
};

static struct expr *parse_pipe(struct parser *p);
static struct expr *parse_sum(struct parser *p);

static int advance(struct parser *p) {
    return lexer_next(&p->lexer, &p->token, p->err);
}

/* "found <token>, expected <what>". */
static int unexpected(struct parser *p, const char *expected) {
    char found[FOUND_TEXT];

    return pos_error(p->err, p->token.pos, "found %s, expected %s",
                     p->token.kind == TOKEN_END ? p->lexer.end
                                                : found_text(p->token.start, p->token.len, found),
                     expected);
}

/* Consume the bracket that closes open. also: what else might have followed, as "',' or ". */
static int close_bracket(struct parser *p, const struct token *open, char close, const char *also) {
    char expected[96], line[24] = "";

    if (p->token.kind == close)
        return advance(p);
    if (p->token.pos.line != open->pos.line)
        snprintf(line, sizeof line, "line %d, ", open->pos.line);
    snprintf(expected, sizeof expected, "%s'%c' to close '%c' at %scolumn %d", also, close,
             *open->start, line, open->pos.column);
    return unexpected(p, expected);
}

static struct expr *new_node(struct parser *p, enum expr_kind kind, struct pos pos) {
    if (++p->n_nodes > MAX_NODES) {
        pos_error(p->err, pos, "found an expression of more than %d parts, expected shorter ones",
                  MAX_NODES);
        return NULL;
    }
    struct expr *e = lang_take(p->memory, sizeof *e, p->err);
    if (e) {
        e->kind = kind;
        e->pos = pos;
    }
    return e;
}

static struct expr *binary(struct parser *p, enum expr_kind kind, struct pos pos, enum expr_op op,
                           struct expr *left, struct expr *right) {
    struct expr *e = right ? new_node(p, kind, pos) : NULL;

    if (e) {
        e->op = op;
        e->left = left;
        e->right = right;
    }
    return e;
}

static int add_arg(struct parser *p, struct expr *to, struct expr_arg arg) {
    struct expr_arg *args = lang_grow(p->memory, to->args, to->n_args, sizeof *args, p->err);

    if (!args)
        return -1;
    to->args = args;
    args[to->n_args++] = arg;
    return 0;
}

static bool at_name(const struct parser *p) {
    return p->token.kind == TOKEN_NAME && is_name(p->token.start, (size_t)p->token.len);
}

/* Consume a name. */
static const char *take_name(struct parser *p, const char *expected) {
    if (!at_name(p)) {
        unexpected(p, expected);
        return NULL;
    }
    const char *name = lang_copy(p->memory, p->token.start, (size_t)p->token.len, p->err);
    return name && !advance(p) ? name : NULL;
}

/* arg = [ NAME "=" ] pipe */
static int parse_arg(struct parser *p, struct expr *call) {
    struct lexer ahead = p->lexer;
    struct err ignored = {0}; /* met again, and reported, when the token is consumed */
    struct token next;
    struct expr_arg arg = {.pos = p->token.pos};

    if (at_name(p) && !lexer_next(&ahead, &next, &ignored) && next.kind == '=') {
        arg.name = take_name(p, "a name");
        if (!arg.name || advance(p))
            return -1;
    }
    arg.value = parse_pipe(p);
    return arg.value ? add_arg(p, call, arg) : -1;
}

/* "(" [ arg { "," arg } ] ")" */
static int parse_args(struct parser *p, struct expr *call) {
    const struct token open = p->token;

    if (advance(p))
        return -1;
    if (p->token.kind == ')')
        return advance(p);
    for (;;) {
        if (parse_arg(p, call))
            return -1;
        if (p->token.kind != ',')
            return close_bracket(p, &open, ')', "',' or ");
        if (advance(p))
            return -1;
    }
}

/* "^" ( INTEGER | "(" sum ")" ) */
static int parse_times(struct parser *p, struct expr *call) {
    if (advance(p))
        return -1;
    const struct token t = p->token;
    if (t.kind == '(') {
        if (advance(p) || !(call->times = parse_sum(p)))
            return -1;
        return close_bracket(p, &t, ')', "");
    }
    if (t.kind != TOKEN_NUMBER || strspn(t.start, "0123456789") < (size_t)t.len)
        return unexpected(p, "a whole number or '(' after '^'");
    call->times = new_node(p, EXPR_NUMBER, t.pos);
    if (!call->times)
        return -1;
    call->times->number = t.number;
    return advance(p);
}

/* call = NAME [ "(" args ")" ] [ "^" times ]; a NAME alone stays EXPR_NAME. */
static struct expr *parse_call(struct parser *p, const char *expected) {
    struct expr *e = new_node(p, EXPR_NAME, p->token.pos);

    if (!e || !(e->text = take_name(p, expected)))
        return NULL;
    if (p->token.kind == '(') {
        e->kind = EXPR_CALL;
        if (parse_args(p, e))
            return NULL;
    }
    if (p->token.kind == '^') {
        e->kind = EXPR_CALL;
        if (parse_times(p, e))
            return NULL;
    }
    return e;
}

/* pipe { "," pipe }, added to list. */
static int parse_items(struct parser *p, struct expr *list) {
    for (;;) {
        struct expr_arg item = {.pos = p->token.pos, .value = parse_pipe(p)};
        if (!item.value || add_arg(p, list, item))
            return -1;
        if (p->token.kind != ',')
            return 0;
        if (advance(p))
            return -1;
    }
}

static struct expr *parse_list(struct parser *p) {
    const struct token open = p->token;
    struct expr *list = new_node(p, EXPR_LIST, open.pos);

    if (!list || advance(p))
        return NULL;
    if (p->token.kind != ']' && parse_items(p, list))
        return NULL;
    return close_bracket(p, &open, ']', list->n_args ? "',' or " : "") ? NULL : list;
}

static struct expr *parse_parenthesis(struct parser *p) {
    const struct token open = p->token;
    struct expr *e = advance(p) ? NULL : parse_pipe(p);

    return e && !close_bracket(p, &open, ')', "") ? e : NULL;
}

static struct expr *parse_string(struct parser *p) {
    const struct token t = p->token;
    struct expr *e = new_node(p, EXPR_STRING, t.pos);
    char *text = e ? lang_copy(p->memory, t.start + 1, (size_t)t.len - 2, p->err) : NULL;
    size_t n = 0;

    if (!text)
        return NULL;
    for (size_t i = 0; text[i]; i++) {
        i += text[i] == '\\'; /* the lexer let only \" and \\ through */
        text[n++] = text[i];
    }
    text[n] = '\0';
    e->text = text;
    return advance(p) ? NULL : e;
}

static struct expr *parse_number(struct parser *p) {
    struct expr *e = new_node(p, EXPR_NUMBER, p->token.pos);

    if (!e)
        return NULL;
    e->number = p->token.number;
    return advance(p) ? NULL : e;
}

static struct expr *parse_atom(struct parser *p) {
    switch (p->token.kind) {
    case TOKEN_NUMBER:
        return parse_number(p);
    case TOKEN_STRING:
        return parse_string(p);
    case '(':
        return parse_parenthesis(p);
    case '[':
        return parse_list(p);
    default:
        return parse_call(p, "a number, a name, a string, '(' or '['");
    }
}

static int enter(struct parser *p) {
    if (++p->depth > MAX_DEPTH)
        return pos_error(p->err, p->token.pos,
                         "found more than %d levels of brackets, expected less", MAX_DEPTH);
    return 0;
}

/* primary = atom { "." NAME } */
static struct expr *parse_primary(struct parser *p) {
    struct expr *e = enter(p) ? NULL : parse_atom(p);

    while (e && p->token.kind == '.') {
        if (advance(p))
            return NULL;
        struct expr *member = new_node(p, EXPR_MEMBER, p->token.pos);
        if (!member || !(member->text = take_name(p, "the name of a statement after '.'")))
            return NULL;
        member->left = e;
        e = member;
        if (p->token.kind == '(' || p->token.kind == '^') {
            unexpected(p, "an operator or the end: what stands after '.' cannot be called");
            return NULL;
        }
    }
    p->depth--;
    return e;
}

static struct expr *parse_unary(struct parser *p) {
    const struct pos pos = p->token.pos;

    if (p->token.kind != '-')
        return parse_primary(p);
    struct expr *left = advance(p) ? NULL : parse_primary(p);
    struct expr *e = left ? new_node(p, EXPR_NEGATE, pos) : NULL;
    if (e)
        e->left = left;
    return e;
}

static struct expr *parse_product(struct parser *p) {
    struct expr *e = parse_unary(p);

    while (e && (p->token.kind == '*' || p->token.kind == '/')) {
        const struct token t = p->token;
        struct expr *right = advance(p) ? NULL : parse_unary(p);
        e = binary(p, EXPR_BINARY, t.pos, t.kind == '*' ? OP_MUL : OP_DIV, e, right);
    }
    return e;
}

static struct expr *parse_sum(struct parser *p) {
    struct expr *e = parse_product(p);

    while (e && (p->token.kind == '+' || p->token.kind == '-')) {
        const struct token t = p->token;
        struct expr *right = advance(p) ? NULL : parse_product(p);
        e = binary(p, EXPR_BINARY, t.pos, t.kind == '+' ? OP_ADD : OP_SUB, e, right);
    }
    return e;
}

/* The comparison that the token is, or -1. */
static int comparison(const struct token *t) {
    static const struct {
        int kind, op;
    } table[] = {{'<', OP_LT},      {TOKEN_LE, OP_LE}, {'>', OP_GT},
                 {TOKEN_GE, OP_GE}, {TOKEN_EQ, OP_EQ}, {TOKEN_NE, OP_NE}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (t->kind == table[i].kind)
            return table[i].op;
    return -1;
}

/* sum [ comparison sum ]; a < b < c is refused, since it never means what it says. */
static struct expr *parse_comparison(struct parser *p) {
    struct expr *e = parse_sum(p);
    const struct token t = p->token;
    const int op = comparison(&t);

    if (!e || op < 0)
        return e;
    struct expr *right = advance(p) ? NULL : parse_sum(p);
    e = binary(p, EXPR_BINARY, t.pos, (enum expr_op)op, e, right);
    if (e && comparison(&p->token) >= 0) {
        unexpected(p, "'and' or 'or' between two comparisons");
        return NULL;
    }
    return e;
}

static struct expr *parse_not(struct parser *p) {
    const struct pos pos = p->token.pos;

    if (!token_is(&p->token, "not"))
        return parse_comparison(p);
    struct expr *left = enter(p) || advance(p) ? NULL : parse_not(p);
    struct expr *e = left ? new_node(p, EXPR_NOT, pos) : NULL;
    if (e)
        e->left = left;
    p->depth--;
    return e;
}

static struct expr *parse_and(struct parser *p) {
    struct expr *e = parse_not(p);

    while (e && token_is(&p->token, "and")) {
        const struct pos pos = p->token.pos;
        struct expr *right = advance(p) ? NULL : parse_not(p);
        e = binary(p, EXPR_BINARY, pos, OP_AND, e, right);
    }
    return e;
}

static struct expr *parse_or(struct parser *p) {
    struct expr *e = parse_and(p);

    while (e && token_is(&p->token, "or")) {
        const struct pos pos = p->token.pos;
        struct expr *right = advance(p) ? NULL : parse_and(p);
        e = binary(p, EXPR_BINARY, pos, OP_OR, e, right);
    }
    return e;
}

static struct expr *parse_pipe(struct parser *p) {
    struct expr *e = parse_or(p);

    while (e && p->token.kind == '|') {
        const struct pos pos = p->token.pos;
        struct expr *right =
            advance(p) ? NULL : parse_call(p, "the name of an operator, net or block after '|'");
        e = binary(p, EXPR_PIPE, pos, OP_ADD, e, right);
    }
    return e;
}

static int parser_init(struct parser *p, void **memory, const char *text, struct pos pos,
                       const char *end, struct err *err) {
    *p = (struct parser){.memory = memory, .lexer = {text, pos, end}, .err = err};
    return advance(p);
}

int expr_parse(struct source *s, const struct entry *entry, struct expr **out, struct err *err) {
    struct parser p;

    if (parser_init(&p, &s->memory, entry->raw, entry->pos, "end of value", err))
        return -1;
    const struct token first = p.token;
    struct expr *e = parse_pipe(&p);
    if (e && p.token.kind == ',') {
        struct expr *list = advance(&p) ? NULL : new_node(&p, EXPR_LIST, first.pos);
        if (!list || add_arg(&p, list, (struct expr_arg){.value = e, .pos = first.pos}) ||
            parse_items(&p, list))
            return -1;
        e = list;
    }
    if (!e)
        return -1;
    if (p.token.kind != TOKEN_END)
        return unexpected(&p, "'|', an operator or end of value");
    *out = e;
    return 0;
}

/* NAME [ "=" pipe ], added to out->params. */
static int parse_param(struct parser *p, struct section *out) {
    struct section_param param = {.pos = p->token.pos};
    const char *what = "the name of an input or parameter";

    if (!(param.name = take_name(p, what)))
        return -1;
    for (int i = 0; i < out->n_params; i++)
        if (!strcmp(out->params[i].name, param.name))
            return pos_error(p->err, param.pos,
                             "found a second '%s', expected one; the first is at column %d",
                             param.name, out->params[i].pos.column);
    if (p->token.kind == '=' && (advance(p) || !(param.fallback = parse_pipe(p))))
        return -1;
    struct section_param *params =
        lang_grow(p->memory, out->params, out->n_params, sizeof *params, p->err);
    if (!params)
        return -1;
    out->params = params;
    params[out->n_params++] = param;
    return 0;
}

static int parse_params(struct parser *p, struct section *out) {
    const struct token open = p->token;

    if (advance(p))
        return -1;
    if (p->token.kind == ')')
        return advance(p);
    for (;;) {
        if (parse_param(p, out))
            return -1;
        if (p->token.kind != ',')
            return close_bracket(p, &open, ')', "',' or ");
        if (advance(p))
            return -1;
    }
}

int header_parse(void **memory, const char *text, struct pos pos, struct section *out,
                 struct err *err) {
    struct parser p;

    *out = (struct section){.pos = pos, .name = ""};
    if (parser_init(&p, memory, text, pos, "end of line", err))
        return -1;
    const struct token open = p.token;
    if (advance(&p) || !(out->kind = take_name(&p, "a section's name, such as job or net")))
        return -1;
    const bool network = !strcmp(out->kind, "net") || !strcmp(out->kind, "block");
    if ((network || at_name(&p)) && !(out->name = take_name(&p, "the name of the net or block")))
        return -1;
    if (network && p.token.kind == '(' && parse_params(&p, out))
        return -1;
    const char *close = p.token.start;
    if (close_bracket(&p, &open, ']', ""))
        return -1;
    if (p.token.kind != TOKEN_END)
        return unexpected(&p, "end of line after ']'");
    out->header = lang_copy(memory, open.start + 1, (size_t)(close - open.start) - 1, err);
    return out->header ? 0 : -1;
}
