#include "core/base/tensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool shape_equal(const struct shape *a, const struct shape *b) {
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

bool shape_fits(const struct shape *s) {
    int64_t len = 1;

    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] < 0 || s->dim[i] > INT32_MAX)
            return false;
        if (s->dim[i] && len > TENSOR_MAX_LEN / s->dim[i])
            return false;
        len *= s->dim[i] ? s->dim[i] : 1;
    }
    return true;
}

const char *shape_text(const struct shape *s, char *text) {
    size_t used = 0;

    text[0] = 0;
    for (int i = 0; i < s->rank && used < SHAPE_TEXT; i++)
        used +=
            (size_t)snprintf(text + used, SHAPE_TEXT - used, "%s%" PRId64, i ? "x" : "", s->dim[i]);
    return text;
}
