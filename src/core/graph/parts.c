/* parts.c - the parameterised parts of a net and how they are called. */
#include "core/graph/build.h"

#include <string.h>

/* Has a part of this body that name? */
static bool taken(const struct frame *f, const char *name) {
    return names_find(&f->taken, "", name) >= 0;
}

/* How many of this body have that pattern, or have that word with its count for a name, so far. */
static int counted(const struct frame *f, const char *group, const char *text) {
    const int n = names_find(&f->taken, group, text);

    return n < 0 ? 0 : n;
}

static void count(struct builder *b, const char *group, const char *text) {
    names_set(&b->frame->taken, &b->config->model->pool, group, text,
              counted(b->frame, group, text) + 1);
}

/* Names of parameters are also names in files: letters, digits, _, - and dots between them; in a
 * pattern one # as well. */
static bool is_part_name(const char *text, bool is_pattern) {
    const size_t len = strlen(text);
    const char *hash = strchr(text, '#');

    if (!len || text[0] == '.' || text[len - 1] == '.' || strstr(text, ".."))
        return false;
    if (hash && (!is_pattern || strchr(hash + 1, '#')))
        return false;
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.#") ==
           len;
}

/* The text of `name=` in the call e; NULL in *out where it does not stand. */
static int name_argument(const struct expr *e, const char **out, const struct expr_arg **place,
                         struct err *err) {
    *out = NULL;
    for (int i = 0; i < e->n_args; i++) {
        const struct expr_arg *arg = &e->args[i];

        if (!arg->name || strcmp(arg->name, "name"))
            continue;
        if (arg->value->kind != EXPR_NAME && arg->value->kind != EXPR_STRING)
            return pos_error(err, arg->value->pos, "%s: name is not a word, expected a name",
                             e->text);
        *out = arg->value->text;
        *place = arg;
    }
    return 0;
}

/* "layer#" with the count of that pattern in this body in the place of #. */
static const char *fill_pattern(struct pool *pool, const struct frame *f, const char *pattern) {
    const char *hash = strchr(pattern, '#');

    return pool_print(pool, "%.*s%d%s", (int)(hash - pattern), pattern,
                      counted(f, "pattern", pattern) + 1, hash + 1);
}

/* What `name=` in the call e says. */
static int given_name(const struct builder *b, const struct expr *e, struct part *part,
                      struct err *err) {
    const struct expr_arg *arg;
    const char *text;

    if (name_argument(e, &text, &arg, err))
        return -1;
    if (!text)
        return 0;
    if (!is_part_name(text, true))
        return pos_error(err, arg->value->pos,
                         "%s: found the name '%s', expected letters, digits, _, -, dots between "
                         "them and at most one # for a count",
                         e->text, text);
    if (strchr(text, '#')) {
        part->pattern = text;
        text = fill_pattern(&b->config->model->pool, b->frame, text);
    }
    part->name = text;
    if (taken(b->frame, text))
        return pos_error(err, arg->pos, "found the name %s, which another part of %s has", text,
                         b->frame->section->name);
    return 0;
}

int build_numbered(struct builder *b, const struct expr *e, const struct value *piped,
                   struct value *out, struct err *err) {
    const struct expr_arg *arg;
    const char *text;

    if (!piped || e->n_args > 1 || (e->n_args && !e->args[0].name))
        return pos_error(err, e->pos,
                         "numbered stands behind a bar, as in x | numbered | conv(8) | relu");
    if (!b->frame->net)
        return pos_error(err, e->pos, "numbered stands in [net] and [block] only");
    if (name_argument(e, &text, &arg, err))
        return -1;
    if (e->n_args && !text)
        return pos_error(err, e->args[0].pos,
                         "numbered: found '%s', expected nothing or name=", e->args[0].name);
    if (text && text[0] && !is_part_name(text, false))
        return pos_error(err, arg->value->pos,
                         "numbered: found the name '%s', expected letters, digits, _, - and dots "
                         "between them",
                         text);
    *out = *piped;
    out->chain = text ? text : b->frame->statement;
    out->stage = 0;
    return 0;
}

/* The name that a stage of a numbered chain takes. */
static int numbered_name(const struct builder *b, const struct expr *e, const struct value *piped,
                         struct part *part, struct err *err) {
    struct pool *pool = &b->config->model->pool;

    if (part->name || !piped || !piped->chain)
        return 0;
    part->name = piped->chain[0] ? pool_print(pool, "%s.%d", piped->chain, piped->stage)
                                 : pool_print(pool, "%d", piped->stage);
    if (taken(b->frame, part->name))
        return pos_error(err, e->pos, "found the name %s, which another part of %s has", part->name,
                         b->frame->section->name);
    return 0;
}

struct part *build_part(struct builder *b, const char *word, const struct expr *e,
                        const struct value *piped, bool is_block, struct err *err) {
    struct frame *f = b->frame;
    struct pool *pool = &b->config->model->pool;
    struct part *part = pool_take(pool, sizeof *part);

    *part = (struct part){
        .parent = f->part, .word = word, .is_block = is_block, .has_params = !is_block};
    if (given_name(b, e, part, err) || numbered_name(b, e, piped, part, err))
        return NULL;
    if (part->name)
        names_set(&f->taken, pool, "", part->name, 0);
    if (part->pattern)
        count(b, "pattern", part->pattern);
    f->parts = pool_grow(pool, f->parts, f->n_parts, sizeof(struct part *));
    f->parts[f->n_parts++] = part;
    return part;
}

static bool nameless(const struct part *p) {
    return p->has_params && !p->name;
}

/* Is its name its word with a count? */
static bool is_counted(const struct part *p) {
    const size_t len = strlen(p->word);

    return p->name && !strncmp(p->name, p->word, len) && p->name[len] &&
           strspn(p->name + len, "0123456789") == strlen(p->name + len);
}

/* The part's word with its count among those before it, or the next that is free. */
static const char *counted_name(struct pool *pool, const struct frame *f, const struct part *p) {
    int n = counted(f, "word", p->word);
    const char *name;

    do
        name = pool_print(pool, "%s%d", p->word, ++n);
    while (taken(f, name));
    return name;
}

/* What follows from n == 1 nameless part, from the uses of one block, or from several parts. */
static const char *name_of(struct builder *b, const struct entry *statement, const struct part *p,
                           int n, int number) {
    struct pool *pool = &b->config->model->pool;

    if (n == 1)
        return statement->key;
    return number >= 0 ? pool_print(pool, "%s.%d", statement->key, number)
                       : counted_name(pool, b->frame, p);
}

/* The nameless parts of the statement at hand; *one_block: they are uses of one block. */
static int count_nameless(const struct frame *f, bool *one_block) {
    const char *word = NULL;
    int n = 0;

    *one_block = true;
    for (int i = f->first_part; i < f->n_parts; i++) {
        const struct part *p = f->parts[i];
        if (!nameless(p))
            continue;
        *one_block = *one_block && p->is_block && (!word || !strcmp(word, p->word));
        word = p->word;
        n++;
    }
    return n;
}

int build_name_parts(struct builder *b, const struct entry *statement, struct err *err) {
    struct frame *f = b->frame;
    int number = 0;
    bool one_block;
    const int n = count_nameless(f, &one_block);

    for (int i = f->first_part; i < f->n_parts; i++) {
        struct part *p = f->parts[i];
        if (nameless(p)) {
            const char *name = name_of(b, statement, p, n, one_block ? number++ : -1);
            if (taken(f, name))
                return pos_error(err, statement->key_pos,
                                 "found the name %s, which another part of %s has", name,
                                 f->section->name);
            p->name = name;
            names_set(&f->taken, &b->config->model->pool, "", name, 0);
        }
        if (is_counted(p))
            count(b, "word", p->word);
    }
    f->first_part = f->n_parts;
    return 0;
}

const char *part_path(struct pool *pool, const struct part *part, const char *name) {
    for (const struct part *p = part; p; p = p->parent)
        if (p->name)
            name = name[0] ? pool_print(pool, "%s.%s", p->name, name) : p->name;
    return name;
}
