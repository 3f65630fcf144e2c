#include "core/lang/lexer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ctype.h follows the locale; a job reads the same everywhere. */
static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c) {
    return is_letter(c) || is_digit(c);
}

bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool same(const char *start, size_t len, const char *word) {
    return strlen(word) == len && !memcmp(start, word, len);
}

bool is_name(const char *text, size_t len) {
    if (!len || !is_letter(*text))
        return false;
    for (size_t i = 1; i < len; i++)
        if (!is_word(text[i]))
            return false;
    return !same(text, len, "and") && !same(text, len, "or") && !same(text, len, "not");
}

bool token_is(const struct token *token, const char *name) {
    return token->kind == TOKEN_NAME && same(token->start, (size_t)token->len, name);
}

const char *found_text(const char *start, int len, char text[FOUND_TEXT]) {
    const int room = FOUND_TEXT - 6; /* quotes, dots and the terminator */
    const bool cut = len > room;
    int n = 0;

    text[n++] = '\'';
    for (int i = 0; i < (cut ? room : len); i++)
        text[n++] = (unsigned char)start[i] < ' ' || start[i] == 127 ? '?' : start[i];
    snprintf(text + n, (size_t)(FOUND_TEXT - n), "%s'", cut ? "..." : "");
    return text;
}

/* Length of the string at s with both quotes, or 0 if it does not end on its line. */
static size_t string_len(const char *s) {
    for (size_t i = 1; s[i] && s[i] != '\n'; i++) {
        if (s[i] == '"')
            return i + 1;
        if (s[i] == '\\' && (s[i + 1] == '"' || s[i + 1] == '\\'))
            i++;
    }
    return 0;
}

size_t uncommented_len(const char *line) {
    size_t i = 0;

    while (line[i] && !(line[i] == ';' && (i == 0 || is_blank(line[i - 1])))) {
        size_t quoted = line[i] == '"' ? string_len(line + i) : 0;
        i += quoted ? quoted : 1;
    }
    while (i && is_blank(line[i - 1]))
        i--;
    return i;
}

/* Length of the well-formed number at s. */
static size_t number_len(const char *s) {
    size_t i = 0;

    while (is_digit(s[i]))
        i++;
    if (s[i] == '.' && is_digit(s[i + 1]))
        for (i++; is_digit(s[i]);)
            i++;
    if (s[i] == 'e' || s[i] == 'E') {
        size_t digits = i + 1 + (s[i + 1] == '+' || s[i + 1] == '-');
        if (is_digit(s[digits]))
            for (i = digits; is_digit(s[i]);)
                i++;
    }
    return i;
}

enum { N_UNITS = 6 };
static const char *const unit_names[N_UNITS] = {"KiB", "MiB", "GiB", "KB", "MB", "GB"};
static const double unit_bytes[N_UNITS] = {0x1p10, 0x1p20, 0x1p30, 1e3, 1e6, 1e9};

/* What the word at s multiplies the number before it by; 0: it is no unit. */
static double unit_at(const char *s, size_t len) {
    for (int i = 0; i < N_UNITS; i++)
        if (same(s, len, unit_names[i]))
            return unit_bytes[i];
    return 0;
}

/* The unit that differs in upper and lower case only, or NULL. */
static const char *nearest_unit(const char *s, size_t len) {
    enum { CASE = 'a' ^ 'A' };

    for (int i = 0; i < N_UNITS; i++) {
        size_t n = 0;
        while (n < len && is_letter(s[n]) && (s[n] | CASE) == (unit_names[i][n] | CASE))
            n++;
        if (n == len && !unit_names[i][n])
            return unit_names[i];
    }
    return NULL;
}

static int number(struct token *t, struct err *err) {
    size_t len = number_len(t->start), bad = len;
    char found[FOUND_TEXT];

    while (is_word(t->start[bad]) || t->start[bad] == '.')
        bad++;
    const double unit = unit_at(t->start + len, bad - len);
    if (bad > len && unit <= 0) {
        const char *near = nearest_unit(t->start + len, bad - len);
        return pos_error(err, t->pos, "found %s, expected a number%s%s%s",
                         found_text(t->start, (int)bad, found), near ? "; did you mean '" : "",
                         near ? near : "", near ? "'?" : "");
    }
    t->kind = TOKEN_NUMBER;
    t->len = (int)bad;
    t->number = strtod(t->start, NULL) * (unit > 0 ? unit : 1);
    if (isinf(t->number))
        return pos_error(err, t->pos, "found %s, expected a number below 1.8e308",
                         found_text(t->start, t->len, found));
    return 0;
}

static int string(struct token *t, const char *end, struct err *err) {
    size_t len = string_len(t->start);
    struct pos pos = t->pos;

    if (!len) {
        len = strcspn(t->start, "\n");
        pos.column += (int)len;
        return pos_error(err, pos, "found %s, expected '\"' to close the string at column %d",
                         t->start[len] ? "end of line" : end, t->pos.column);
    }
    for (size_t i = 1; i < len - 1; i++)
        if (t->start[i] == '\\' && t->start[++i] != '"' && t->start[i] != '\\') {
            pos.column += (int)i - 1;
            return pos_error(err, pos, "found '\\%c' in a string, expected \\\" or \\\\",
                             (unsigned char)t->start[i] < ' ' ? '?' : t->start[i]);
        }
    t->kind = TOKEN_STRING;
    t->len = (int)len;
    return 0;
}

static int sign(struct token *t, struct err *err) {
    static const char single[] = "()[],.|+-*/^=<>";
    const char c = *t->start;
    char found[FOUND_TEXT];
    int len = 1;

    if (t->start[1] == '=' && strchr("<>=!", c)) {
        t->kind = c == '<' ? TOKEN_LE : c == '>' ? TOKEN_GE : c == '=' ? TOKEN_EQ : TOKEN_NE;
        t->len = 2;
        return 0;
    }
    if (!strchr(single, c)) {
        while ((t->start[len] & 0xc0) == 0x80) /* the rest of one UTF-8 character */
            len++;
        return pos_error(err, t->pos, "found %s, expected a name, a number or one of %s",
                         found_text(t->start, len, found), single);
    }
    t->kind = (unsigned char)c;
    t->len = 1;
    return 0;
}

int lexer_next(struct lexer *lexer, struct token *out, struct err *err) {
    const char *s = lexer->at;
    int status = 0;

    for (; is_blank(*s); s++) {
        lexer->pos.column = *s == '\n' ? 1 : lexer->pos.column + 1;
        lexer->pos.line += *s == '\n';
    }
    *out = (struct token){.kind = TOKEN_END, .start = s, .pos = lexer->pos};
    if (is_letter(*s)) {
        out->kind = TOKEN_NAME;
        while (is_word(s[out->len]))
            out->len++;
    } else if (is_digit(*s) || (*s == '.' && is_digit(s[1]))) {
        status = number(out, err);
    } else if (*s == '"') {
        status = string(out, lexer->end, err);
    } else if (*s) {
        status = sign(out, err);
    }
    lexer->at = s + out->len;
    lexer->pos.column += out->len;
    return status;
}
