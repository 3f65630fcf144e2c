/* One function for each rule of the grammar in syntax.h. Functions that return a node return NULL
 * with err set. */
#include "core/lang/parser.h"
#include "core/lang/reader.h"

#include <stdio.h>
#include <string.h>

/* Whoever walks a tree may do so recursively: both keep the depth of trees within the stack. */
enum { MAX_DEPTH = 200, MAX_NODES = 10000 };

static struct expr *parse_sum(struct parser *p);
static int enter(struct parser *p);

int parser_next(struct parser *p) {
    return lexer_next(&p->lexer, &p->token, p->err);
}

int parser_unexpected(struct parser *p, const char *expected) {
    char found[FOUND_TEXT];

    return pos_error(p->err, p->token.pos, "found %s, expected %s",
                     p->token.kind == TOKEN_END ? p->lexer.end
                                                : found_text(p->token.start, p->token.len, found),
                     expected);
}

int parser_close(struct parser *p, const struct token *open, char close, const char *also) {
    char expected[96], line[24] = "";

    if (p->token.kind == close)
        return parser_next(p);
    if (p->token.pos.line != open->pos.line)
        snprintf(line, sizeof line, "line %d, ", open->pos.line);
    snprintf(expected, sizeof expected, "%s'%c' to close '%c' at %scolumn %d", also, close,
             *open->start, line, open->pos.column);
    return parser_unexpected(p, expected);
}

static struct expr *new_node(struct parser *p, enum expr_kind kind, struct pos pos) {
    if (++p->n_nodes > MAX_NODES) {
        pos_error(p->err, pos, "found an expression of more than %d parts, expected shorter ones",
                  MAX_NODES);
        return NULL;
    }
    struct expr *e = pool_take(p->pool, sizeof *e);
    e->kind = kind;
    e->pos = pos;
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

static void add_arg(struct parser *p, struct expr *to, struct expr_arg arg) {
    to->args = pool_grow(p->pool, to->args, to->n_args, sizeof *to->args);
    to->args[to->n_args++] = arg;
}

bool parser_at_name(const struct parser *p) {
    return p->token.kind == TOKEN_NAME && is_name(p->token.start, (size_t)p->token.len);
}

const char *parser_name(struct parser *p, const char *expected) {
    if (!parser_at_name(p)) {
        parser_unexpected(p, expected);
        return NULL;
    }
    const char *name = pool_copy(p->pool, p->token.start, (size_t)p->token.len);
    return parser_next(p) ? NULL : name;
}

/* arg = [ NAME "=" ] pipe */
static int parse_arg(struct parser *p, struct expr *call) {
    struct lexer ahead = p->lexer;
    struct err ignored = {0}; /* met again, and reported, when the token is consumed */
    struct token next;
    struct expr_arg arg = {.pos = p->token.pos};

    if (parser_at_name(p) && !lexer_next(&ahead, &next, &ignored) && next.kind == '=') {
        arg.name = parser_name(p, "a name");
        if (!arg.name || parser_next(p))
            return -1;
    }
    if (!(arg.value = parser_pipe(p)))
        return -1;
    add_arg(p, call, arg);
    return 0;
}

/* "(" [ arg { "," arg } ] ")" */
static int parse_args(struct parser *p, struct expr *call) {
    const struct token open = p->token;

    if (parser_next(p))
        return -1;
    if (p->token.kind == ')')
        return parser_next(p);
    for (;;) {
        if (parse_arg(p, call))
            return -1;
        if (p->token.kind != ',')
            return parser_close(p, &open, ')', "',' or ");
        if (parser_next(p))
            return -1;
    }
}

/* "^" ( INTEGER | "(" sum ")" ) */
static int parse_times(struct parser *p, struct expr *call) {
    if (parser_next(p))
        return -1;
    const struct token t = p->token;
    if (t.kind == '(') {
        if (parser_next(p) || !(call->times = parse_sum(p)))
            return -1;
        return parser_close(p, &t, ')', "");
    }
    if (t.kind != TOKEN_NUMBER || strspn(t.start, "0123456789") < (size_t)t.len)
        return parser_unexpected(p, "a whole number or '(' after '^'");
    call->times = new_node(p, EXPR_NUMBER, t.pos);
    if (!call->times)
        return -1;
    call->times->number = t.number;
    return parser_next(p);
}

/* call = NAME [ "(" args ")" ] [ "^" times ]; a NAME alone stays EXPR_NAME. */
static struct expr *parse_call(struct parser *p, const char *expected) {
    struct expr *e = new_node(p, EXPR_NAME, p->token.pos);

    if (!e || !(e->text = parser_name(p, expected)))
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
        struct expr_arg item = {.pos = p->token.pos, .value = parser_pipe(p)};
        if (!item.value)
            return -1;
        add_arg(p, list, item);
        if (p->token.kind != ',')
            return 0;
        if (parser_next(p))
            return -1;
    }
}

static struct expr *parse_list(struct parser *p) {
    const struct token open = p->token;
    struct expr *list = new_node(p, EXPR_LIST, open.pos);

    if (!list || parser_next(p))
        return NULL;
    if (p->token.kind != ']' && parse_items(p, list))
        return NULL;
    return parser_close(p, &open, ']', list->n_args ? "',' or " : "") ? NULL : list;
}

static struct expr *parse_parenthesis(struct parser *p) {
    const struct token open = p->token;
    struct expr *e = parser_next(p) ? NULL : parser_pipe(p);

    return e && !parser_close(p, &open, ')', "") ? e : NULL;
}

static struct expr *parse_string(struct parser *p) {
    const struct token t = p->token;
    struct expr *e = new_node(p, EXPR_STRING, t.pos);
    char *text = pool_copy(p->pool, t.start + 1, (size_t)t.len - 2);
    size_t n = 0;

    if (!e)
        return NULL;
    for (size_t i = 0; text[i]; i++) {
        i += text[i] == '\\'; /* the lexer let only \" and \\ through */
        text[n++] = text[i];
    }
    text[n] = '\0';
    e->text = text;
    return parser_next(p) ? NULL : e;
}

static struct expr *parse_number(struct parser *p) {
    struct expr *e = new_node(p, EXPR_NUMBER, p->token.pos);

    if (!e)
        return NULL;
    e->number = p->token.number;
    return parser_next(p) ? NULL : e;
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
        if (parser_next(p))
            return NULL;
        struct expr *member = new_node(p, EXPR_MEMBER, p->token.pos);
        if (!member || !(member->text = parser_name(p, "the name of a statement after '.'")))
            return NULL;
        member->left = e;
        e = member;
        if (p->token.kind == '(' || p->token.kind == '^') {
            parser_unexpected(p, "an operator or the end: what stands after '.' cannot be called");
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
    struct expr *left = parser_next(p) ? NULL : parse_primary(p);
    struct expr *e = left ? new_node(p, EXPR_NEGATE, pos) : NULL;
    if (e)
        e->left = left;
    return e;
}

static struct expr *parse_product(struct parser *p) {
    struct expr *e = parse_unary(p);

    while (e && (p->token.kind == '*' || p->token.kind == '/')) {
        const struct token t = p->token;
        struct expr *right = parser_next(p) ? NULL : parse_unary(p);
        e = binary(p, EXPR_BINARY, t.pos, t.kind == '*' ? OP_MUL : OP_DIV, e, right);
    }
    return e;
}

static struct expr *parse_sum(struct parser *p) {
    struct expr *e = parse_product(p);

    while (e && (p->token.kind == '+' || p->token.kind == '-')) {
        const struct token t = p->token;
        struct expr *right = parser_next(p) ? NULL : parse_product(p);
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
    struct expr *right = parser_next(p) ? NULL : parse_sum(p);
    e = binary(p, EXPR_BINARY, t.pos, (enum expr_op)op, e, right);
    if (e && comparison(&p->token) >= 0) {
        parser_unexpected(p, "'and' or 'or' between two comparisons");
        return NULL;
    }
    return e;
}

static struct expr *parse_not(struct parser *p) {
    const struct pos pos = p->token.pos;

    if (!token_is(&p->token, "not"))
        return parse_comparison(p);
    struct expr *left = enter(p) || parser_next(p) ? NULL : parse_not(p);
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
        struct expr *right = parser_next(p) ? NULL : parse_not(p);
        e = binary(p, EXPR_BINARY, pos, OP_AND, e, right);
    }
    return e;
}

static struct expr *parse_or(struct parser *p) {
    struct expr *e = parse_and(p);

    while (e && token_is(&p->token, "or")) {
        const struct pos pos = p->token.pos;
        struct expr *right = parser_next(p) ? NULL : parse_and(p);
        e = binary(p, EXPR_BINARY, pos, OP_OR, e, right);
    }
    return e;
}

static struct expr *parse_group(struct parser *p);

static struct expr *parse_stage(struct parser *p) {
    return p->token.kind == '('
               ? parse_group(p)
               : parse_call(p, "the name of an operator, net or block, or '(', after '|'");
}

/* "(" stage { "|" stage } ")" [ "^" times ] */
static struct expr *parse_group(struct parser *p) {
    const struct token open = p->token;
    struct expr *e = enter(p) ? NULL : new_node(p, EXPR_GROUP, open.pos);

    if (!e)
        return NULL;
    e->text = "(...)";
    do {
        struct expr_arg stage = {.pos = p->token.pos};
        if (parser_next(p) || !(stage.value = parse_stage(p)))
            return NULL;
        add_arg(p, e, stage);
    } while (p->token.kind == '|');
    if (parser_close(p, &open, ')', "'|' or ") || (p->token.kind == '^' && parse_times(p, e)))
        return NULL;
    p->depth--;
    return e;
}

struct expr *parser_pipe(struct parser *p) {
    struct expr *e = parse_or(p);

    while (e && p->token.kind == '|') {
        const struct pos pos = p->token.pos;
        struct expr *right = parser_next(p) ? NULL : parse_stage(p);
        e = binary(p, EXPR_PIPE, pos, OP_ADD, e, right);
    }
    return e;
}

int parser_init(struct parser *p, struct pool *pool, const char *text, struct pos pos,
                const char *end, struct err *err) {
    *p = (struct parser){.pool = pool, .lexer = {text, pos, end}, .err = err};
    return parser_next(p);
}

static int parse_value(struct source *s, const struct entry *entry, struct expr **out,
                       struct err *err) {
    struct parser p;

    if (parser_init(&p, &s->pool, entry->raw, entry->pos, "end of value", err))
        return -1;
    const struct token first = p.token;
    struct expr *e = parser_pipe(&p);
    if (e && p.token.kind == ',') {
        struct expr *list = parser_next(&p) ? NULL : new_node(&p, EXPR_LIST, first.pos);
        if (!list)
            return -1;
        add_arg(&p, list, (struct expr_arg){.value = e, .pos = first.pos});
        if (parse_items(&p, list))
            return -1;
        e = list;
    }
    if (!e)
        return -1;
    if (p.token.kind != TOKEN_END)
        return parser_unexpected(&p, "'|', an operator or end of value");
    *out = e;
    return 0;
}

int expr_parse(struct source *s, const struct entry *entry, struct expr **out, struct err *err) {
    struct expr *tree = entry->memo ? entry->memo->tree : NULL;

    if (!tree && parse_value(s, entry, &tree, err))
        return -1;
    if (entry->memo)
        entry->memo->tree = tree;
    *out = tree;
    return 0;
}
