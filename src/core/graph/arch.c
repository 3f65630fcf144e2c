/* arch.c - networks in the notation of lecture notes: arch("C64 B R P C128 B R G L10") is a net of
 * that chain. C conv 3x3, B batch norm, R ReLU, P 2x2 max-pool, G global average pool, L linear
 * (after a flatten where the images have not been pooled away), D dropout. */
#include "core/graph/build.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* One word of the notation as a call. *flat: is the value [n, c] by now? NULL: not a word. */
static const char *translate(struct pool *pool, const char *word, bool *flat) {
    char *end = NULL;
    const double number = word[1] ? strtod(word + 1, &end) : 0;
    const bool numbered = word[1] && end && !*end && number > 0;
    const bool whole = numbered && number <= 1 << 24 && number == (double)(int)number;

    if (word[1] && !numbered)
        return NULL;
    switch (word[0]) {
    case 'C':
        return whole ? pool_print(pool, "conv(%d)", (int)number) : NULL;
    case 'L': {
        const char *flatten = *flat ? "" : "flatten | ";
        *flat = true;
        return whole ? pool_print(pool, "%slinear(%d)", flatten, (int)number) : NULL;
    }
    case 'D':
        return pool_print(pool, "dropout(%g)", numbered ? number : 0.5);
    case 'B':
        return numbered ? NULL : "bn";
    case 'R':
        return numbered ? NULL : "relu";
    case 'P':
        return numbered ? NULL : "maxpool(2)";
    case 'G':
        *flat = true;
        return numbered ? NULL : "global_avgpool";
    default:
        return NULL;
    }
}

int build_arch(struct builder *b, const struct expr *e, const struct value *piped,
               struct value *out, struct err *err) {
    struct pool *pool = &b->config->model->pool;
    struct section *s = pool_take(pool, sizeof *s);
    const char *chain = "image";
    bool flat = false;

    (void)piped;
    if (e->n_args != 1 || e->args[0].value->kind != EXPR_STRING)
        return pos_error(err, e->pos, "arch takes one string, as in arch(\"C64 B R G L10\")");
    const char *text = e->args[0].value->text;
    for (const char *at = text; *at;) {
        const size_t len = strcspn(at, " \t");
        if (len) {
            const char *word = pool_copy(pool, at, len), *call = translate(pool, word, &flat);
            if (!call)
                return pos_error(err, e->args[0].value->pos,
                                 "arch: found '%s', expected C<channels>, B, R, P, G, D<p> or "
                                 "L<channels>",
                                 word);
            chain = pool_print(pool, "%s | %s", chain, call);
        }
        at += len + strspn(at + len, " \t");
    }
    struct section_param *image = pool_take(pool, sizeof *image);
    struct entry *chain_entry = pool_take(pool, sizeof *chain_entry);
    *image = (struct section_param){.name = "image", .pos = e->pos};
    *chain_entry = (struct entry){
        .key = "out", .value = chain, .key_pos = e->pos, .pos = e->pos, .raw = chain};
    *s = (struct section){.kind = "net",
                          .name = "arch",
                          .params = image,
                          .n_params = 1,
                          .entries = chain_entry,
                          .n_entries = 1,
                          .pos = e->pos};
    *out = build_net_value(b, s, e->pos);
    return 0;
}
