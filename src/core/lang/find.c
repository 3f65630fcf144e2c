/* Sections by kind and name, entries by key. */
#include "core/lang/reader.h"

#include <string.h>

struct section *sections_find(struct section *sections, const struct names *names, const char *kind,
                              const char *name) {
    const int i = names_find(names, kind, name);

    return i < 0 ? NULL : &sections[i];
}

const struct section *source_find(const struct source *s, const char *kind, const char *name) {
    return sections_find(s->sections, &s->names, kind, name ? name : "");
}

const struct entry *section_find(const struct section *section, const char *key) {
    if (section->keys.n) {
        const int i = names_find(&section->keys, "", key);
        return i < 0 ? NULL : &section->entries[i];
    }
    for (int i = 0; i < section->n_entries; i++)
        if (!strcmp(section->entries[i].key, key))
            return &section->entries[i];
    return NULL;
}
