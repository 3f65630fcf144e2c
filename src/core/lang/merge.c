#include "core/lang/merge.h"
#include "core/base/nearest.h"
#include "core/lang/lexer.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

static struct section *add_section(struct source *s, struct section section) {
    s->sections = pool_grow(&s->pool, s->sections, s->n_sections, sizeof section);
    s->sections[s->n_sections] = section;
    names_set(&s->names, &s->pool, section.kind, section.name, s->n_sections);
    return &s->sections[s->n_sections++];
}

/* Replace the entry of the same key in its place, or add it. */
static void put_entry(struct source *s, struct section *into, const struct entry *entry) {
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
        struct section *into = sections_find(s->sections, &s->names, from->kind, from->name);
        struct section empty = *from;

        empty.entries = NULL;
        empty.n_entries = 0;
        empty.keys = (struct names){0};
        if (!into)
            into = add_section(s, empty);
        else if (network)
            *into = empty;
        for (int j = 0; j < from->n_entries; j++)
            if (!(job && !strcmp(from->entries[j].key, "include")))
                put_entry(s, into, &from->entries[j]);
    }
}

/* The section that --set PATH.key means, made if it has no name and no file has it. */
static struct section *set_section(struct source *s, const char *kind, const char *name,
                                   struct pos pos, struct err *err) {
    struct section *found = sections_find(s->sections, &s->names, kind, name);
    struct section fresh = {.kind = kind, .name = "", .pos = pos, .header = kind};
    bool others = !strcmp(kind, "net") || !strcmp(kind, "block") || *name;

    if (found)
        return found;
    for (int i = 0; i < s->n_sections; i++)
        others = others || !strcmp(s->sections[i].kind, kind);
    if (!others)
        return add_section(s, fresh);
    const char **names = pool_take(&s->pool, (size_t)s->n_sections * sizeof *names);
    int n = 0;

    for (int i = 0; i < s->n_sections; i++)
        if (!strcmp(s->sections[i].kind, kind) && *s->sections[i].name)
            names[n++] = s->sections[i].name;
    const char *near = *name ? nearest(name, names, n) : n ? names[0] : NULL;
    err_set(err, ERR_USAGE, "--set: there is no [%s%s%s]%s%s%s%s%s", kind, *name ? " " : "", name,
            near ? "; did you mean " : "", near ? kind : "", near ? "." : "", near ? near : "",
            near ? "?" : "");
    return NULL;
}

/* The section to which --set NAME belongs: [let] or [job]. */
static struct section *set_name(struct source *s, const char *name, struct pos pos,
                                const char *const *job_keys, struct err *err) {
    struct section *let = sections_find(s->sections, &s->names, "let", "");
    struct section *job = sections_find(s->sections, &s->names, "job", "");
    const int n_let = let ? let->n_entries : 0, n_job = job ? job->n_entries : 0;
    int n_keys = 0, n = 0;

    while (job_keys && job_keys[n_keys])
        n_keys++;
    const char **names = pool_take(&s->pool, (size_t)(n_let + n_job + n_keys + 1) * sizeof *names);

    if (let && section_find(let, name))
        return let;
    for (int i = 0; i < n_keys; i++)
        names[n++] = job_keys[i];
    for (int i = 0; i < n_job; i++)
        names[n++] = job->entries[i].key;
    for (int i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return set_section(s, "job", "", pos, err);
    for (int i = 0; i < n_let; i++)
        names[n++] = let->entries[i].key;
    const char *near = nearest(name, names, n);
    if (near)
        err_set(err, ERR_USAGE, "--set: nothing is called '%s'; did you mean '%s'?", name, near);
    else
        err_set(err, ERR_USAGE,
                "--set: nothing is called '%s', expected a constant of [let], a key "
                "of [job] or SECTION.KEY",
                name);
    return NULL;
}

/* Cut target at its dots into at most three names. Returns how many, or 0 if it is no such thing.
 */
static int split_target(char *target, char *parts[3]) {
    int n = 0;

    for (char *part = target; part; n++) {
        char *dot = strchr(part, '.');
        if (dot)
            *dot = '\0';
        if (n == 3 || !is_name(part, strlen(part)))
            return 0;
        parts[n] = part;
        part = dot ? dot + 1 : NULL;
    }
    return n;
}

/* Refuse what a file could not hold, for the job must print and read back the same. */
static int check_set(const char *set, struct err *err) {
    const size_t len = strlen(set), most = INI_MAX_LINE - 1;
    const char *value = strchr(set, '=');
    char found[FOUND_TEXT];

    if (!value)
        return err_set(err, ERR_USAGE, "--set: found %s, expected NAME=VALUE",
                       found_text(set, (int)strnlen(set, FOUND_TEXT), found));
    if (len > most)
        return err_set(err, ERR_USAGE, "--set: found %zu characters, expected at most %zu", len,
                       most);
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)set[i] < ' ' && set[i] != '\t') || set[i] == 127)
            return err_set(err, ERR_USAGE,
                           "--set: found the control character %d in %s, expected "
                           "plain text",
                           set[i], found_text(set, (int)len, found));
    size_t kept = uncommented_len(value + 1);
    if (value[1 + kept + strspn(value + 1 + kept, " \t")])
        return err_set(err, ERR_USAGE,
                       "--set: found a ';' after a blank in %s, expected no comment",
                       found_text(set, (int)len, found));
    return 0;
}

int merge_set(struct source *s, const char *set, int number, const char *const *job_keys,
              struct err *err) {
    char found[FOUND_TEXT], *parts[3];

    if (check_set(set, err))
        return -1;
    const size_t target_len = strcspn(set, "=");
    size_t name_len = target_len, first = strspn(set, " \t");
    while (name_len > first && is_blank(set[name_len - 1]))
        name_len--;
    char *target =
        pool_copy(&s->pool, set + first, name_len - (first < name_len ? first : name_len));
    const int n = split_target(target, parts);
    if (!n)
        return err_set(err, ERR_USAGE,
                       "--set: found %s before '=', expected NAME, SECTION.KEY or SECTION.NAME.KEY",
                       found_text(set, (int)target_len, found));
    const char *value = set + target_len + 1;
    value += strspn(value, " \t");
    struct entry entry = {.key = parts[n - 1], .key_pos = {"--set", number, (int)first + 1}};
    entry.pos = (struct pos){"--set", number, (int)(value - set) + 1};
    if (!strcmp(entry.key, "include") && (n == 1 || !strcmp(parts[0], "job")))
        return err_set(err, ERR_USAGE,
                       "--set: found 'include', expected a key other than that: "
                       "files are read before");
    struct section *into =
        n == 1 ? set_name(s, parts[0], entry.key_pos, job_keys, err)
               : set_section(s, parts[0], n == 3 ? parts[1] : "", entry.key_pos, err);
    if (!into)
        return -1;
    entry_set(&s->pool, &entry, pool_copy(&s->pool, value, uncommented_len(value)));
    put_entry(s, into, &entry);
    return 0;
}
