/* parts.c - the parameterised parts of a net and how they are called. */
#include "core/graph/build.h"

#include <string.h>

/* Has a part of this body that name? */
static bool taken(const struct frame *f, const char *name) {
    for (int i = 0; i < f->n_parts; i++)
        if (f->parts[i]->name && !strcmp(f->parts[i]->name, name))
            return true;
    return false;
}

/* What `name=` says in the call e; NULL in *out where it does not stand. */
static int given_name(const struct builder *b, const struct expr *e, const char **out,
                      struct err *err) {
    *out = NULL;
    for (int i = 0; i < e->n_args; i++) {
        const struct expr_arg *arg = &e->args[i];

        if (!arg->name || strcmp(arg->name, "name"))
            continue;
        if ((arg->value->kind != EXPR_NAME && arg->value->kind != EXPR_STRING) ||
            !arg->value->text[0])
            return pos_error(err, arg->value->pos, "%s: name is not a word, expected a name",
                             e->text);
        *out = arg->value->text;
        if (taken(b->frame, *out))
            return pos_error(err, arg->pos, "found the name %s, which another part of %s has", *out,
                             b->frame->section->name);
    }
    return 0;
}

struct part *build_part(struct builder *b, const char *word, const struct expr *e, bool is_block,
                        struct err *err) {
    struct frame *f = b->frame;
    struct pool *pool = &b->config->model->pool;
    struct part *part = pool_take(pool, sizeof *part);

    *part = (struct part){
        .parent = f->part, .word = word, .is_block = is_block, .has_params = !is_block};
    if (given_name(b, e, &part->name, err))
        return NULL;
    f->parts = pool_grow(pool, f->parts, f->n_parts, sizeof(struct part *));
    f->parts[f->n_parts++] = part;
    return part;
}

static bool nameless(const struct part *p) {
    return p->has_params && !p->name;
}

/* How many parts called `word` have their count in their names so far. */
static int counted(const struct frame *f, int until, const char *word) {
    int n = 0;

    for (int i = 0; i < until; i++) {
        const struct part *p = f->parts[i];
        const size_t len = strlen(word);
        n += p->name && !strcmp(p->word, word) && !strncmp(p->name, word, len) &&
             strspn(p->name + len, "0123456789") == strlen(p->name + len) && p->name[len];
    }
    return n;
}

/* The part's word with its count, or the next that is free. */
static const char *counted_name(struct pool *pool, const struct frame *f, int part) {
    const char *word = f->parts[part]->word, *name;
    int count = counted(f, part, word);

    do
        name = pool_print(pool, "%s%d", word, ++count);
    while (taken(f, name));
    return name;
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
    struct pool *pool = &b->config->model->pool;
    int number = 0;
    bool one_block;
    const int n = count_nameless(f, &one_block);

    for (int i = f->first_part; i < f->n_parts; i++) {
        const char *name;
        if (!nameless(f->parts[i]))
            continue;
        if (n == 1)
            name = statement->key;
        else if (one_block)
            name = pool_print(pool, "%s.%d", statement->key, number++);
        else
            name = counted_name(pool, f, i);
        if (taken(f, name))
            return pos_error(err, statement->key_pos,
                             "found the name %s, which another part of %s has", name,
                             f->section->name);
        f->parts[i]->name = name;
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
