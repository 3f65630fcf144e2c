#include "core/math/patch.h"

#include <string.h>

/* Source pixels under `out` neighbouring outputs. */
static int64_t extent(const struct axis *a, int64_t out) {
    return (out - 1) * a->step + (a->taps - 1) * a->tap_step + 1;
}

/* The same in a patch, which leaves out what lies between single taps. */
static int64_t kept(const struct axis *a, int64_t out) {
    return a->taps == 1 ? out : extent(a, out);
}

/* Pixels of a patch from one output to the next, and of the source from one of a patch's to the
 * next. */
static int64_t step(const struct axis *a) {
    return a->taps == 1 ? 1 : a->step;
}

static int64_t stretch(const struct axis *a) {
    return a->taps == 1 ? a->step : 1;
}

static int64_t at_least_one(int64_t v) {
    return v > 1 ? v : 1;
}

static int64_t at_most(int64_t v, int64_t limit) {
    return v < limit ? v : limit;
}

int64_t patches_pitch(const struct patches *p) {
    return kept(&p->w, p->w.out) * patches_pixel(p);
}

int64_t patches_len(const struct patches *p) {
    return p->images * kept(&p->h, p->rows) * patches_pitch(p);
}

void patches_cut(struct patches *p, int64_t max_len, int64_t min_pixels) {
    const int64_t whole = kept(&p->h, p->h.out);

    for (;; max_len *= 2) {
        const int64_t fit = max_len / patches_pitch(p); /* rows of a patch */

        p->images = 1;
        p->rows = p->h.out;
        if (fit >= whole) {
            p->images = at_least_one(at_most(fit / whole, p->n));
        } else {
            const int64_t most = at_least_one((fit - kept(&p->h, 1)) / step(&p->h) + 1);
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

/* Pixels of one row that lie side by side in the source, padded at both ends. */
static void copy_side_by_side(const struct patches *p, const act *src, int64_t c0, real *row) {
    const int64_t len = kept(&p->w, p->w.out), first = p->w.first, pixel = patches_pixel(p);
    const int64_t begin = at_most(first < 0 ? -first : 0, len);
    const int64_t end = at_most(p->w.src - first, len);

    memset(row, 0, (size_t)(begin * pixel) * sizeof *row);
    if (pixel == p->src_c && p->c == p->src_c && begin < end)
        memcpy(row + begin * p->c, src + (first + begin) * p->c,
               (size_t)((end - begin) * p->c) * sizeof *row);
    else
        for (int64_t j = begin; j < end; j++)
            memcpy(row + j * pixel, src + (first + j) * p->src_c + c0, (size_t)p->c * sizeof *row);
    if (end < len) {
        const int64_t from = end > begin ? end : begin;

        memset(row + from * pixel, 0, (size_t)((len - from) * pixel) * sizeof *row);
    }
}

static void copy_row(const struct patches *p, const act *src, int64_t c0, real *row) {
    if (stretch(&p->w) == 1) {
        copy_side_by_side(p, src, c0, row);
        return;
    }
    for (int64_t j = 0; j < p->w.out; j++, row += patches_pixel(p)) {
        const int64_t from = p->w.first + j * p->w.step;

        if (from < 0 || from >= p->w.src)
            memset(row, 0, (size_t)p->c * sizeof *row);
        else
            memcpy(row, src + from * p->src_c + c0, (size_t)p->c * sizeof *row);
    }
}

static bool inside(const struct axis *a) {
    return a->first >= 0 && a->first + extent(a, a->out) <= a->src;
}

bool patches_inside(const struct patches *p) {
    return inside(&p->h) && inside(&p->w);
}

int64_t patches_at(const struct patches *p, struct block b, int64_t c0, int64_t *at) {
    int64_t n_pixels = 0;

    for (int64_t n = b.n0; n < b.n1; n++)
        for (int64_t i = b.i0; i < b.i1; i++) {
            const int64_t row = (p->h.first + i * p->h.step) * p->w.src + p->w.first;

            for (int64_t j = 0; j < p->w.out; j++)
                at[n_pixels++] = n * p->src_n + (row + j * p->w.step) * p->src_c + c0;
        }
    return n_pixels;
}

int64_t patches_copy(const struct patches *p, struct block b, const act *src, int64_t c0,
                     real *patch, int64_t *at) {
    const int64_t pitch = patches_pitch(p), height = kept(&p->h, b.i1 - b.i0);
    int64_t n_pixels = 0;

    for (int64_t n = b.n0; n < b.n1; n++) {
        const int64_t image = (n - b.n0) * height * pitch;

        for (int64_t i = 0; i < height; i++) {
            const int64_t from = p->h.first + b.i0 * p->h.step + i * stretch(&p->h);

            if (from < 0 || from >= p->h.src)
                memset(patch + image + i * pitch, 0, (size_t)pitch * sizeof *patch);
            else
                copy_row(p, src + n * p->src_n + from * p->w.src * p->src_c, c0,
                         patch + image + i * pitch);
        }
        for (int64_t i = 0; i < b.i1 - b.i0; i++)
            for (int64_t j = 0; j < p->w.out; j++)
                at[n_pixels++] =
                    image + i * step(&p->h) * pitch + j * step(&p->w) * patches_pixel(p);
    }
    return n_pixels;
}
