/* segment.h - a picture cut into pieces of like colour by a graph of its pixels.
 * Source: Felzenszwalb & Huttenlocher 2004, doi:10.1023/B:VISI.0000022288.19776.77 */
#pragma once
#include "core/base/err.h"

#include <stdint.h>

struct segment_options {
    double sigma;  /* of the Gaussian that smooths the picture first; 0: none */
    double k;      /* tau(C) = k / |C|: larger pieces for a larger k */
    int64_t least; /* pixels of a piece; smaller ones join their most similar neighbour */
};

/* planes[c][height][width], values of about 0 .. 255, which are smoothed in place, into
 * label[height, width], 0 .. *n - 1 in the order of their first pixels. Neighbours are eight; edges
 * of equal weight come in the order of their pixels. Errors: ERR_IO without memory. */
int segment_picture(float *planes, int c, int64_t height, int64_t width,
                    const struct segment_options *options, int32_t *label, int64_t *n,
                    struct err *err);

/* Smooth planes[c][height][width] by a Gaussian of sigma, in place; beyond the edges the picture
 * goes on as at them. Errors: ERR_IO without memory. */
int segment_smooth(float *planes, int c, int64_t height, int64_t width, double sigma,
                   struct err *err);
