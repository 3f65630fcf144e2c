#include "io/import/vocabulary.h"

#include "io/import/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN "<unknown>"

/* A kind of token and how often it occurs. */
struct kind_count {
    struct text_token token;
    int64_t count;
};

static bool in_word(char c) {
    return isalnum((unsigned char)c) || (unsigned char)c > 127;
}

static int add_token(struct text_vocabulary *v, const char *at, size_t len, struct err *err) {
    if (v->n_tokens == v->room) {
        const int64_t room = v->room ? 2 * v->room : 1 << 12;
        struct text_token *grown = realloc(v->token, (size_t)room * sizeof *grown);

        if (!grown)
            return err_set(err, ERR_IO, "out of memory for a text");
        v->token = grown;
        v->room = room;
    }
    v->token[v->n_tokens++] = (struct text_token){at, len};
    return 0;
}

int vocabulary_add(struct text_vocabulary *v, const char *text, size_t len, const char *what,
                   struct err *err) {
    size_t i = utf8_mark(text, len);

    if (utf8_check(text, len, what, err))
        return -1;
    while (i < len) {
        size_t n = utf8_len(text + i, len - i);

        while (v->words && in_word(text[i]) && i + n < len && in_word(text[i + n]))
            n++;
        if ((!v->words || !isspace((unsigned char)text[i])) && add_token(v, text + i, n, err))
            return -1;
        i += n;
    }
    return 0;
}

static int by_bytes(const void *a, const void *b) {
    const struct text_token *x = a, *y = b;
    const int order = memcmp(x->at, y->at, x->len < y->len ? x->len : y->len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static int by_count(const void *a, const void *b) {
    const struct kind_count *x = a, *y = b;

    return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_bytes(&x->token, &y->token);
}

static int by_token(const void *a, const void *b) {
    return by_bytes(&((const struct kind_count *)a)->token, &((const struct kind_count *)b)->token);
}

/* Each kind of token once, by its bytes; their number, or -1 without memory. */
static int64_t count_kinds(const struct text_vocabulary *v, struct kind_count **out) {
    struct text_token *all = malloc((size_t)v->n_tokens * sizeof *all + 1);
    struct kind_count *kind = malloc((size_t)v->n_tokens * sizeof *kind + 1);
    int64_t n = 0;

    *out = kind;
    if (!all || !kind) {
        free(all);
        return -1;
    }
    if (v->n_tokens)
        memcpy(all, v->token, (size_t)v->n_tokens * sizeof *all);
    qsort(all, (size_t)v->n_tokens, sizeof *all, by_bytes);
    for (int64_t i = 0; i < v->n_tokens; i++) {
        if (!n || by_bytes(&kind[n - 1].token, &all[i]))
            kind[n++] = (struct kind_count){.token = all[i]};
        kind[n - 1].count++;
    }
    free(all);
    return n;
}

static int name_kinds(struct text_vocabulary *v, const struct kind_count *kind, int64_t n,
                      bool unknown) {
    v->name = calloc((size_t)n + 1, sizeof *v->name);
    for (v->n = 0; v->name && v->n < n; v->n++)
        if (!(v->name[v->n] = strndup(kind[v->n].token.at, kind[v->n].token.len)))
            return -1;
    if (v->name && unknown && !(v->name[v->n++] = strdup(UNKNOWN)))
        return -1;
    return v->name ? 0 : -1;
}

int vocabulary_settle(struct text_vocabulary *v, int32_t *id, struct err *err) {
    struct kind_count *kind;
    int64_t n = count_kinds(v, &kind);
    const bool unknown = n > VOCABULARY_MOST;
    int status = n < 0;

    if (unknown) {
        qsort(kind, (size_t)n, sizeof *kind, by_count);
        n = VOCABULARY_MOST - 1;
        qsort(kind, (size_t)n, sizeof *kind, by_token);
    }
    if (!status)
        status = name_kinds(v, kind, n, unknown);
    for (int64_t i = 0; !status && i < v->n_tokens; i++) {
        const struct kind_count wanted = {.token = v->token[i]};
        const struct kind_count *found = bsearch(&wanted, kind, (size_t)n, sizeof *kind, by_token);

        id[i] = found ? (int32_t)(found - kind) : v->n - 1;
        v->n_unknown += !found;
    }
    free(kind);
    return status ? err_set(err, ERR_IO, "out of memory for the words of a text") : 0;
}

void vocabulary_release(struct text_vocabulary *v) {
    for (int k = 0; v->name && k < v->n; k++)
        free(v->name[k]);
    free(v->name);
    free(v->token);
    *v = (struct text_vocabulary){0};
}
