/* darknet.h - Darknet's files of weights: int32 major, minor, revision; how many samples were seen,
 * int64 from version 0.2 on, int32 before; then floats to the end, without names or shapes, layer
 * by layer. All are little-endian. Source: github.com/pjreddie/darknet, src/parser.c,
 * load_weights_upto and save_weights_upto. */
#pragma once
#include "core/base/err.h"

#include <stdint.h>

struct darknet {
    int32_t major, minor, revision;
    int64_t seen;
    float *numbers; /* [n]; owned */
    int64_t n;
};

/* Errors: ERR_IO; ERR_DATA for what is too short, or of a version whose layers are transposed. */
int darknet_read(struct darknet *d, const char *path, struct err *err);

/* Write a file of version 0.2.5, whole or not at all; of `d` seen and numbers. Errors: ERR_IO. */
int darknet_write(const struct darknet *d, const char *path, struct err *err);

void darknet_release(struct darknet *d);
