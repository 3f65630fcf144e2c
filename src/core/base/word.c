#include "core/base/word.h"

#include <string.h>

void word_defaults(const struct word *word, void *args) {
    memset(args, 0, word->args_size);
    for (const struct arg_spec *a = word->args; a && a->name; a++) {
        void *at = (char *)args + a->offset;

        switch (a->kind) {
        case ARG_INT:
        case ARG_WORD:
            *(int *)at = (int)a->fallback;
            break;
        case ARG_REAL:
            *(double *)at = a->fallback;
            break;
        case ARG_INTS:
            *(struct ints *)at = (struct ints){1, {(int)a->fallback}};
            break;
        case ARG_INTS_OR_WORD:
            *(struct ints *)at = (struct ints){0, {(int)a->fallback}};
            break;
        case ARG_REALS:
            *(struct reals *)at = (struct reals){1, &a->fallback};
            break;
        case ARG_APPLIED:
            break; /* {NULL, NULL}: not given */
        }
    }
}
