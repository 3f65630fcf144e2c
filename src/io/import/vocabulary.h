/* vocabulary.h - texts to numbers: of each character, or of each word. */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A character or word in a text. */
struct text_token {
    const char *at;
    size_t len;
};

enum { VOCABULARY_MOST = 1 << 15 }; /* numbers, the one for all others among them */

/* {0} is releasable. */
struct text_vocabulary {
    bool words;
    int64_t n_tokens, room;
    struct text_token *token; /* [n_tokens] of all texts that were added, one after another */
    int n;
    char **name;       /* [n] by their bytes; "<unknown>" is the last where some have no number */
    int64_t n_unknown; /* tokens that are none of them */
};

/* Add the tokens of a text, which must live as long; UTF-8. A word is a run of letters, digits and
 * bytes above 127, any other printable character is one by itself.
 * Errors: ERR_IO; ERR_DATA naming `what` where it is no UTF-8. */
int vocabulary_add(struct text_vocabulary *v, const char *text, size_t len, const char *what,
                   struct err *err);

/* Number all tokens: names by frequency where there are too many, in the order of their bytes.
 *   id  [n_tokens] */
int vocabulary_settle(struct text_vocabulary *v, int32_t *id, struct err *err);
void vocabulary_release(struct text_vocabulary *v);
