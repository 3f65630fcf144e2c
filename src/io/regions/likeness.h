/* likeness.h - what a piece of a picture looks like, and how alike two of them are: colour,
 * texture, size and fill.
 * Source: Uijlings, van de Sande, Gevers & Smeulders 2013, doi:10.1007/s11263-013-0620-5, 4.2 */
#pragma once
#include "io/regions/colours.h"

#include <stdint.h>

enum {
    LIKE_COLOURS = 25,  /* bins of a channel */
    LIKE_TURNS = 8,     /* directions of derivatives */
    LIKE_GRADIENTS = 10 /* bins of each */
};
enum {
    LIKE_COLOUR_BINS = COLOUR_MOST_PLANES * LIKE_COLOURS,
    LIKE_TEXTURE_BINS = COLOUR_MOST_PLANES * LIKE_TURNS * LIKE_GRADIENTS
};

/* Which of the four count. */
enum { LIKE_COLOUR = 1, LIKE_TEXTURE = 2, LIKE_SIZE = 4, LIKE_FILL = 8 };

/* A piece. Histograms sum to 1 each; those of absent channels are 0. */
struct portion {
    int64_t size;                     /* pixels */
    int64_t left, top, right, bottom; /* right and bottom exclusive */
    float colour[LIKE_COLOUR_BINS], texture[LIKE_TEXTURE_BINS];
};

/* Describe the pieces of label[height, width], 0 .. n - 1.
 *   planes  [c][height][width] of 0 .. 255, not smoothed
 *   slopes  [2][c][height][width] of them, smoothed by sigma 1: to the right, down */
void pieces_describe(const float *planes, const float *slopes, int c, int64_t height, int64_t width,
                     const int32_t *label, int64_t n, struct portion *out);

/* The two as one. */
void pieces_join(const struct portion *a, const struct portion *b, struct portion *out);

/* The sum of those measures that `which` names, each 0 .. 1, in a picture of so many pixels. */
float pieces_alike(const struct portion *a, const struct portion *b, unsigned which,
                   int64_t picture);
