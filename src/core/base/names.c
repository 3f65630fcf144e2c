#include "core/base/names.h"

#include <stdint.h>
#include <string.h>

enum { FIRST_SLOTS = 16 };

struct name {
    const char *group, *text; /* text NULL: a free slot */
    int number;
};

/* FNV-1a of "group name". */
static uint64_t hash(const char *group, const char *text) {
    const uint64_t prime = 0x100000001b3u;
    uint64_t h = 0xcbf29ce484222325u;

    for (; *group; group++)
        h = (h ^ (unsigned char)*group) * prime;
    for (h = (h ^ ' ') * prime; *text; text++)
        h = (h ^ (unsigned char)*text) * prime;
    return h;
}

/* Where that name is, or would be: the table always has free slots. */
static struct name *slot(const struct names *names, const char *group, const char *text) {
    const uint64_t mask = (uint64_t)names->n_slots - 1;
    uint64_t i = hash(group, text) & mask;

    while (names->slots[i].text &&
           (strcmp(names->slots[i].text, text) || strcmp(names->slots[i].group, group)))
        i = (i + 1) & mask;
    return &names->slots[i];
}

static void widen(struct names *names, struct pool *pool) {
    const struct names old = *names;

    names->n_slots = old.n_slots ? 2 * old.n_slots : FIRST_SLOTS;
    names->slots = pool_take(pool, (size_t)names->n_slots * sizeof *names->slots);
    for (int i = 0; i < old.n_slots; i++)
        if (old.slots[i].text)
            *slot(names, old.slots[i].group, old.slots[i].text) = old.slots[i];
}

int names_find(const struct names *names, const char *group, const char *name) {
    const struct name *at = names->n ? slot(names, group, name) : NULL;

    return at && at->text ? at->number : -1;
}

void names_set(struct names *names, struct pool *pool, const char *group, const char *name,
               int number) {
    if (names->n >= names->n_slots / 2)
        widen(names, pool);
    struct name *at = slot(names, group, name);
    names->n += !at->text;
    *at = (struct name){group, name, number};
}
