/* text.h - text that grows. Internal to lang. */
#pragma once
#include "core/base/pool.h"

/* {.pool = pool} is empty. */
struct text {
    struct pool *pool; /* owner of the data */
    char *data;        /* [len], terminated once it holds anything */
    size_t len, size;  /* bytes: used, allocated */
};

/* Add bytes[len] at the end. Cost: amortised, that of copying len bytes. */
void text_add(struct text *t, const char *bytes, size_t len);
