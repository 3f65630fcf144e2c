#include "core/lang/memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 16384, ALIGN = alignof(max_align_t) };

/* Chunks form a list, newest first; only the newest has room. */
struct chunk {
    struct chunk *older;
    size_t used, size; /* bytes of data */
    alignas(max_align_t) unsigned char data[];
};

static int no_memory(struct err *err, size_t bytes) {
    return err_set(err, ERR_IO, "no memory for %zu bytes of the job's text", bytes);
}

void *lang_take(void **memory, size_t bytes, struct err *err) {
    struct chunk *chunk = *memory;
    size_t need = (bytes + ALIGN - 1) / ALIGN * ALIGN;

    if (!chunk || chunk->size - chunk->used < need) {
        size_t size = need > CHUNK_BYTES ? need : CHUNK_BYTES;
        chunk = calloc(1, sizeof *chunk + size);
        if (!chunk) {
            no_memory(err, size);
            return NULL;
        }
        *chunk = (struct chunk){.older = *memory, .size = size};
        *memory = chunk;
    }
    chunk->used += need;
    return chunk->data + (chunk->used - need);
}

char *lang_copy(void **memory, const char *text, size_t len, struct err *err) {
    char *copy = lang_take(memory, len + 1, err);

    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

void *lang_grow(void **memory, void *array, int n, size_t elem_bytes, struct err *err) {
    if (n & (n - 1))
        return array;
    void *grown = lang_take(memory, (n ? 2 * (size_t)n : 1) * elem_bytes, err);
    if (grown && n)
        memcpy(grown, array, (size_t)n * elem_bytes);
    return grown;
}

void lang_release(void **memory) {
    for (struct chunk *chunk = *memory; chunk;) {
        struct chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
    *memory = NULL;
}

int text_add(struct text *t, const char *bytes, size_t len, struct err *err) {
    if (t->size - t->len < len + 1) {
        size_t size = 2 * (t->len + len + 1);
        char *data = realloc(t->data, size);
        if (!data)
            return no_memory(err, size);
        t->data = data;
        t->size = size;
    }
    if (len)
        memcpy(t->data + t->len, bytes, len);
    t->len += len;
    t->data[t->len] = '\0';
    return 0;
}

void text_release(struct text *t) {
    free(t->data);
    *t = (struct text){0};
}
