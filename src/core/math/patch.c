#include "core/math/patch.h"

#include <string.h>

/* Source pixels under `out` neighbouring outputs. */
static int64_t extent(const struct axis *a, int64_t out) {
    return (out - 1) * a->step + (a->taps - 1) * a->tap_step + 1;
}

static int64_t at_least_one(int64_t v) {
    return v > 1 ? v : 1;
}

static int64_t at_most(int64_t v, int64_t limit) {
    return v < limit ? v : limit;
}

int64_t patches_pitch(const struct patches *p) {
    return extent(&p->w, p->w.out) * p->c;
}

int64_t patches_len(const struct patches *p) {
    return p->images * extent(&p->h, p->rows) * patches_pitch(p);
}

void patches_cut(struct patches *p, int64_t max_len, int64_t min_pixels) {
    const int64_t whole = extent(&p->h, p->h.out);

    for (;; max_len *= 2) {
        const int64_t fit = max_len / patches_pitch(p); /* rows of a patch */

        p->images = 1;
        p->rows = p->h.out;
        if (fit >= whole) {
            p->images = at_least_one(at_most(fit / whole, p->n));
        } else {
            const int64_t most = at_least_one((fit - extent(&p->h, 1)) / p->h.step + 1);
            const int64_t blocks = (p->h.out + most - 1) / most;

            p->rows = (p->h.out + blocks - 1) / blocks; /* of nearly equal size */
        }
        if (patches_pixels(p) >= min_pixels || patches_count(p) <= 1)
            return;
    }
}

static int64_t blocks_per_image(const struct patches *p) {
    return (p->h.out + p->rows - 1) / p->rows;
}

int64_t patches_count(const struct patches *p) {
    return (p->n + p->images - 1) / p->images * blocks_per_image(p);
}

struct block patches_block(const struct patches *p, int64_t index) {
    const int64_t n0 = index / blocks_per_image(p) * p->images;
    const int64_t i0 = index % blocks_per_image(p) * p->rows;

    return (struct block){n0, at_most(n0 + p->images, p->n), i0, at_most(i0 + p->rows, p->h.out)};
}

/* One row of pixels, padded at both ends. */
static void copy_row(const struct patches *p, const act *src, int64_t c0, real *row) {
    const int64_t len = extent(&p->w, p->w.out), first = p->w.first;
    const int64_t begin = at_most(first < 0 ? -first : 0, len);
    const int64_t end = at_most(p->w.src - first, len);

    memset(row, 0, (size_t)(begin * p->c) * sizeof *row);
    if (p->c == p->src_c && begin < end)
        memcpy(row + begin * p->c, src + (first + begin) * p->c,
               (size_t)((end - begin) * p->c) * sizeof *row);
    else
        for (int64_t j = begin; j < end; j++)
            memcpy(row + j * p->c, src + (first + j) * p->src_c + c0, (size_t)p->c * sizeof *row);
    if (end < len) {
        const int64_t from = end > begin ? end : begin;

        memset(row + from * p->c, 0, (size_t)((len - from) * p->c) * sizeof *row);
    }
}

int64_t patches_copy(const struct patches *p, struct block b, const act *src, int64_t c0,
                     real *patch, int64_t *at) {
    const int64_t pitch = patches_pitch(p), height = extent(&p->h, b.i1 - b.i0);
    int64_t n_pixels = 0;

    for (int64_t n = b.n0; n < b.n1; n++) {
        const int64_t image = (n - b.n0) * height * pitch;

        for (int64_t i = 0; i < height; i++) {
            const int64_t from = p->h.first + b.i0 * p->h.step + i;

            if (from < 0 || from >= p->h.src)
                memset(patch + image + i * pitch, 0, (size_t)pitch * sizeof *patch);
            else
                copy_row(p, src + n * p->src_n + from * p->w.src * p->src_c, c0,
                         patch + image + i * pitch);
        }
        for (int64_t i = 0; i < b.i1 - b.i0; i++)
            for (int64_t j = 0; j < p->w.out; j++)
                at[n_pixels++] = image + i * p->h.step * pitch + j * p->w.step * p->c;
    }
    return n_pixels;
}
