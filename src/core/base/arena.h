/* arena.h - the owner of numbers: one block of memory, handed out from the front.
 * Backed by huge pages where the system gives them and touched once, so that training
 * steps never fault a page in. Nothing is given back before the whole arena is. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>

enum { ARENA_ALIGN = 64 };

struct arena {
    unsigned char *base;
    size_t size, used; /* bytes */
};

/* Round bytes up to the alignment that arena_take uses. */
static inline size_t arena_round(size_t bytes) {
    return (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
}

/* The same between memories that several threads write to: a prefetcher that follows a stride runs
 * tens of KB past the last element read, and takes lines there from the thread that writes them. */
static inline size_t arena_apart(size_t bytes) {
    return arena_round(bytes) + ((size_t)1 << 16);
}

/* Reserve and zero `bytes` bytes; the sum of arena_round() of all that will be taken.
 * Errors: ERR_IO when the system has no memory. */
int arena_init(struct arena *a, size_t bytes, struct err *err);

/* The next bytes, zeroed, 64-byte aligned. Aborts when the arena is exhausted: sizes are planned.
 */
void *arena_take(struct arena *a, size_t bytes);

/* Give all memory back. {0} is fine. */
void arena_release(struct arena *a);
