/* grid.h - samples side by side in one PNG: each a row of tiles, an image, its mask, what a network
 * made of it. */
#pragma once
#include "core/base/err.h"
#include "io/image/mark.h"

#include <stdint.h>

/* One tensor of a sample, for all samples. */
struct grid_tile {
    int64_t h, w, c;  /* c = 1 or 3 channels; 0: a class map, in the colours of PASCAL VOC */
    float *values;    /* [n, h, w, c], borrowed */
    double low, high; /* values of black and white */
    const struct marks *marks; /* [n_marks] drawn on it, borrowed; boxes in pixels of the tile */
    int n_marks;
};

/* The colour of a class, red, green and blue, as PASCAL VOC has it; white below 0. */
void grid_class_colour(int64_t class, unsigned char rgb[3]);

/* Numbers of one sample. */
int64_t grid_tile_len(const struct grid_tile *t);

/* Black and white become the least and the largest value of n samples. */
void grid_find_range(struct grid_tile *t, int64_t n);

/* Draw n samples of n_tiles tiles each. Small tiles are enlarged.
 *   columns  samples in a row; 0: about as many as rows
 * Errors: ERR_IO. */
int grid_write(const char *file, const struct grid_tile *tile, int n_tiles, int64_t n,
               int64_t columns, struct err *err);
