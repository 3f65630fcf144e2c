#include "job/key.h"
#include "core/base/nearest.h"

#include <string.h>

enum { MOST_KEYS = 64 };

/* A default reads as if somebody had written it. */
static struct entry fallback_entry(const struct key *key) {
    const struct pos pos = {"default", 1, 1};

    return (struct entry){
        .key = key->name, .value = key->fallback, .raw = key->fallback, .key_pos = pos, .pos = pos};
}

static int check_missing(const struct key *keys, const struct section *s, struct err *err) {
    for (const struct key *k = keys; k->name; k++) {
        const struct entry *entry = k->missing ? section_find(s, k->name) : NULL;
        if (k->missing && (!entry || !*entry->value))
            return pos_error(err, s->pos, "[%s%s%s] has no %s", s->kind, s->name[0] ? " " : "",
                             s->name, k->missing);
    }
    return 0;
}

int keys_read(struct job *job, const struct key *keys, const struct section *s, void *out,
              struct err *err) {
    if (s && check_missing(keys, s, err))
        return -1;
    for (const struct key *k = keys; k->name; k++) {
        const struct entry fallback = fallback_entry(k);
        const struct entry *entry = s ? section_find(s, k->name) : NULL;

        if (!entry && k->fallback)
            entry = &fallback;
        if (entry && k->absent && !strcmp(entry->value, "none") && !strcmp(k->absent, "none"))
            continue; /* as help calls it where the key is not there */
        if (entry && k->kind->read && k->kind->read(job, k, entry, (char *)out + k->offset, err))
            return -1;
    }
    return 0;
}

const char *const *keys_plain(struct pool *pool, const struct key *keys) {
    const char **names = pool_take(pool, (MOST_KEYS + 1) * sizeof *names);
    int n = 0;

    for (const struct key *k = keys; k->name && n < MOST_KEYS; k++)
        if (!k->kind->is_statement)
            names[n++] = k->name;
    return names;
}

const char *keys_nearest(const struct key *keys, const char *name, bool plain) {
    const char *names[MOST_KEYS];
    int n = 0;

    for (const struct key *k = keys; k && k->name && n < MOST_KEYS; k++)
        if (!plain || !k->kind->is_statement)
            names[n++] = k->name;
    return nearest(name, names, n);
}
