#include "core/lang/reader.h"
#include "core/lang/text.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = INI_MAX_LINE - 1, INDENT = 4 };

static void add(struct text *t, const char *s) {
    text_add(t, s, strlen(s));
}

/* A raw value as the lines that a file can hold. */
struct raw_lines {
    const char *raw, *line; /* what follows; what is left of a line */
    size_t left;
};

/* The next one; of a line of --set, which may be longer than those of files, a piece. NULL: there
 * are no more. */
static const char *next_line(struct raw_lines *l, size_t *len) {
    if (!l->left && !(l->line = raw_line(&l->raw, &l->left)))
        return NULL;
    const char *start = l->line;
    *len = line_piece(start, l->left, MAX_LINE - 1);
    const size_t done = *len + (*len < l->left); /* the blank behind it is the end of its line */
    l->line += done;
    l->left -= done;
    return start;
}

/* key = value, its lines as they were read: each fitted its line, so each fits here, if need be
 * with fewer blanks around it. */
static void print_entry(const struct entry *entry, struct text *t) {
    struct raw_lines lines = {.raw = entry->raw};
    const size_t key_len = strlen(entry->key);
    size_t len = 0;
    const char *line = next_line(&lines, &len);
    const bool here = line && key_len + 1 + len <= MAX_LINE; /* "key=line" */

    text_add(t, entry->key, key_len);
    add(t, here && key_len + 3 + len > MAX_LINE ? "=" : here ? " = " : " =");
    if (here) {
        text_add(t, line, len);
        line = next_line(&lines, &len);
    }
    for (; line; line = next_line(&lines, &len)) {
        add(t, INDENT + len <= MAX_LINE ? "\n    " : "\n ");
        text_add(t, line, len);
    }
    add(t, "\n");
}

static void print_section(const struct section *section, struct text *t) {
    add(t, t->len ? "\n[" : "[");
    add(t, section->header);
    add(t, "]\n");
    for (int i = 0; i < section->n_entries; i++)
        print_entry(&section->entries[i], t);
}

char *source_print(const struct source *s) {
    const struct section *job = source_find(s, "job", "");
    struct pool pool = {0};
    struct text t = {.pool = &pool};

    text_add(&t, "", 0);
    if (job)
        print_section(job, &t);
    for (int i = 0; i < s->n_sections; i++)
        if (&s->sections[i] != job)
            print_section(&s->sections[i], &t);
    char *out = malloc(t.len + 1);
    if (out)
        memcpy(out, t.data, t.len + 1);
    pool_release(&pool);
    return out;
}
