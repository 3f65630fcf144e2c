/* winograd_parts.h - what winograd*.c share: images in squares, and matrices of them, transformed.
 */
#pragma once
#include "core/base/arena.h"
#include "core/math/isa/isa.h"
#include "core/math/winograd.h"

enum { WINOGRAD_OUT = 4, WINOGRAD_IN = 6, WINOGRAD_POINTS = 36, WINOGRAD_TAPS = 9 };
enum { WINOGRAD_MAX_WIDTH = 64 }; /* of a layout */

/* An image batch in squares of size x size pixels, WINOGRAD_OUT apart: square i of the outputs is
 * computed from square i of the inputs. */
struct winograd_squares {
    int64_t h, w, c;                /* of an image */
    int64_t image;                  /* elements from one image to the next */
    int64_t size, first_h, first_w; /* pixels; where the first square begins */
    int64_t across, per_image;      /* squares in a row, and in an image */
};

/* Transformed squares: for each `width` channels a panel of 36 matrices [squares, width], one for
 * each point, `step` elements apart. */
struct winograd_layout {
    int64_t width, step;
};

/* The input and the output of a convolution, not yet cut into squares. */
struct winograd_squares winograd_x(const struct conv_shape *s);
struct winograd_squares winograd_y(const struct conv_shape *s);

/* Cut `to`, and `from`, which has so many rows of zeros above and columns on the left. */
void winograd_cut(int64_t pad_h, int64_t pad_w, struct winograd_squares *from,
                  struct winograd_squares *to);

/* Where the pixels of square i are, in elements from the first image; -1: outside the image. */
void winograd_square(const struct winograd_squares *q, int64_t i, int64_t *at);

/* Steps that are powers of 2 would put all 36 matrices into the same lines of a cache. */
struct winograd_layout winograd_layout(int64_t squares, int64_t width);
size_t winograd_layout_bytes(const struct winograd_layout *l, int64_t c);

static inline int64_t winograd_parts(int64_t len, int64_t size) {
    return (len + size - 1) / size;
}

static inline int64_t winograd_part(int64_t begin, int64_t size, int64_t len) {
    return len - begin < size ? len - begin : size;
}

/* Squares [begin, end) into rows [begin - first, end - first) of v.
 *   transform  isa->winograd.input or .gradient */
void winograd_transform(const struct isa *isa,
                        void (*transform)(int64_t c, const real *const *x, real *v, int64_t step),
                        const struct winograd_squares *q, const act *from, int64_t first,
                        int64_t begin, int64_t end, const struct winograd_layout *l, real *v);

size_t winograd_weights_scratch_bytes(const struct conv_shape *s);
