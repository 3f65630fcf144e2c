/* search.h - selective search: boxes of a picture that may hold something, without a network.
 * Source: Uijlings, van de Sande, Gevers & Smeulders 2013, doi:10.1007/s11263-013-0620-5 */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct search_options {
    bool quality;  /* five colour spaces, four measures, four scales of pieces; otherwise, as the
                      paper's "fast", two of each */
    int64_t most;  /* boxes that are wanted */
    uint64_t seed; /* of the order of boxes that were found about as late */
    uint64_t sample;
};

/* A box: x1, y1, x2, y2 in pixels, x2 and y2 exclusive. */
struct search_box {
    int32_t at[4];
    double place; /* in the order */
};

/* The boxes of pixels[height, width, channels], 1 grey or 3 red, green, blue: those first that were
 * joined last, each times a random number, every box once. *out is malloc'd, *n at most
 * options->most. Errors: ERR_IO without memory. */
int regions_search(const unsigned char *pixels, int64_t height, int64_t width, int channels,
                   const struct search_options *options, struct search_box **out, int64_t *n,
                   struct err *err);
