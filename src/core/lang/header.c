/* Section headers: [kind], [kind NAME], [net NAME(inputs, params=defaults)]. */
#include "core/lang/parser.h"

#include <string.h>

/* NAME [ "=" pipe ], added to out->params. */
static int parse_param(struct parser *p, struct section *out) {
    struct section_param param = {.pos = p->token.pos};
    const char *what = "the name of an input or parameter";

    if (!(param.name = parser_name(p, what)))
        return -1;
    for (int i = 0; i < out->n_params; i++)
        if (!strcmp(out->params[i].name, param.name))
            return pos_error(p->err, param.pos,
                             "found a second '%s', expected one; the first is at column %d",
                             param.name, out->params[i].pos.column);
    if (p->token.kind == '=' && (parser_next(p) || !(param.fallback = parser_pipe(p))))
        return -1;
    out->params = pool_grow(p->pool, out->params, out->n_params, sizeof *out->params);
    out->params[out->n_params++] = param;
    return 0;
}

static int parse_params(struct parser *p, struct section *out) {
    const struct token open = p->token;

    if (parser_next(p))
        return -1;
    if (p->token.kind == ')')
        return parser_next(p);
    for (;;) {
        if (parse_param(p, out))
            return -1;
        if (p->token.kind != ',')
            return parser_close(p, &open, ')', "',' or ");
        if (parser_next(p))
            return -1;
    }
}

int header_parse(struct pool *pool, const char *text, struct pos pos, struct section *out,
                 struct err *err) {
    struct parser p;

    *out = (struct section){.pos = pos, .name = ""};
    if (parser_init(&p, pool, text, pos, "end of line", err))
        return -1;
    const struct token open = p.token;
    if (parser_next(&p) || !(out->kind = parser_name(&p, "a section's name, such as job or net")))
        return -1;
    const bool network = !strcmp(out->kind, "net") || !strcmp(out->kind, "block");
    if ((network || parser_at_name(&p)) &&
        !(out->name = parser_name(&p, "the name of the net or block")))
        return -1;
    if (network && p.token.kind == '(' && parse_params(&p, out))
        return -1;
    const char *close = p.token.start;
    if (parser_close(&p, &open, ']', ""))
        return -1;
    if (p.token.kind != TOKEN_END)
        return parser_unexpected(&p, "end of line after ']'");
    out->header = pool_copy(pool, open.start + 1, (size_t)(close - open.start) - 1);
    return 0;
}
