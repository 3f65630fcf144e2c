#include "core/math/winograd_parts.h"

#include "core/math/conv_parts.h"

#include <string.h>

enum { LINE = ARENA_ALIGN / sizeof(real) };

struct winograd_squares winograd_x(const struct conv_shape *s) {
    return (struct winograd_squares){.h = s->h, .w = s->w, .c = s->c, .image = conv_x_n(s)};
}

struct winograd_squares winograd_y(const struct conv_shape *s) {
    return (struct winograd_squares){
        .h = s->out_h, .w = s->out_w, .c = s->k, .image = s->out_h * s->out_w * s->k};
}

void winograd_cut(int64_t pad_h, int64_t pad_w, struct winograd_squares *from,
                  struct winograd_squares *to) {
    to->size = WINOGRAD_OUT;
    to->across = winograd_parts(to->w, WINOGRAD_OUT);
    to->per_image = to->across * winograd_parts(to->h, WINOGRAD_OUT);
    from->size = WINOGRAD_IN;
    from->first_h = -pad_h;
    from->first_w = -pad_w;
    from->across = to->across;
    from->per_image = to->per_image;
}

void winograd_square(const struct winograd_squares *q, int64_t i, int64_t *at) {
    const int64_t image = i / q->per_image, row = i % q->per_image / q->across;
    const int64_t i0 = q->first_h + row * WINOGRAD_OUT;
    const int64_t j0 = q->first_w + i % q->across * WINOGRAD_OUT;
    const int64_t corner = image * q->image + (i0 * q->w + j0) * q->c;

    if (i0 >= 0 && j0 >= 0 && i0 + q->size <= q->h && j0 + q->size <= q->w) {
        for (int64_t a = 0; a < q->size; a++)
            for (int64_t b = 0; b < q->size; b++)
                *at++ = corner + (a * q->w + b) * q->c;
        return;
    }
    for (int64_t a = 0; a < q->size; a++)
        for (int64_t b = 0; b < q->size; b++) {
            const bool inside = i0 + a >= 0 && i0 + a < q->h && j0 + b >= 0 && j0 + b < q->w;

            *at++ = inside ? corner + (a * q->w + b) * q->c : -1;
        }
}

struct winograd_layout winograd_layout(int64_t squares, int64_t width) {
    return (struct winograd_layout){width, squares * width + LINE};
}

size_t winograd_layout_bytes(const struct winograd_layout *l, int64_t c) {
    return arena_round((size_t)(winograd_parts(c, l->width) * WINOGRAD_POINTS * l->step) *
                       sizeof(real));
}

/* Up to a vector of channels, zeros beyond, of each pixel of a square. */
static void copy_tail(const real *const *pixel, int64_t n_pixels, int64_t n,
                      real aside[][ISA_MAX_COLS], const real **x) {
    for (int64_t i = 0; i < n_pixels; i++) {
        memset(aside[i], 0, sizeof aside[i]);
        memcpy(aside[i], pixel[i], (size_t)n * sizeof(real));
        x[i] = aside[i];
    }
}

void winograd_transform(const struct isa *isa,
                        void (*transform)(int64_t c, const real *const *x, real *v, int64_t step),
                        const struct winograd_squares *q, const act *from, int64_t first,
                        int64_t begin, int64_t end, const struct winograd_layout *l, real *v) {
    static const real zeros[WINOGRAD_MAX_WIDTH];
    const int64_t n_pixels = q->size * q->size;
    real aside[WINOGRAD_POINTS][ISA_MAX_COLS];
    const real *pixel[WINOGRAD_POINTS];
    int64_t at[WINOGRAD_POINTS];

    for (int64_t i = begin; i < end; i++) {
        winograd_square(q, i, at);
        for (int64_t c = 0; c < q->c; c += l->width) {
            const int64_t len = winograd_part(c, l->width, q->c), whole = len - len % isa->vec_len;
            real *row = v + c / l->width * WINOGRAD_POINTS * l->step + (i - first) * l->width;

            for (int64_t p = 0; p < n_pixels; p++)
                pixel[p] = at[p] < 0 ? zeros : from + at[p] + c;
            transform(whole, pixel, row, l->step);
            if (whole == len)
                continue;
            for (int64_t p = 0; p < n_pixels; p++)
                pixel[p] += whole;
            copy_tail(pixel, n_pixels, len - whole, aside, pixel);
            transform(isa->vec_len, pixel, row + whole, l->step);
        }
    }
}
