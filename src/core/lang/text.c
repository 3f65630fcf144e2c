#include "core/lang/text.h"

#include <string.h>

void text_add(struct text *t, const char *bytes, size_t len) {
    if (t->size - t->len < len + 1) {
        t->size = 2 * (t->len + len + 1);
        char *data = pool_take(t->pool, t->size);
        if (t->len)
            memcpy(data, t->data, t->len);
        t->data = data;
    }
    if (len)
        memcpy(t->data + t->len, bytes, len);
    t->len += len;
    t->data[t->len] = '\0';
}
