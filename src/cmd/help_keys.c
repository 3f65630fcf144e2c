/* help_keys.c - the sections and keys of a job, from the tables by which it is read. */
#include "cmd/help_text.h"
#include "job/key.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MOST_KINDS = 32 };

void help_key_value(const struct key *k, char text[HELP_TEXT]) {
    const struct word *word;

    text[0] = 0;
    for (int i = 0; k->words && k->words[i]; i++)
        help_add(text, "%s%s", i ? " or " : "", k->words[i]);
    for (int i = 0; k->at && (word = k->at(i)); i++)
        help_add(text, "%s%s", i ? ", " : "word: ", word->name);
    if (!text[0])
        help_add(text, "%s", k->kind->name);
    if (!k->kind->is_number)
        return;
    if (k->unit)
        help_add(text, " of %s", k->unit);
    help_range(k->min, k->max, text);
}

/* Markdown as a terminal shows it. */
static void add_plain(char text[HELP_TEXT], const char *markdown) {
    for (; *markdown; markdown++)
        if (*markdown != '`')
            help_add(text, "%c", *markdown);
}

static const char *key_default(const struct key *k) {
    return k->fallback ? k->fallback : k->absent;
}

void help_head(const struct job_section *s) {
    if (s->named != JOB_NEEDS_NAME)
        printf("[%s]", s->kind);
    if (s->named == JOB_MAY_HAVE_NAME)
        printf(", ");
    if (s->named != JOB_NO_NAME)
        printf("[%s NAME%s]", s->kind, s->is_word ? "(inputs, params=defaults)" : "");
}

static void print_key(const struct key *k) {
    char value[HELP_TEXT], name[HELP_TEXT] = "";
    const char *standard = key_default(k);

    help_key_value(k, value);
    if (k->kind->form && !k->at) {
        help_add(value, ": ");
        add_plain(value, k->kind->form);
    }
    help_add(name, "%s%s%s%s", k->name, standard ? " = " : "", standard ? standard : "",
             k->missing ? " (required)" : "");
    printf("  %-32s %s\n      %s\n", name, value, k->help);
}

static void print_section(const struct job_section *s) {
    help_head(s);
    printf("  %s%s\n", s->help,
           s->holds == JOB_KEYS_AND_STATEMENTS ? "; any name that is no key is a statement" : "");
    for (const struct key *k = s->keys; k && k->name; k++)
        print_key(k);
}

void help_keys(void) {
    const struct job_section *s;

    for (int i = 0; (s = job_section_at(i)); i++) {
        printf("\n");
        print_section(s);
    }
}

bool help_section(const char *name) {
    const struct job_section *s = job_section_find(name);

    if (s)
        print_section(s);
    return s;
}

bool help_key(const char *section, const char *name) {
    const struct job_section *s;
    bool found = false;

    for (int i = 0; (s = job_section_at(i)); i++)
        for (const struct key *k = s->keys; k && k->name; k++)
            if (!strcmp(k->name, name) && (!section || !strcmp(section, s->kind))) {
                help_head(s);
                printf("\n");
                print_key(k);
                found = true;
            }
    return found;
}

static void keys_markdown(const struct key *keys) {
    char value[HELP_TEXT];

    printf("\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for (const struct key *k = keys; k->name; k++) {
        help_key_value(k, value);
        printf("| `%s` | ", k->name);
        help_cell(value);
        if (k->fallback)
            printf(" | `%s` | ", k->fallback);
        else
            printf(" | %s | ", k->missing ? "required" : k->absent ? k->absent : "");
        help_cell(k->help);
        printf(" |\n");
    }
}

/* What the kinds of values look like, each once. */
static void kinds_markdown(void) {
    const struct kind *seen[MOST_KINDS];
    const struct job_section *s;
    int n = 0;

    printf("\n## Values\n\n| value | as in |\n|---|---|\n");
    for (int i = 0; (s = job_section_at(i)); i++)
        for (const struct key *k = s->keys; k && k->name; k++) {
            int at = 0;
            while (at < n && seen[at] != k->kind)
                at++;
            if (at < n || n == MOST_KINDS || !k->kind->form)
                continue;
            seen[n++] = k->kind;
            printf("| %s | ", k->kind->name);
            help_cell(k->kind->form);
            printf(" |\n");
        }
}

void help_keys_markdown(void) {
    const struct job_section *s;

    printf("# Sections and keys of a job\n\n"
           "Written by `scripts/docs` from the program's own tables: `dltrain help keys` prints "
           "them, `dltrain help SECTION` or\n`dltrain help KEY` a part. "
           "[language.md](language.md) says what they mean together. A number may be arithmetic "
           "with constants\nof `[let]`; where a whole number is needed, 32.5 is an error.\n");
    for (int i = 0; (s = job_section_at(i)); i++) {
        printf("\n## ");
        help_head(s);
        printf("\n%c", toupper((unsigned char)s->help[0]));
        help_cell(s->help + 1);
        printf("%s.\n", s->holds == JOB_KEYS_AND_STATEMENTS
                            ? "; any name that is no key is a statement"
                            : "");
        if (s->keys)
            keys_markdown(s->keys);
    }
    kinds_markdown();
}
