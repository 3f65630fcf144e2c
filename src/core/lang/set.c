/* set.c - what --set of the command line does to a job. */
#include "core/base/nearest.h"
#include "core/lang/lexer.h"
#include "core/lang/merge.h"
#include "core/lang/reader.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

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
        return merge_section(s, fresh);
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

/* What others might have been meant by NAME, for a message. */
static const char *add_choice(struct pool *pool, const char *choices, const char *choice) {
    return choices ? pool_print(pool, "%s or %s", choices, choice) : choice;
}

const char *source_setting(struct pool *pool, const char *key) {
    const char *name = strchr(key, '.') + 1, *argument = strchr(name, '.');

    if (argument)
        return pool_print(pool, "%.*s=WORD(%s=VALUE)", (int)(argument - key), key, argument + 1);
    return pool_print(pool, "%s=VALUE", strncmp(key, "job.", 4) ? key : name);
}

/* "data.batch=VALUE or validate.batch=VALUE": the keys of that name, or NULL. */
static const char *keys_called(struct pool *pool, const char *name, const char *const *keys) {
    const char *choices = NULL;

    for (; keys && *keys; keys++)
        if (!strcmp(strrchr(*keys, '.') + 1, name))
            choices = add_choice(pool, choices, source_setting(pool, *keys));
    return choices;
}

/* "lr=" in "adam(lr=0.1)"; NULL where the value does not give that argument. */
static const char *argument_in(const char *value, const char *name) {
    const size_t len = strlen(name);

    for (const char *at = value; (at = strstr(at, name)); at += len) {
        const char *after = at + len + strspn(at + len, " \t");
        if (*after == '=' && after[1] != '=' && at > value && strchr("( \t,", at[-1]))
            return at;
    }
    return NULL;
}

/* The argument NAME of a call somewhere in the job: set the key that holds it. */
static bool is_argument(const struct source *s, const char *name, struct err *err) {
    for (int i = 0; i < s->n_sections; i++)
        for (int k = 0; k < s->sections[i].n_entries; k++) {
            const struct section *in = &s->sections[i];
            const struct entry *e = &in->entries[k];
            if (!strcmp(in->kind, "net") || !strcmp(in->kind, "block") ||
                !argument_in(e->value, name))
                continue;
            err_set(err, ERR_USAGE,
                    "--set: '%s' is an argument in %s = %s; set the key with it: --set "
                    "'%s%s%s.%s=...', or make %s a constant of [let]",
                    name, e->key, e->value, in->kind, *in->name ? "." : "", in->name, e->key, name);
            return true;
        }
    return false;
}

/* A parameter of a net is given where the net is used. */
static bool is_parameter(const struct source *s, const char *name, struct err *err) {
    for (int i = 0; i < s->n_sections; i++)
        for (int k = 0; k < s->sections[i].n_params; k++) {
            const struct section *net = &s->sections[i];
            if (strcmp(net->params[k].name, name) || !net->params[k].fallback)
                continue;
            err_set(err, ERR_USAGE,
                    "--set: '%s' is a parameter of [%s %s]; give it where that is used, as in "
                    "%s(%s=...), or there as a constant of [let]",
                    name, net->kind, net->name, net->name, name);
            return true;
        }
    return false;
}

/* Nothing is called `name`: say what may be meant.
 *   names  [n] constants of [let] and keys of [job] */
static void unknown_name(struct source *s, const char *name, const char **names, int n,
                         const char *const *keys, struct err *err) {
    const char *choices = NULL;
    int n_keys = 0;

    if (is_argument(s, name, err) || is_parameter(s, name, err))
        return;
    choices = keys_called(&s->pool, name, keys);
    while (keys && keys[n_keys])
        n_keys++;
    const char **all = pool_take(&s->pool, (size_t)(n + n_keys + 1) * sizeof *all);
    if (n)
        memcpy(all, names, (size_t)n * sizeof *all);
    for (int i = 0; i < n_keys; i++)
        all[n + i] = strrchr(keys[i], '.') + 1;
    const char *near = choices ? NULL : nearest(name, all, n + n_keys);
    if (near)
        choices = keys_called(&s->pool, near, keys);
    if (near && !choices)
        choices = near; /* a constant */
    if (choices)
        err_set(err, ERR_USAGE, "--set: nothing is called '%s'; did you mean %s?", name, choices);
    else
        err_set(err, ERR_USAGE,
                "--set: nothing is called '%s', expected a constant of [let], a key of [job] or "
                "SECTION.KEY",
                name);
}

/* The section to which --set NAME belongs: [let] or [job]. */
static struct section *set_name(struct source *s, const char *name, struct pos pos,
                                const char *const *keys, struct err *err) {
    struct section *let = sections_find(s->sections, &s->names, "let", "");
    struct section *job = sections_find(s->sections, &s->names, "job", "");
    const int n_let = let ? let->n_entries : 0, n_job = job ? job->n_entries : 0;
    int n = 0;

    if (let && section_find(let, name))
        return let;
    for (const char *const *k = keys; k && *k; k++)
        if (!strncmp(*k, "job.", 4) && !strcmp(*k + 4, name))
            return set_section(s, "job", "", pos, err);
    if (job && section_find(job, name))
        return job;
    const char **names = pool_take(&s->pool, (size_t)(n_let + n_job + 1) * sizeof *names);
    for (int i = 0; i < n_let; i++)
        names[n++] = let->entries[i].key;
    for (int i = 0; i < n_job; i++)
        names[n++] = job->entries[i].key;
    unknown_name(s, name, names, n, keys, err);
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

/* A value may be as long as one of a file, which goes on in indented lines: they end at blanks. */
static int check_lines(const char *value, struct err *err) {
    const size_t most = INI_MAX_LINE - 2; /* behind a blank */
    char found[FOUND_TEXT];

    for (size_t n; *value; value += n + (value[n] == ' ')) {
        const size_t len = strlen(value);
        n = line_piece(value, len, most);
        if (!n)
            return err_set(err, ERR_USAGE,
                           "--set: found %zu characters in one, %s, expected a blank after at most "
                           "%zu",
                           strcspn(value, " "), found_text(value, (int)len, found), most);
    }
    return 0;
}

/* Refuse what a file could not hold, for the job must print and read back the same. */
static int check_set(const char *set, struct err *err) {
    const size_t len = strlen(set);
    const char *value = strchr(set, '=');
    char found[FOUND_TEXT];

    if (!value)
        return err_set(err, ERR_USAGE, "--set: found %s, expected NAME=VALUE",
                       found_text(set, (int)strnlen(set, FOUND_TEXT), found));
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
    value += 1 + strspn(value + 1, " \t");
    return check_lines(value, err);
}

int merge_set(struct source *s, const char *set, int number, const char *const *keys,
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
        n == 1 ? set_name(s, parts[0], entry.key_pos, keys, err)
               : set_section(s, parts[0], n == 3 ? parts[1] : "", entry.key_pos, err);
    if (!into)
        return -1;
    entry_set(&s->pool, &entry, pool_copy(&s->pool, value, uncommented_len(value)));
    merge_entry(s, into, &entry);
    return 0;
}
