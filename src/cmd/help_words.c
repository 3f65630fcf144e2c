/* help_words.c - the words of the language, from the tables in which the program finds them. */
#include "cmd/help_text.h"
#include "cmd/words.h"

#include <stdio.h>
#include <string.h>

static void print_words(const struct arg_spec *a) {
    const int bits = (int)a->fallback;
    bool first = true;

    printf(bits ? "%s=[" : "%s=none", a->name);
    for (int i = 0; a->words[i]; i++)
        if (bits >> i & 1) {
            printf("%s%s", first ? "" : ", ", a->words[i]);
            first = false;
        }
    printf(bits ? "]" : "");
}

/* "kernel=3" as an argument would be written, or its name alone where it has no default. */
static void print_argument(const struct arg_spec *a) {
    char number[ARG_TEXT];

    switch (a->kind) {
    case ARG_WORD:
    case ARG_INTS_OR_WORD:
        printf("%s=%s", a->name, a->words[(int)a->fallback]);
        return;
    case ARG_WORDS:
        print_words(a);
        return;
    case ARG_APPLIED:
        printf("%s", a->name);
        return;
    case ARG_BYTES:
        printf("%s=%s", a->name, arg_text(a->kind, a->fallback, number));
        return;
    case ARG_INT:
    case ARG_REAL:
    case ARG_INTS:
    case ARG_REALS:
        printf(a->required ? "%s" : "%s=%g", a->name, a->fallback);
    }
}

static void print_call(const struct word *w) {
    printf("%s", w->name);
    for (const struct arg_spec *a = w->args; a && a->name; a++) {
        printf(a == w->args ? "(" : ", ");
        print_argument(a);
    }
    printf("%s", w->args && w->args->name ? ")" : "");
}

static void add_words(const struct arg_spec *a, const char *between, char text[HELP_TEXT]) {
    for (int i = 0; a->words[i]; i++)
        help_add(text, "%s%s", i ? between : "", a->words[i]);
}

/* "whole number, at least 1": what the argument may be. */
static void argument_value(const struct arg_spec *a, char text[HELP_TEXT]) {
    const struct word *word;
    const bool limited = a->min != 0 || a->max != 0;
    char min[ARG_TEXT], max[ARG_TEXT];

    text[0] = 0;
    switch (a->kind) {
    case ARG_WORD:
        add_words(a, " or ", text);
        return;
    case ARG_WORDS:
        help_add(text, "none or a list of ");
        add_words(a, ", ", text);
        return;
    case ARG_APPLIED:
        help_add(text, a->find("constant") ? "number or word" : "word");
        for (int i = 0; a->at && (word = a->at(i)); i++)
            help_add(text, "%s%s", i ? ", " : ": ", word->name);
        return;
    case ARG_INT:
        help_add(text, "whole number");
        help_range(a->min, a->max, text);
        return;
    case ARG_BYTES:
        help_add(text, "whole number, may have a unit, %s to %s", arg_text(a->kind, a->min, min),
                 arg_text(a->kind, a->max, max));
        return;
    case ARG_INTS:
        help_add(text, "whole number or list of them");
        help_range(a->min, a->max, text);
        return;
    case ARG_INTS_OR_WORD:
        add_words(a, " or ", text);
        help_add(text, ", or a whole number or list of them");
        help_range(a->min, a->max, text);
        return;
    case ARG_REAL:
    case ARG_REALS:
        help_add(text, a->kind == ARG_REAL ? "number" : "number or list of them");
        if (limited)
            help_range(a->min, a->max, text);
    }
}

static void print_word(const struct word *w) {
    printf("  ");
    print_call(w);
    printf("\n      %s\n", w->help ? w->help : "");
}

void help_words(void) {
    const struct vocabulary *v;
    struct word w;

    for (int k = 0; (v = vocabulary_at(k)); k++) {
        printf("\n%s\n", v->title);
        for (int i = 0; v->at(i, &w); i++)
            print_word(&w);
    }
}

static void explain_argument(const struct arg_spec *a) {
    char value[HELP_TEXT];

    argument_value(a, value);
    printf("      %-14s %s%s; %s\n", a->name, a->help ? a->help : "",
           a->required ? " (required)" : "", value);
}

static void explain(const struct vocabulary *v, const struct word *w) {
    printf("%s\n", v->title);
    print_word(w);
    for (const struct arg_spec *a = w->args; a && a->name; a++)
        explain_argument(a);
}

bool help_word(const char *name) {
    const struct vocabulary *v;
    bool found = false;
    struct word w;

    for (int k = 0; (v = vocabulary_at(k)); k++)
        for (int i = 0; v->at(i, &w); i++)
            if (!strcmp(w.name, name)) {
                explain(v, &w);
                found = true;
            }
    return found;
}

bool help_argument(const char *name) {
    const struct vocabulary *v;
    bool found = false;
    struct word w;

    for (int k = 0; (v = vocabulary_at(k)); k++)
        for (int i = 0; v->at(i, &w); i++)
            for (const struct arg_spec *a = w.args; a && a->name; a++)
                if (!strcmp(a->name, name)) {
                    printf("%s: %s\n", v->title, w.name);
                    explain_argument(a);
                    found = true;
                }
    return found;
}

static void arguments_markdown(const struct word *w) {
    char value[HELP_TEXT];

    printf("\n`");
    print_call(w);
    printf("`\n\n| argument | value | meaning |\n|---|---|---|\n");
    for (const struct arg_spec *a = w->args; a->name; a++) {
        argument_value(a, value);
        printf("| `");
        print_argument(a);
        printf("`%s | ", a->required ? ", required" : "");
        help_cell(value);
        printf(" | ");
        help_cell(a->help ? a->help : "");
        printf(" |\n");
    }
}

static void word_markdown(const struct word *w) {
    printf("\n### %s\n", w->name);
    help_cell(w->help ? w->help : "");
    printf("\n");
    if (w->args && w->args->name)
        arguments_markdown(w);
}

void help_words_markdown(void) {
    const struct vocabulary *v;
    struct word w;

    printf(
        "# Words\n\n"
        "Written by `scripts/docs` from the program's own tables: `dltrain help language` prints "
        "them, `dltrain help WORD` one.\n[language.md](language.md) says how they are put "
        "together and has the formulas.\n");
    for (int k = 0; (v = vocabulary_at(k)); k++) {
        printf("\n## %s\n%s.\n", v->title, v->use);
        for (int i = 0; v->at(i, &w); i++)
            word_markdown(&w);
    }
}
