/* depthwise_kernels.h - struct isa's depthwise_pixels() and depthwise_weights(): one filter for
 * each channel, so that vectors run along the channels and nothing is ever summed across them. */
#pragma once
#include "core/math/isa/vec.h"

/* Channels go by vectors. The last vector ends with the last channel and leaves those alone that
 * the one before it had: lanes that `written` names. Fewer channels than a vector go one by one. */
#ifdef CORE_DOUBLE
typedef int64_t depthwise_mask __attribute__((vector_size(VEC_BYTES)));
#else
typedef int32_t depthwise_mask __attribute__((vector_size(VEC_BYTES)));
#endif

/* Left alone, GCC works out all places of a loop that it unrolls first, and keeps them on the
 * stack. */
#ifdef __GNUC__
#define KEEP_PLACE(p) __asm__("" : "+r"(p))
#else
#define KEEP_PLACE(p) (void)0
#endif

INLINE vec load_lanes(int lanes, const real *p) {
    return lanes == 1 ? (vec){*p} : load(p);
}

INLINE void store_lanes(int lanes, const depthwise_mask *written, real *p, vec v) {
    if (lanes == 1)
        *p = v[0];
    else if (written)
        store(p, (vec)(((depthwise_mask)v & ~*written) | ((depthwise_mask)load(p) & *written)));
    else
        store(p, v);
}

/* All bits of the lanes below n. */
INLINE depthwise_mask lanes_below(int64_t n) {
    depthwise_mask mask;

    for (int i = 0; i < VEC_LEN; i++)
        mask[i] = i < n ? -1 : 0;
    return mask;
}

/* `rows` neighbouring pixels of one piece of the channels, in registers. */
INLINE void tile_taps(int rows, int lanes, const struct isa_depthwise *d, const real *x, int64_t c,
                      vec *acc) {
    for (int64_t i = 0; i < d->taps_h; i++) {
        const real *from = x + i * d->x_tap_h + c, *w = d->w + i * d->w_tap_h + c;

        for (int64_t j = 0; j < d->taps_w; j++, from += d->x_tap_w, w += d->w_tap_w) {
            const vec tap = load_lanes(lanes, w);

            for (int r = 0; r < rows; r++)
                acc[r] += load_lanes(lanes, from + r * d->x_step) * tap;
        }
    }
}

/* The same for `cols` taps side by side that lie as far apart as the pixels: each pixel is read
 * once for all of them. */
INLINE void tile_sliding(int rows, int cols, int lanes, const struct isa_depthwise *d,
                         const real *x, int64_t c, vec *acc) {
    for (int64_t i = 0; i < d->taps_h; i++) {
        const real *from = x + i * d->x_tap_h + c, *w = d->w + i * d->w_tap_h + c;
        vec tap[5];

        for (int j = 0; j < cols; j++)
            tap[j] = load_lanes(lanes, w + j * d->w_tap_w);
        for (int p = 0; p < rows + cols - 1; p++) {
            vec v = load_lanes(lanes, from);

            KEEP(v);
            from += d->x_step;
            KEEP_PLACE(from);
            for (int j = 0; j < cols; j++)
                if (p - j >= 0 && p - j < rows)
                    acc[p - j] += v * tap[j];
        }
    }
}

/* cols: of tile_sliding(), or 0 for any taps. */
INLINE void depthwise_tile(int rows, int cols, int lanes, const depthwise_mask *written,
                           const struct isa_depthwise *d, const real *x, int64_t c, real *y) {
    vec acc[8];

    for (int r = 0; r < rows; r++)
        acc[r] = d->add    ? load_lanes(lanes, y + r * d->y_step + c)
                 : d->init ? load_lanes(lanes, d->init + c)
                           : (vec){0};
    if (cols)
        tile_sliding(rows, cols, lanes, d, x, c, acc);
    else
        tile_taps(rows, lanes, d, x, c, acc);
    for (int r = 0; r < rows; r++)
        store_lanes(lanes, written, y + r * d->y_step + c, acc[r]);
}

/* What the pixels AHEAD of these read for the first time, and where they write: by itself the
 * processor foresees nothing of many short stretches. The share of the channels [c, c + VEC_LEN).
 */
INLINE void depthwise_prefetch(int rows, const struct isa_depthwise *d, const real *x, int64_t c,
                               real *y) {
    enum { AHEAD = 8, LINE = 64 / sizeof(real) };
    const real *from = x + (d->taps_h - 1) * d->x_tap_h + AHEAD * d->x_step;
    const real *to = y + AHEAD * d->y_step;
    const int64_t x_rows = rows * (d->x_step / d->channels);
    const int64_t y_rows = rows * (d->y_step / d->channels);

    for (int64_t i = 0; i < d->fresh_h; i++, from -= d->x_tap_h)
        for (int64_t at = c * x_rows; at < (c + VEC_LEN) * x_rows; at += LINE)
            __builtin_prefetch(from + at, 0, 2);
    for (int64_t at = c * y_rows; at < (c + VEC_LEN) * y_rows; at += LINE)
        __builtin_prefetch(to + at, 1, 2);
}

INLINE void depthwise_tiles(int rows, int cols, const struct isa_depthwise *d, int64_t p) {
    const real *x = d->x + p * d->x_step;
    real *y = d->y + p * d->y_step;
    int64_t c = 0;

    for (; c + VEC_LEN <= d->channels; c += VEC_LEN) {
        depthwise_prefetch(rows, d, x, c, y);
        depthwise_tile(rows, cols, VEC_LEN, NULL, d, x, c, y);
    }
    if (c && c < d->channels) {
        const depthwise_mask written = lanes_below(c + VEC_LEN - d->channels);

        depthwise_tile(rows, cols, VEC_LEN, &written, d, x, d->channels - VEC_LEN, y);
        return;
    }
    for (; c < d->channels; c++)
        depthwise_tile(rows, 0, 1, NULL, d, x, c, y);
}

/* One pixel: y[c] (+)= sum over t < taps of x[t][c] * w[t][c]. */
INLINE void depthwise_taps(int taps, const real *const *x, const real *const *w, const real *init,
                           int64_t channels, const real *next, real *y) {
    int64_t c = 0;

    for (; c + VEC_LEN <= channels; c += VEC_LEN) {
        vec sum = init ? load(init + c) : (vec){0};

        __builtin_prefetch(next + c, 1, 3);

        for (int t = 0; t < taps; t++)
            sum += load(x[t] + c) * load(w[t] + c);
        store(y + c, sum);
    }
    for (; c < channels; c++) {
        real sum = init ? init[c] : 0;

        for (int t = 0; t < taps; t++)
            sum += x[t][c] * w[t][c];
        y[c] = sum;
    }
}

/* One pixel with few taps: the channels innermost, so that memory is read as it lies. */
static void depthwise_pixel(const struct isa_depthwise *d, int64_t p) {
    enum { AHEAD = 2 }; /* pixels to come whose memory is asked for */
    const int64_t taps = d->taps_h * d->taps_w;
    real *y = d->y + p * d->y_step;
    const real *init = d->add ? y : d->init, *next = y + AHEAD * d->y_step;

    int64_t i = 0, j = 0;

    for (int64_t t = 0; t < taps || t == 0; t += 4, init = y) {
        const real *x[4], *w[4];
        const int64_t some = taps - t < 4 ? taps - t : 4;

        for (int64_t k = 0; k < some; k++) {
            x[k] = d->x + p * d->x_step + i * d->x_tap_h + j * d->x_tap_w;
            w[k] = d->w + i * d->w_tap_h + j * d->w_tap_w;
            if (++j == d->taps_w)
                i++, j = 0;
        }
#define CASE(taps)                                                                                 \
    case taps:                                                                                     \
        depthwise_taps(taps, x, w, init, d->channels, next, y);                                    \
        break;
        switch (some) {
            CASE(0)
            CASE(1)
            CASE(2)
            CASE(3)
            CASE(4)
        }
#undef CASE
    }
}

/* One set of taps: eight pixels share the loading of a tap. */
INLINE void depthwise_run(int cols, const struct isa_depthwise *d) {
    int64_t p = 0;

    for (; p + 8 <= d->n; p += 8)
        depthwise_tiles(8, cols, d, p);
    if (d->n - p >= 4) {
        depthwise_tiles(4, cols, d, p);
        p += 4;
    }
    if (d->n - p >= 2) {
        depthwise_tiles(2, cols, d, p);
        p += 2;
    }
    if (d->n - p >= 1)
        depthwise_pixel(d, p);
}

static void depthwise_pixels(int turns, const struct isa_depthwise *all) {
    const struct isa_depthwise d = *all; /* a copy that no store to y can change */
    const bool sliding = d.x_tap_w == d.x_step;

    for (int64_t p = 0; turns > 1 && p < d.n; p++)
        for (int i = 0; i < turns; i++)
            depthwise_pixel(&all[i], p);
    if (turns > 1)
        return;
    if (sliding && d.taps_w == 3)
        depthwise_run(3, &d);
    else if (sliding && d.taps_w == 5)
        depthwise_run(5, &d);
    else
        depthwise_run(0, &d);
}

/* One output at the left or right end of a row: taps that fall outside read zeros. */
INLINE void weights_edge(int rows, int cols, int lanes, const struct isa_depthwise_weights *d,
                         int64_t j, const real *x, const real *dy, vec (*acc)[8]) {
    static const real zeros[VEC_LEN];
    const vec g = load_lanes(lanes, dy + j * d->channels);

    for (int b = 0; b < cols; b++) {
        const int64_t at = d->first + j * d->stride + b * d->dilation;
        const bool inside = at >= 0 && at < d->w;

        for (int a = 0; a < rows; a++)
            acc[a][b] +=
                load_lanes(lanes, inside ? x + a * d->x_tap_h + at * d->channels : zeros) * g;
    }
}

/* Of len numbers that come next, the share of the channels [c, c + VEC_LEN). */
INLINE void prefetch_share(const real *next, int64_t len, int64_t c, int64_t channels) {
    enum { LINE = 64 / sizeof(real) };
    const int64_t each = len / channels;

    for (int64_t at = c * each; at < (c + VEC_LEN) * each; at += LINE)
        __builtin_prefetch(next + at, 0, 2);
}

/* Taps rows x cols of one piece of the channels: their sums stay in registers. */
INLINE void weights_tile(int rows, int cols, int lanes, const depthwise_mask *written,
                         const struct isa_depthwise_weights *d, int64_t c) {
    const int64_t step = d->stride * d->channels, tap = d->dilation * d->channels;
    vec acc[3][8];

    for (int a = 0; a < rows; a++)
        for (int b = 0; b < cols; b++)
            acc[a][b] = (vec){0};
    for (int64_t i = 0; i < d->n_h; i++) {
        const real *x = d->x + i * d->x_row + c, *dy = d->dy + i * d->dy_row + c;

        if (d->ahead && lanes > 1) {
            prefetch_share(d->x + (d->n_h + i) * d->x_row, d->x_row, c, d->channels);
            prefetch_share(d->dy + (d->n_h + i) * d->dy_row, d->dy_row, c, d->channels);
        }
        const real *row[3], *g = dy + d->inner_begin * d->channels;

        for (int64_t j = 0; j < d->inner_begin; j++)
            weights_edge(rows, cols, lanes, d, j, x, dy, acc);
        for (int a = 0; a < rows; a++)
            row[a] = x + a * d->x_tap_h + (d->first + d->inner_begin * d->stride) * d->channels;
        for (int64_t j = d->inner_begin; j < d->inner_end; j++, g += d->channels) {
            const vec slope = load_lanes(lanes, g);

            for (int a = 0; a < rows; a++) {
                for (int b = 0; b < cols; b++)
                    acc[a][b] += load_lanes(lanes, row[a] + b * tap) * slope;
                row[a] += step;
            }
        }
        for (int64_t j = d->inner_end; j < d->n_w; j++)
            weights_edge(rows, cols, lanes, d, j, x, dy, acc);
    }
    for (int a = 0; a < rows; a++)
        for (int b = 0; b < cols; b++) {
            real *dw = d->dw + a * d->dw_tap_h + b * d->channels + c;

            store_lanes(lanes, written, dw, load_lanes(lanes, dw) + acc[a][b]);
        }
}

INLINE void weights_tiles(int rows, int cols, const struct isa_depthwise_weights *d) {
    int64_t c = 0;

    for (; c + VEC_LEN <= d->channels; c += VEC_LEN)
        weights_tile(rows, cols, VEC_LEN, NULL, d, c);
    if (c && c < d->channels) {
        const depthwise_mask written = lanes_below(c + VEC_LEN - d->channels);

        weights_tile(rows, cols, VEC_LEN, &written, d, d->channels - VEC_LEN);
        return;
    }
    for (; c < d->channels; c++)
        weights_tile(rows, cols, 1, NULL, d, c);
}

static void depthwise_weights(const struct isa_depthwise_weights *given) {
    const struct isa_depthwise_weights d = *given; /* a copy that no store to dw can change */

    if (d.rows == 3) {
        weights_tiles(3, 3, &d);
        return;
    }
#define CASE(cols)                                                                                 \
    case cols:                                                                                     \
        weights_tiles(1, cols, &d);                                                                \
        return;
    switch (d.cols) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
    }
#undef CASE
}
