/* patch.h - blocks of an image batch, copied with their padding into a buffer that fits a cache,
 * so that every tap of every output pixel is an offset from the pixel's own. */
#pragma once
#include "core/base/tensor.h"

enum { PATCH_SLOTS = 16 }; /* at most so many threads work on patches at once */

/* Output pixel i and tap t read source pixel first + i * step + t * tap_step. */
struct axis {
    int64_t src; /* pixels of the source */
    int64_t out; /* pixels computed */
    int64_t step, first;
    int64_t taps, tap_step;
};

/* How samples [h.src, w.src, src_c], src_n apart, are cut into blocks of whole samples or of output
 * rows. */
struct patches {
    struct axis h, w;
    int64_t n, src_c;
    int64_t src_n;        /* elements from one sample to the next */
    int64_t c;            /* channels copied */
    int64_t pitch_c;      /* elements from one pixel of a patch to the next, >= c; 0: c */
    int64_t images, rows; /* of a block: images is 1 unless rows is h.out */
};

struct block {
    int64_t n0, n1; /* samples */
    int64_t i0, i1; /* output rows */
};

/* Choose images and rows such that a patch holds about max_len elements, or as many more as it
 * takes to see min_pixels outputs. */
void patches_cut(struct patches *p, int64_t max_len, int64_t min_pixels);

int64_t patches_count(const struct patches *p);
struct block patches_block(const struct patches *p, int64_t index);

/* Output pixels of the largest block. */
static inline int64_t patches_pixels(const struct patches *p) {
    return p->images * p->rows * p->w.out;
}

/* Elements of the largest patch. */
int64_t patches_len(const struct patches *p);

/* Elements from one pixel, and from one row, of a patch to the next. */
static inline int64_t patches_pixel(const struct patches *p) {
    return p->pitch_c ? p->pitch_c : p->c;
}

int64_t patches_pitch(const struct patches *p);

/* Does no window reach beyond the source? Then no copy is needed: its own pixels will do. */
bool patches_inside(const struct patches *p);

/* In place of patches_copy, where patches_inside: offsets in the source itself.
 *   at  [pixels] of channel c0, tap (0, 0) of each output pixel */
int64_t patches_at(const struct patches *p, struct block b, int64_t c0, int64_t *at);

/* Copy channels [c0, c0 + c) of the block's source; zeros where the source ends.
 *   patch  [patches_len]
 *   at     [pixels] the offset in patch of tap (0, 0) of each output pixel
 * Returns the pixels of this block. */
int64_t patches_copy(const struct patches *p, struct block b, const act *src, int64_t c0,
                     real *patch, int64_t *at);
