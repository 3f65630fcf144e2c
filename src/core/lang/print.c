#include "core/lang/memory.h"
#include "core/lang/reader.h"

#include <ini.h>
#include <string.h>

enum { MAX_LINE = INI_MAX_LINE - 1, INDENT = 4 };

static int add(struct text *t, const char *s, struct err *err) {
    return text_add(t, s, strlen(s), err);
}

/* key = value, its lines as they were read: each fitted its line, so each fits here, if need be
 * with fewer blanks around it. */
static int print_entry(const struct entry *entry, struct text *t, struct err *err) {
    const char *at = entry->raw;
    const size_t key_len = strlen(entry->key);
    size_t len = 0;
    const char *line = raw_line(&at, &len);
    const bool here = line && key_len + 1 + len <= MAX_LINE; /* "key=line" */
    const char *equals = here && key_len + 3 + len > MAX_LINE ? "=" : here ? " = " : " =";

    if (text_add(t, entry->key, key_len, err) || add(t, equals, err))
        return -1;
    if (here) {
        if (text_add(t, line, len, err))
            return -1;
        line = raw_line(&at, &len);
    }
    for (; line; line = raw_line(&at, &len))
        if (add(t, INDENT + len <= MAX_LINE ? "\n    " : "\n ", err) || text_add(t, line, len, err))
            return -1;
    return add(t, "\n", err);
}

static int print_section(const struct section *section, struct text *t, struct err *err) {
    if ((t->len && add(t, "\n", err)) || add(t, "[", err) || add(t, section->header, err) ||
        add(t, "]\n", err))
        return -1;
    for (int i = 0; i < section->n_entries; i++)
        if (print_entry(&section->entries[i], t, err))
            return -1;
    return 0;
}

char *source_print(const struct source *s) {
    const struct section *job = source_find(s, "job", "");
    struct text t = {0};
    struct err err = {0};
    int status = text_add(&t, "", 0, &err);

    if (!status && job)
        status = print_section(job, &t, &err);
    for (int i = 0; !status && i < s->n_sections; i++)
        if (&s->sections[i] != job)
            status = print_section(&s->sections[i], &t, &err);
    if (status)
        text_release(&t);
    return t.data;
}
