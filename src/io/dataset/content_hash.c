#include "io/dataset/content_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

struct content_hash {
    XXH3_state_t *state; /* aligned as the library wants it */
};

struct content_hash *content_hash_new(void) {
    struct content_hash *hash = malloc(sizeof *hash);

    if (!hash)
        return NULL;
    hash->state = XXH3_createState();
    if (!hash->state) {
        free(hash);
        return NULL;
    }
    XXH3_64bits_reset(hash->state);
    return hash;
}

struct content_hash *content_hash_copy(const struct content_hash *hash) {
    struct content_hash *copy = content_hash_new();

    if (copy)
        XXH3_copyState(copy->state, hash->state);
    return copy;
}

void content_hash_add(struct content_hash *hash, const void *bytes, size_t len) {
    XXH3_64bits_update(hash->state, bytes, len);
}

uint64_t content_hash_value(const struct content_hash *hash) {
    return XXH3_64bits_digest(hash->state);
}

uint64_t content_hash_of(const void *bytes, size_t len) {
    return XXH3_64bits(bytes, len);
}

int content_hash_write(const struct content_hash *hash, struct h5 *file, const char *path,
                       struct err *err) {
    char text[32];

    snprintf(text, sizeof text, "xxh3:%016llx", (unsigned long long)content_hash_value(hash));
    return h5_attr_write_text(file, path, CONTENT_HASH, text, err);
}

void content_hash_free(struct content_hash *hash) {
    if (!hash)
        return;
    XXH3_freeState(hash->state);
    free(hash);
}
