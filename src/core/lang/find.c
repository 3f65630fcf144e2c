/* Sections by kind and name, entries by key. */
#include "core/lang/reader.h"

#include <string.h>

struct section *sections_find(struct section *sections, int n, const char *kind, const char *name) {
    for (int i = 0; i < n; i++)
        if (!strcmp(sections[i].kind, kind) && !strcmp(sections[i].name, name))
            return &sections[i];
    return NULL;
}

const struct section *source_find(const struct source *s, const char *kind, const char *name) {
    return sections_find(s->sections, s->n_sections, kind, name ? name : "");
}

const struct entry *section_find(const struct section *section, const char *key) {
    for (int i = 0; i < section->n_entries; i++)
        if (!strcmp(section->entries[i].key, key))
            return &section->entries[i];
    return NULL;
}
