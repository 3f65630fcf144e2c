#include "core/base/word.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void word_defaults(const struct word *word, void *args) {
    memset(args, 0, word->args_size);
    for (const struct arg_spec *a = word->args; a && a->name; a++) {
        void *at = (char *)args + a->offset;

        switch (a->kind) {
        case ARG_INT:
        case ARG_WORD:
        case ARG_WORDS:
            *(int *)at = (int)a->fallback;
            break;
        case ARG_BYTES:
            *(int64_t *)at = (int64_t)a->fallback;
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

const char *arg_text(enum arg_kind kind, double v, char text[ARG_TEXT]) {
    static const char *const units[] = {"", "KiB", "MiB", "GiB"};
    int unit = 0;

    for (; kind == ARG_BYTES && unit < 3 && v >= 1024 && fmod(v, 1024) <= 0; unit++)
        v /= 1024;
    snprintf(text, ARG_TEXT, kind == ARG_BYTES ? "%.15g%s" : "%.10g%s", v, units[unit]);
    if (kind != ARG_BYTES && strtod(text, NULL) != v) /* 0.99999999999 is not 1 */
        snprintf(text, ARG_TEXT, "%.15g", v);
    return text;
}

const char *range_text(enum arg_kind kind, double min, double max, char text[RANGE_TEXT]) {
    const double tiny = 1e-20;
    const bool above = min > 0 && min < tiny, below = max < 1 && max >= ARG_BELOW_1;
    const bool limited = max > min && !isinf(max);
    char least[ARG_TEXT], most[ARG_TEXT];

    arg_text(kind, above ? 0 : min, least);
    arg_text(kind, below ? 1 : max, most);
    if (limited && !above && !below)
        snprintf(text, RANGE_TEXT, "%s to %s", least, most);
    else if (limited)
        snprintf(text, RANGE_TEXT, "%s %s %s %s", above ? "above" : "at least", least,
                 below ? "and below" : "and at most", most);
    else
        snprintf(text, RANGE_TEXT, "%s %s", above ? "above" : "at least", least);
    return text;
}
