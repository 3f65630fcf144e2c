#include "core/lang/merge.h"

#include <string.h>

struct section *merge_section(struct source *s, struct section section) {
    s->sections = pool_grow(&s->pool, s->sections, s->n_sections, sizeof section);
    s->sections[s->n_sections] = section;
    return &s->sections[s->n_sections++];
}

void merge_entry(struct source *s, struct section *into, const struct entry *entry) {
    struct entry *old = (struct entry *)section_find(into, entry->key);

    if (!old)
        old = section_add(&s->pool, into, entry->key);
    *old = *entry;
}

void merge_file(struct source *s, const struct file *file) {
    for (int i = 0; i < file->n_sections; i++) {
        const struct section *from = &file->sections[i];
        const bool job = !strcmp(from->kind, "job"),
                   network = !strcmp(from->kind, "net") || !strcmp(from->kind, "block");
        struct section *into = sections_find(s->sections, s->n_sections, from->kind, from->name);
        struct section empty = *from;

        empty.entries = NULL;
        empty.n_entries = 0;
        if (!into)
            into = merge_section(s, empty);
        else if (network)
            *into = empty;
        for (int j = 0; j < from->n_entries; j++)
            if (!(job && !strcmp(from->entries[j].key, "include")))
                merge_entry(s, into, &from->entries[j]);
    }
}
