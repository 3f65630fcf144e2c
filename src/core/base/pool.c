#include "core/base/pool.h"
#include "core/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_chunk {
    struct pool_chunk *next;
    max_align_t data[];
};

void *pool_take(struct pool *pool, size_t bytes) {
    struct pool_chunk *chunk = calloc(1, sizeof *chunk + bytes);

    if (!chunk)
        memory_end(bytes);
    chunk->next = pool->first;
    pool->first = chunk;
    return chunk->data;
}

char *pool_copy(struct pool *pool, const char *text, size_t len) {
    return memcpy(pool_take(pool, len + 1), text, len);
}

char *pool_print(struct pool *pool, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    const int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *text = pool_take(pool, (size_t)len + 1);
    va_start(ap, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, ap);
    va_end(ap);
    return text;
}

void *pool_grow(struct pool *pool, void *array, int n, size_t size) {
    if (n & (n - 1))
        return array; /* room up to the next power of two */
    void *grown = pool_take(pool, (size_t)(n ? 2 * n : 1) * size);
    return n ? memcpy(grown, array, (size_t)n * size) : grown;
}

void pool_release(struct pool *pool) {
    for (struct pool_chunk *next, *c = pool->first; c; c = next) {
        next = c->next;
        free(c);
    }
    *pool = (struct pool){0};
}
