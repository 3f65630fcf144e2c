/* damage.c - harm to checkpoints, drawn from a seed.
 *   damage flip FILE SEED             one bit of it is another one
 *   damage cut FILE SEED              it loses its end
 *   damage try FILE FLIPS CUTS SEED   so many of both, each on the whole file: does checkpoint_open
 * say so? Ends with 0, or 1 and a line that says which harm was not noticed. */
#include "io/file/file.h"
#include "io/weights/checkpoint.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct damaged {
    const char *path;
    char *bytes; /* [len] of the whole file */
    size_t len;
    uint64_t state; /* of what is drawn */
};

/* splitmix64, Steele, Lea & Flood 2014 */
static size_t draw(struct damaged *d, size_t n) {
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((z ^ z >> 31) % n);
}

/* Without waiting for the disk: nothing else depends on it. */
static void put(const char *path, const char *bytes, size_t len) {
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(bytes, 1, len, file) != len || fclose(file)) {
        perror(path);
        exit(1);
    }
}

static void flip(struct damaged *d, const char *path) {
    const size_t at = draw(d, d->len), bit = draw(d, 8);

    d->bytes[at] = (char)(d->bytes[at] ^ 1 << bit);
    put(path, d->bytes, d->len);
    d->bytes[at] = (char)(d->bytes[at] ^ 1 << bit);
    printf("bit %zu of byte %zu of %zu: ", bit, at, d->len);
}

static void cut(struct damaged *d, const char *path) {
    const size_t len = draw(d, d->len);

    put(path, d->bytes, len);
    printf("%zu bytes of %zu: ", len, d->len);
}

/* Is it noticed, and called damage? */
static void look(const char *path) {
    struct checkpoint *ck = NULL;
    struct err err = {0};

    if (!checkpoint_open(&ck, path, &err) || err.kind != ERR_DATA) {
        printf("%s\n", ck ? "is not noticed" : err.msg);
        exit(1);
    }
    printf("%s\n", err.msg);
}

static void try(struct damaged *d, int flips, int cuts) {
    char *path = file_text("%s.harmed", d->path);

    for (int i = 0; path && i < flips + cuts; i++) {
        if (i < flips)
            flip(d, path);
        else
            cut(d, path);
        look(path);
    }
    if (path)
        unlink(path);
    free(path);
}

int main(int n, char **arg) {
    struct damaged d = {0};
    struct err err = {0};

    if (n < 4 || (!strcmp(arg[1], "try") && n < 6)) {
        fprintf(stderr, "damage: expected flip|cut FILE SEED, or try FILE FLIPS CUTS SEED\n");
        return 64;
    }
    d.path = arg[2];
    d.state = strtoull(arg[n - 1], NULL, 10);
    if (file_read(d.path, &d.bytes, &d.len, &err)) {
        fprintf(stderr, "damage: %s\n", err.msg);
        return 1;
    }
    if (!strcmp(arg[1], "try"))
        try(&d, atoi(arg[3]), atoi(arg[4]));
    else if (!strcmp(arg[1], "flip"))
        flip(&d, d.path);
    else
        cut(&d, d.path);
    free(d.bytes);
    return 0;
}
