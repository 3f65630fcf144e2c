/* Jobs that are no files, and what is not alike in two of them. */
#include "core/lang/merge.h"
#include "core/lang/reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int source_read_text(struct source *s, const char *name, const char *text, const char *const *sets,
                     int n_sets, const char *const *keys, struct err *err) {
    struct pool kept = {0};
    FILE *stream = fmemopen(pool_print(&kept, "%s\n", text), strlen(text) + 1, "r");
    int status = stream ? 0 : err_set(err, ERR_IO, "%s: %s", name, strerror(errno));

    *s = (struct source){0};
    struct file file = {.path = pool_copy(&s->pool, name, strlen(name))};
    if (!status)
        status = reader_read(&s->pool, stream, &file, err);
    if (!status)
        merge_file(s, &file);
    for (int i = 0; !status && i < n_sets; i++)
        status = merge_set(s, sets[i], i + 1, keys, err);
    if (stream)
        fclose(stream);
    pool_release(&kept);
    if (status)
        source_release(s);
    return status;
}

struct changes {
    struct pool *pool;
    struct source_change *change;
    int n;
};

static void add(struct changes *c, const struct section *s, const char *key, const char *was,
                const char *now) {
    const char *name = pool_print(c->pool, "[%s%s%s]", s->kind, *s->name ? " " : "", s->name);

    c->change = pool_grow(c->pool, c->change, c->n, sizeof *c->change);
    c->change[c->n++] = (struct source_change){name, s->kind, key, was, now};
}

static const char *value(const struct entry *entry) {
    return entry ? entry->value : NULL;
}

/* Nets and blocks come and go as a whole; of other sections each key counts by itself. */
static bool is_one(const struct section *s) {
    return !strcmp(s->kind, "net") || !strcmp(s->kind, "block");
}

/* The keys of both sections, of which at least one is there. */
static void compare(struct changes *c, const struct section *was, const struct section *now) {
    const struct section *there = now ? now : was;
    const bool moved = !was || !now;

    if (is_one(there) && (moved || strcmp(was->header, now->header)))
        add(c, there, NULL, was ? was->header : NULL, now ? now->header : NULL);
    if (is_one(there) && moved)
        return;
    for (int i = 0; now && i < now->n_entries; i++) {
        const struct entry *entry = &now->entries[i];
        const char *before = was ? value(section_find(was, entry->key)) : NULL;
        if (!before || strcmp(before, entry->value))
            add(c, there, entry->key, before, entry->value);
    }
    for (int i = 0; was && i < was->n_entries; i++)
        if (!now || !section_find(now, was->entries[i].key))
            add(c, there, was->entries[i].key, was->entries[i].value, NULL);
}

int source_changes(const struct source *was, const struct source *now, struct pool *pool,
                   struct source_change **out) {
    struct changes c = {.pool = pool};

    for (int i = 0; i < now->n_sections; i++) {
        const struct section *s = &now->sections[i];
        compare(&c, source_find(was, s->kind, s->name), s);
    }
    for (int i = 0; i < was->n_sections; i++) {
        const struct section *s = &was->sections[i];
        if (!source_find(now, s->kind, s->name))
            compare(&c, s, NULL);
    }
    *out = c.change;
    return c.n;
}
