/* pool.h - the owner of small objects made while a job is read and planned: they are asked for one
 * by one and given back all at once. Numbers of training live in arenas instead. */
#pragma once
#include <stddef.h>

struct pool_chunk;

struct pool {
    struct pool_chunk *first;
};

/* Zeroed bytes, aligned for any type. Without memory the program ends, in memory_end: planning
 * needs a few megabytes, and there is nothing sensible left to do without them. */
void *pool_take(struct pool *pool, size_t bytes);

/* A copy of text; of its first len bytes. */
char *pool_copy(struct pool *pool, const char *text, size_t len);

/* printf into the pool. */
char *pool_print(struct pool *pool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for one more element in an array of n elements of `size` bytes each that the pool owns:
 * returns the array, moved when n reaches a power of two. */
void *pool_grow(struct pool *pool, void *array, int n, size_t size);

/* Give everything back. {0} is fine. */
void pool_release(struct pool *pool);
