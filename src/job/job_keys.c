/* job_keys.c - the sections that a job may have, and what it must not hold. */
#include "core/base/nearest.h"
#include "core/ops/op.h"
#include "job/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct job_section section_let = {
    .kind = "let",
    .help = "constants: numbers, lists and arithmetic with them",
};
static const struct job_section section_net = {
    .kind = "net",
    .help = "a network: one set of parameters for all its uses",
    .named = JOB_NEEDS_NAME,
    .is_word = true,
};
static const struct job_section section_block = {
    .kind = "block",
    .help = "a part of networks: new parameters at each use",
    .named = JOB_NEEDS_NAME,
    .is_word = true,
};

static const struct job_section *const table[] = {
    &section_job,     &section_let,  &section_net,      &section_block,   &section_data,
    &section_weights, &section_step, &section_validate, &section_picture, &section_checkpoint,
    &section_dist,    &section_log,  &section_run,
};

enum { N_SECTIONS = sizeof table / sizeof *table };

const struct job_section *job_section_at(int i) {
    return i < N_SECTIONS ? table[i] : NULL;
}

const struct job_section *job_section_find(const char *kind) {
    for (int i = 0; i < N_SECTIONS; i++)
        if (!strcmp(table[i]->kind, kind))
            return table[i];
    return NULL;
}

struct name_list {
    struct pool *pool;
    const char **name; /* [n] */
    int n;
};

static void add_name(struct name_list *names, const char *name) {
    names->name = pool_grow(names->pool, names->name, names->n, sizeof *names->name);
    names->name[names->n++] = name;
}

/* The arguments of the words that can be the key's value: step.optimizer.lr, each once. */
static void add_arguments(struct name_list *names, const char *section, const struct key *key) {
    const int first = names->n;
    const struct word *word;

    for (int i = 0; key->at && (word = key->at(i)); i++)
        for (const struct arg_spec *a = word->args; a && a->name; a++) {
            const char *name = pool_print(names->pool, "%s.%s.%s", section, key->name, a->name);
            int k = first;
            while (k < names->n && strcmp(names->name[k], name) != 0)
                k++;
            if (k == names->n)
                add_name(names, name);
        }
}

const char *const *job_all_keys(struct pool *pool) {
    struct name_list names = {.pool = pool};

    for (int i = 0; i < N_SECTIONS; i++)
        for (const struct key *k = table[i]->keys; k && k->name; k++) {
            if (table[i]->named == JOB_NEEDS_NAME)
                continue;
            add_name(&names, pool_print(pool, "%s.%s", table[i]->kind, k->name));
            add_arguments(&names, table[i]->kind, k);
        }
    add_name(&names, NULL);
    return names.name;
}

static int unknown_section(const struct section *s, struct err *err) {
    const char *names[N_SECTIONS];

    for (int i = 0; i < N_SECTIONS; i++)
        names[i] = table[i]->kind;
    const char *near = nearest(s->kind, names, N_SECTIONS);
    return pos_error(err, s->pos, "unknown section [%s]%s%s%s", s->kind,
                     near ? "; did you mean [" : "", near ? near : "", near ? "]?" : "");
}

static int check_name(const struct section *s, const struct job_section *kind, struct err *err) {
    if (kind->named == JOB_NEEDS_NAME && !s->name[0])
        return pos_error(err, s->pos, "[%s] needs a name", s->kind);
    if (kind->named == JOB_NO_NAME && s->name[0])
        return pos_error(err, s->pos, "[%s] takes no name", s->kind);
    if (kind->is_word && op_find(s->name))
        return pos_error(err, s->pos,
                         "[%s %s] has the name of an operator, which is what its uses would mean",
                         s->kind, s->name);
    return 0;
}

static int unknown_key(const struct section *s, const struct entry *entry, const char *near,
                       struct err *err) {
    return pos_error(err, entry->key_pos, "[%s] has no key '%s'%s%s%s", s->kind, entry->key,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bool is_key(const struct key *keys, const char *name) {
    for (const struct key *k = keys; k->name; k++)
        if (!strcmp(k->name, name))
            return true;
    return false;
}

/* 1, 2 epochs, sgd(lr=0.1): what a key holds and a statement does not. */
static bool is_plain(const struct key *keys, const char *value) {
    char *end, word[64] = "";

    (void)strtod(value, &end);
    if (end != value)
        return !end[strspn(end, " \tabcdefghijklmnopqrstuvwxyz")];
    if (sscanf(value, "%63[a-z0-9_]", word) != 1)
        return false;
    for (const struct key *k = keys; k->name; k++)
        if (k->find && k->find(word))
            return true;
    return false;
}

static bool is_number(const char *value) {
    char *end;

    (void)strtod(value, &end);
    return (end != value && !*end) || !strcmp(value, "true") || !strcmp(value, "false");
}

static bool is_plain_key(const struct key *keys, const char *name) {
    for (const struct key *k = keys; k->name; k++)
        if (!strcmp(k->name, name))
            return !k->kind->is_statement;
    return false;
}

/* Whether another statement of the section has the name of this one in its text. */
static bool is_used(const struct section *s, const struct key *keys, const struct entry *entry) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

    for (int k = 0; k < s->n_entries; k++) {
        if (&s->entries[k] == entry || is_plain_key(keys, s->entries[k].key))
            continue;
        for (const char *v = s->entries[k].value; *v;) {
            const size_t len = strspn(v, letters);

            if (len == strlen(entry->key) && !strncmp(v, entry->key, len))
                return true;
            v += len ? len : 1;
        }
    }
    return false;
}

/* lr = 0.1 in a [step]: the argument of a word, which would go unread. */
static int check_argument(const struct section *s, const struct key *keys,
                          const struct entry *entry, struct err *err) {
    const struct word *word;

    for (const struct key *k = keys; k->name; k++)
        for (int i = 0; k->at && (word = k->at(i)); i++)
            for (const struct arg_spec *a = word->args; a && a->name; a++)
                if (!strcmp(a->name, entry->key))
                    return pos_error(err, entry->key_pos,
                                     "[%s] has no key '%s'; it is an argument: %s = WORD(%s=%s)",
                                     s->kind, a->name, k->name, a->name, entry->value);
    return 0;
}

/* Any name that is no key is a statement's; but the value of a key under almost its name, as in
 * clip_nrm = 1, is a slip, and so is a number that nothing uses. */
static int check_statement(const struct section *s, const struct key *keys,
                           const struct entry *entry, struct err *err) {
    const char *near = keys_nearest(keys, entry->key, true);

    if (near && strcmp(near, entry->key) != 0 && is_plain(keys, entry->value))
        return unknown_key(s, entry, near, err);
    if (is_used(s, keys, entry))
        return 0;
    if (!strchr(entry->value, '(') && check_argument(s, keys, entry, err))
        return -1;
    return is_number(entry->value)
               ? pos_error(err, entry->key_pos,
                           "[%s] has no key '%s', and no statement there uses this number", s->kind,
                           entry->key)
               : 0;
}

static int check_entry(const struct section *s, const struct job_section *kind,
                       const struct entry *entry, struct err *err) {
    if (kind->holds == JOB_STATEMENTS || is_key(kind->keys, entry->key))
        return 0;
    if (kind->holds == JOB_KEYS_AND_STATEMENTS)
        return check_statement(s, kind->keys, entry, err);
    return unknown_key(s, entry, keys_nearest(kind->keys, entry->key, false), err);
}

int job_check_keys(const struct job *job, struct err *err) {
    for (int i = 0; i < job->source.n_sections; i++) {
        const struct section *s = &job->source.sections[i];
        const struct job_section *kind = job_section_find(s->kind);

        if (!kind)
            return unknown_section(s, err);
        if (check_name(s, kind, err))
            return -1;
        for (int k = 0; k < s->n_entries; k++)
            if (check_entry(s, kind, &s->entries[k], err))
                return -1;
    }
    return 0;
}
