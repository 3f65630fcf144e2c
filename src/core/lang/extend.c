/* extend.c - statements beside those of a job: what a command line asks of its nets. */
#include "core/lang/lexer.h"
#include "core/lang/merge.h"

#include <string.h>

const struct section *source_extend(struct source *s, const struct section *from, const char *key,
                                    const char *text) {
    struct section *out = pool_take(&s->pool, sizeof *out);
    const struct pos pos = {key, 1, 1};
    struct entry entry = {.key = key, .key_pos = pos, .pos = pos};

    *out = (struct section){.kind = key, .name = "", .pos = pos, .header = key};
    for (int i = 0; from && i < from->n_entries; i++)
        merge_entry(s, out, &from->entries[i]);
    entry_set(&s->pool, &entry, text);
    merge_entry(s, out, &entry);
    return out;
}
