#define _DEFAULT_SOURCE
#include "core/base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

int arena_init(struct arena *a, size_t bytes, struct err *err) {
    const size_t size = (bytes + HUGE_PAGE) / HUGE_PAGE * HUGE_PAGE;
    unsigned char *base =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED)
        return err_set(err, ERR_IO, "not enough memory: %.1f MiB are needed",
                       (double)bytes / (1 << 20));
    madvise(base, size, MADV_HUGEPAGE);
    memset(base, 0, size);
    *a = (struct arena){base, size, 0};
    return 0;
}

void *arena_take(struct arena *a, size_t bytes) {
    unsigned char *p = a->base + a->used;

    bytes = arena_round(bytes);
    if (bytes > a->size - a->used) {
        fprintf(stderr, "arena: %zu bytes taken of %zu, %zu more asked for\n", a->used, a->size,
                bytes);
        abort();
    }
    a->used += bytes;
    return p;
}

void arena_release(struct arena *a) {
    if (a->base)
        munmap(a->base, a->size);
    *a = (struct arena){0};
}
