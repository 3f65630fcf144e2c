#include "cmd/help_usage.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { FEW_BLANKS = 2, DEEP = 7 };

static bool begins(const char *text, int len, const char *with) {
    const int n = (int)strlen(with);

    return len >= n && !strncmp(text, with, (size_t)n);
}

/* Where two blanks or more end the head of an item; len where none do. */
static int head_len(const char *text, int len) {
    for (int i = 0; i + 1 < len; i++)
        if (text[i] == ' ' && text[i + 1] == ' ')
            return i;
    return len;
}

static enum usage_kind kind_of(const struct usage_line *before, const char *text, int indent,
                               int len) {
    const bool option = begins(text, len, "--");

    if (!len)
        return USAGE_BLANK;
    if (!indent)
        return begins(text, len, "dltrain ") ? USAGE_SYNOPSIS : USAGE_PARAGRAPH;
    if (before->kind == USAGE_SYNOPSIS && *text == '[')
        return USAGE_SYNOPSIS;
    if (indent >= DEEP && (before->kind == USAGE_ITEM || before->kind == USAGE_MORE))
        return USAGE_MORE;
    if (indent == FEW_BLANKS && (option || head_len(text, len) < len))
        return USAGE_ITEM;
    return USAGE_VERBATIM;
}

bool usage_next(const char **at, struct usage_line *line) {
    const char *begin = *at;
    const int whole = (int)strcspn(begin, "\n"), indent = (int)strspn(begin, " ");
    const char *text = begin + indent;
    const int len = whole - indent;

    if (!*begin)
        return false;
    *at = begin + whole + (begin[whole] == '\n');
    const enum usage_kind kind = kind_of(line, text, indent, len);
    *line = (struct usage_line){.kind = kind, .text = text, .text_len = len};
    if (kind == USAGE_ITEM) {
        line->head = text;
        line->head_len = head_len(text, len);
        line->text += line->head_len;
        line->text_len -= line->head_len;
        while (line->text_len && *line->text == ' ') {
            line->text++;
            line->text_len--;
        }
    }
    if (kind == USAGE_VERBATIM) { /* as it stands */
        line->text = begin;
        line->text_len = whole;
    }
    return true;
}

/* The option at text, "--seed N]" or "--grey,". Returns how many bytes it takes. */
static int read_option(const char *text, int len, struct usage_option *o) {
    int name = 2, value;

    while (name < len && (isalnum((unsigned char)text[name]) || text[name] == '-'))
        name++;
    *o = (struct usage_option){.help = ""};
    snprintf(o->name, sizeof o->name, "%.*s", name - 2, text + 2);
    if (name == len || text[name] != ' ')
        return name;
    value = name + 1;
    while (value < len && !strchr(" ],|", text[value]))
        value++;
    if (value > name + 1 && !strchr("[-", text[name + 1]))
        snprintf(o->value, sizeof o->value, "%.*s", value - name - 1, text + name + 1);
    return name;
}

static bool is_listed(const struct usage_option *list, int n, const char *name, int *at) {
    for (*at = 0; *at < n; ++*at)
        if (!strcmp(list[*at].name, name))
            return true;
    return false;
}

static int add_options(const struct usage_line *line, struct usage_option *out, int n) {
    const bool item = line->kind == USAGE_ITEM;
    const char *text = item ? line->head : line->text;
    const int len = item ? line->head_len : line->text_len;
    struct usage_option found;
    int k;

    for (int i = 0; i + 2 < len && n < USAGE_OPTIONS; i++) {
        if (strncmp(text + i, "--", 2) || (i && !strchr(" [|", text[i - 1])))
            continue;
        i += read_option(text + i, len - i, &found) - 1;
        if (!is_listed(out, n, found.name, &k))
            out[n++] = found;
        if (item && !out[k].help_len) {
            out[k].help = line->text;
            out[k].help_len = line->text_len;
        }
    }
    return n;
}

int usage_options(const char *usage, struct usage_option *out) {
    struct usage_line line = {0};
    int n = 0;

    while (usage_next(&usage, &line))
        if (line.kind == USAGE_SYNOPSIS || line.kind == USAGE_ITEM)
            n = add_options(&line, out, n);
    return n;
}

/* "dltrain data import IMPORTER": a word in small letters behind the command. */
static bool subcommand_of(const struct usage_line *line, const char *command,
                          char name[USAGE_NAME]) {
    char begin[64];
    const int skip = snprintf(begin, sizeof begin, "dltrain %s ", command);
    int len = 0;

    if (line->kind != USAGE_SYNOPSIS || !begins(line->text, line->text_len, begin))
        return false;
    while (skip + len < line->text_len && islower((unsigned char)line->text[skip + len]))
        len++;
    if (!len || (skip + len < line->text_len && line->text[skip + len] != ' '))
        return false;
    snprintf(name, USAGE_NAME, "%.*s", len, line->text + skip);
    return true;
}

bool usage_subcommand(const struct command *command, int i, char name[USAGE_NAME]) {
    const char *at = command->usage;
    char before[USAGE_NAME] = "";
    struct usage_line line = {0};

    while (usage_next(&at, &line)) {
        if (!subcommand_of(&line, command->name, name) || !strcmp(name, before))
            continue;
        if (!i--)
            return true;
        snprintf(before, sizeof before, "%s", name);
    }
    return false;
}
