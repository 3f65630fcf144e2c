/* memory.h - the owner of all strings and nodes of one source, and text that grows. Internal to
 * lang. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>

/* Zeroed bytes, aligned for every type, that live as long as *memory (NULL to begin with).
 * NULL with err set (ERR_IO) when the system has no memory; so for all that follow. */
void *lang_take(void **memory, size_t bytes, struct err *err);

/* A copy of text[len], terminated. */
char *lang_copy(void **memory, const char *text, size_t len, struct err *err);

/* The array with room for one element more: itself, or a copy of twice the size when n is 0 or a
 * power of two. Only for arrays that grow by one.
 *   array  [n] elements of elem_bytes bytes; NULL when n is 0 */
void *lang_grow(void **memory, void *array, int n, size_t elem_bytes, struct err *err);

/* Give everything back; *memory becomes NULL. */
void lang_release(void **memory);

/* Text on the heap, terminated once it holds anything; {0} is empty. */
struct text {
    char *data;
    size_t len, size; /* bytes: used, allocated */
};

int text_add(struct text *t, const char *bytes, size_t len, struct err *err);
void text_release(struct text *t);
