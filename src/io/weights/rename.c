#include "io/weights/rename.h"

#include <string.h>

static const char blanks[] = " \t\r\n";

/* text[len] without blanks around it, in pool. */
static char *trimmed(struct pool *pool, const char *text, size_t len) {
    const char *end = text + len;

    while (text < end && strchr(blanks, *text))
        text++;
    while (text < end && strchr(blanks, end[-1]))
        end--;
    return pool_copy(pool, text, (size_t)(end - text));
}

static int n_stars(const char *text) {
    int n = 0;

    for (; *text; text++)
        n += *text == '*';
    return n;
}

static int check(const struct rename_rule *r, const char *item, struct err *err) {
    const int old = n_stars(r->old), new = r->new ? n_stars(r->new) : 0;

    if (!*r->old)
        return err_set(err, ERR_CONFIG, "found '%s', expected %s", item,
                       r->new ? "OLD -> NEW" : "a name or a pattern");
    if (strpbrk(r->old, blanks) || (r->new &&strpbrk(r->new, blanks)))
        return err_set(err, ERR_CONFIG, "found a blank in '%s', expected commas between names",
                       item);
    if (r->new &&strstr(r->new, "->"))
        return err_set(err, ERR_CONFIG, "found two arrows in '%s', expected OLD -> NEW", item);
    if (old > 1 || new > 1)
        return err_set(err, ERR_CONFIG, "found more than one * in '%s', expected one at most",
                       item);
    if (new > old)
        return err_set(err, ERR_CONFIG, "'%s': the * in the new name stands for nothing in the old",
                       item);
    return 0;
}

int rename_parse(struct renames *list, struct pool *pool, const char *text, bool arrows,
                 struct err *err) {
    for (;;) {
        const size_t len = strcspn(text, ",");
        const char *item = trimmed(pool, text, len);
        const char *arrow = strstr(item, "->");
        struct rename_rule rule = {.old = item};

        if (arrows && arrow) {
            rule.old = trimmed(pool, item, (size_t)(arrow - item));
            rule.new = trimmed(pool, arrow + 2, strlen(arrow + 2));
        } else if (arrows || arrow) {
            return err_set(err, ERR_CONFIG, "found '%s', expected %s", item,
                           arrows ? "OLD -> NEW" : "a name or a pattern");
        }
        if (check(&rule, item, err))
            return -1;
        list->rule = pool_grow(pool, list->rule, list->n, sizeof *list->rule);
        list->rule[list->n++] = rule;
        if (!text[len])
            return 0;
        text += len + 1;
    }
}

/* Where the pattern matches: what follows its beginning, or what its * stands for, as
 * rest[*len]. */
static const char *match(const char *pattern, const char *name, size_t *len) {
    const size_t name_len = strlen(name), head = strcspn(pattern, "*");

    if (strncmp(name, pattern, head))
        return NULL;
    if (!pattern[head]) {
        *len = name_len - head;
        return !name[head] || name[head] == '.' ? name + head : NULL;
    }
    const size_t tail = strlen(pattern + head + 1);
    if (name_len < head + tail || strcmp(name + name_len - tail, pattern + head + 1))
        return NULL;
    *len = name_len - head - tail;
    return name + head;
}

const char *rename_apply(struct renames *rules, struct pool *pool, const char *name) {
    for (int i = 0; i < rules->n; i++) {
        struct rename_rule *r = &rules->rule[i];
        size_t len;
        const char *rest = match(r->old, name, &len);
        if (!rest)
            continue;
        r->used = true;
        if (!strchr(r->old, '*')) {
            if (!*r->new &&*rest) /* the dot goes with what was before it */
                rest++;
            return pool_print(pool, "%s%s", r->new, rest);
        }
        const char *star = strchr(r->new, '*');
        if (!star)
            return r->new;
        return pool_print(pool, "%.*s%.*s%s", (int)(star - r->new), r->new, (int)len, rest,
                          star + 1);
    }
    return name;
}

bool rename_match(struct renames *patterns, const char *name) {
    bool any = false;
    size_t len;

    for (int i = 0; i < patterns->n; i++)
        if (match(patterns->rule[i].old, name, &len))
            any = patterns->rule[i].used = true;
    return any;
}

const struct rename_rule *rename_unused(const struct renames *list) {
    for (int i = 0; i < list->n; i++)
        if (!list->rule[i].used)
            return &list->rule[i];
    return NULL;
}
