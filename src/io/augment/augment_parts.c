#include "io/augment/augment_parts.h"

#include <math.h>
#include <string.h>

int augment_size(const char *name, const struct ints *size, int64_t *height, int64_t *width,
                 struct err *err) {
    if (size->n > 2)
        return err_set(err, ERR_CONFIG,
                       "%s: size is a list of %d numbers, expected one or [height, width]", name,
                       size->n);
    *height = ints_at(size, 0);
    *width = ints_at(size, 1);
    return 0;
}

int augment_plan_same(const void *args, bool training, const struct augment_source *source,
                      struct augment_stage *stage, struct err *err) {
    (void)args, (void)training, (void)source, (void)stage, (void)err;
    return 0;
}

int augment_refuse_many(const char *name, struct err *err) {
    return err_set(err, ERR_CONFIG,
                   "%s: the images have many sizes; begin with random_resized_crop(224), "
                   "resize(224) or resize(short=256) | center_crop(224)",
                   name);
}

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

static void fill(float *out, int64_t len, float value) {
    for (int64_t i = 0; i < len; i++)
        out[i] = value;
}

void augment_crop(const struct augment_call *call, const struct augment_box *box) {
    const int64_t h = call->in_shape.dim[0], w = call->in_shape.dim[1], c = call->in_shape.dim[2];
    const int64_t from = clamp(box->left, 0, w), to = clamp(box->left + box->width, 0, w);
    const int64_t row = box->width * c, before = (from - box->left) * c, len = (to - from) * c;
    const float outside = augment_fill(call);
    float *out = call->out;

    for (int64_t i = box->top; i < box->top + box->height; i++, out += row) {
        if (i < 0 || i >= h || len <= 0) {
            fill(out, row, outside);
            continue;
        }
        fill(out, before, outside);
        memcpy(out + before, call->in + (i * w + from) * c, (size_t)len * sizeof *out);
        fill(out + before + len, row - before - len, outside);
    }
}

static int64_t beyond_edges(int64_t i, int64_t len, enum augment_beyond beyond) {
    if (beyond == AUGMENT_EDGE)
        return clamp(i, 0, len - 1);
    return i < 0 ? -i : i >= len ? 2 * (len - 1) - i : i;
}

void augment_crop_filled(const struct augment_call *call, const struct augment_box *box,
                         enum augment_beyond beyond) {
    const int64_t h = call->in_shape.dim[0], w = call->in_shape.dim[1], c = call->in_shape.dim[2];
    float *out = call->out;

    if (beyond == AUGMENT_ZEROS) {
        augment_crop(call, box);
        return;
    }
    for (int64_t i = box->top; i < box->top + box->height; i++)
        for (int64_t j = box->left; j < box->left + box->width; j++, out += c)
            memcpy(out,
                   call->in + (beyond_edges(i, h, beyond) * w + beyond_edges(j, w, beyond)) * c,
                   (size_t)c * sizeof *out);
}

/* Add weight times the pixel (i, j) of in; nothing beyond the edges. */
static void add_pixel(const struct augment_call *c, int64_t i, int64_t j, float weight,
                      float *out) {
    const int64_t h = c->in_shape.dim[0], w = c->in_shape.dim[1], n = c->in_shape.dim[2];

    if (weight == 0 || i < 0 || i >= h || j < 0 || j >= w)
        return;
    for (int64_t ch = 0; ch < n; ch++)
        out[ch] += weight * c->in[(i * w + j) * n + ch];
}

void augment_fetch(const struct augment_call *c, double y, double x, float *out) {
    const int64_t h = c->in_shape.dim[0], w = c->in_shape.dim[1], n = c->in_shape.dim[2];

    if (augment_is_map(c)) {
        const int64_t i = (int64_t)floor(y + 0.5), j = (int64_t)floor(x + 0.5);
        const bool inside = i >= 0 && i < h && j >= 0 && j < w;

        for (int64_t ch = 0; ch < n; ch++)
            out[ch] = inside ? c->in[(i * w + j) * n + ch] : augment_fill(c);
        return;
    }
    const int64_t y0 = (int64_t)floor(y), x0 = (int64_t)floor(x);
    const float down = (float)(y - (double)y0), right = (float)(x - (double)x0);

    fill(out, n, 0);
    add_pixel(c, y0, x0, (1 - down) * (1 - right), out);
    add_pixel(c, y0, x0 + 1, (1 - down) * right, out);
    add_pixel(c, y0 + 1, x0, down * (1 - right), out);
    add_pixel(c, y0 + 1, x0 + 1, down * right, out);
}

struct augment_piece augment_piece_of(const struct augment_box *box) {
    return (struct augment_piece){(double)box->top,
                                  (double)box->left,
                                  (double)box->height,
                                  (double)box->width,
                                  *box,
                                  box->height,
                                  box->width,
                                  false,
                                  0,
                                  {0, 0, box->height, box->width}};
}

/* One direction of a piece: outputs lie at begin + (i + 0.5) * extent / out_len of in_len inputs.
 */
struct resample_side {
    int64_t out_len, in_len;
    double begin, extent;
};

/* Which inputs an output is the weighted mean of, along one side. */
struct resample_taps {
    double centre, stretch;
    int64_t from, to;
};

/* Of output i. */
static struct resample_taps taps_of(const struct resample_side *s, int64_t i) {
    const double scale = s->extent / (double)s->out_len, stretch = scale > 1 ? scale : 1;
    const double centre = s->begin + ((double)i + 0.5) * scale;

    return (struct resample_taps){centre, stretch,
                                  clamp((int64_t)(centre - stretch + 0.5), 0, s->in_len),
                                  clamp((int64_t)(centre + stretch + 0.5), 0, s->in_len)};
}

/* The most taps that an output has. */
static int64_t most_taps(int64_t out_len, int64_t in_len) {
    return 2 * ((in_len + out_len - 1) / out_len) + 2;
}

/* weight[to - from], whose sum is 1. */
static void weigh(const struct resample_taps *t, float *weight) {
    const int64_t n = t->to - t->from;
    double sum = 0;

    for (int64_t k = 0; k < n; k++) {
        const double far = fabs(((double)(t->from + k) + 0.5 - t->centre) / t->stretch);

        weight[k] = far < 1 ? (float)(1 - far) : 0;
        sum += (double)weight[k];
    }
    for (int64_t k = 0; k < n; k++)
        weight[k] = (float)((double)weight[k] / sum);
}

/* The image may be seen in a part of `out` alone: the most that any part of it needs. */
int64_t augment_resample_scratch(const struct shape *in, const struct shape *out) {
    return in->dim[1] * in->dim[2] + 2 * (in->dim[0] + 2) + 2 * in->dim[1] + 4 * out->dim[1];
}

/* One line of [in_len, c] inputs to out_len outputs; weight as augment_resample lays them out. */
static void resample_line(const struct resample_side *s, const float *line, int64_t c,
                          const float *weight, float *out) {
    const int64_t stride = most_taps(s->out_len, s->in_len);

    for (int64_t j = 0; j < s->out_len; j++, out += c, weight += stride) {
        const struct resample_taps x = taps_of(s, j);
        const float *in = line + x.from * c;

        for (int64_t ch = 0; ch < c; ch++)
            out[ch] = weight[0] * in[ch];
        for (int64_t k = 1; k < x.to - x.from; k++)
            for (int64_t ch = 0; ch < c; ch++)
                out[ch] += weight[k] * in[k * c + ch];
    }
}

/* The input that output i is nearest to. */
static int64_t nearest_of(const struct resample_side *s, int64_t i) {
    const double at = s->begin + ((double)i + 0.5) * s->extent / (double)s->out_len;

    return clamp((int64_t)at, 0, s->in_len - 1);
}

/* Nothing between two classes is a class.
 *   row  numbers of a line of out */
static void resample_nearest(const struct augment_call *c, const struct augment_box *bound,
                             const struct resample_side *down, const struct resample_side *across,
                             float *out, int64_t row) {
    const int64_t w = c->in_shape.dim[1], n = c->in_shape.dim[2];

    for (int64_t i = 0; i < down->out_len; i++, out += row)
        for (int64_t j = 0; j < across->out_len; j++) {
            const int64_t y = bound->top + nearest_of(down, i);
            const int64_t x = bound->left + nearest_of(across, j);

            memcpy(out + j * n, c->in + (y * w + x) * n, (size_t)n * sizeof *out);
        }
}

/* What is beyond the image, everywhere, where a piece does not fill c->out. */
static void fill_around(const struct augment_call *c, const struct augment_piece *p) {
    if (p->inner.height < c->out_shape.dim[0] || p->inner.width < c->out_shape.dim[1])
        fill(c->out, shape_len(&c->out_shape),
             c->source->role == AUGMENT_IMAGE ? p->value : augment_fill(c));
}

/* Lines first, as they are contiguous: each output line is a weighted sum of input lines, which is
 * then resampled itself. scratch: that line, its weights, and the weights of every column. */
static void resample_inner(const struct augment_call *call, const struct augment_piece *piece) {
    const struct augment_box *box = &piece->bound;
    const struct resample_side down = {piece->inner.height, box->height,
                                       piece->top - (double)box->top, piece->height};
    const struct resample_side across = {piece->inner.width, box->width,
                                         piece->left - (double)box->left, piece->width};
    const int64_t w = call->in_shape.dim[1], c = call->in_shape.dim[2], row = box->width * c;
    const int64_t stride = most_taps(across.out_len, across.in_len);
    const int64_t out_row = call->out_shape.dim[1] * c;
    float *scratch = call->scratch;
    float *out = call->out + piece->inner.top * out_row + piece->inner.left * c;
    float *line_weight = scratch + row;
    float *column_weight = line_weight + most_taps(down.out_len, down.in_len);

    if (augment_is_map(call)) {
        resample_nearest(call, box, &down, &across, out, out_row);
        return;
    }
    for (int64_t j = 0; j < across.out_len; j++) {
        const struct resample_taps x = taps_of(&across, j);

        weigh(&x, column_weight + j * stride);
    }
    for (int64_t i = 0; i < down.out_len; i++, out += out_row) {
        const struct resample_taps y = taps_of(&down, i);

        weigh(&y, line_weight);
        memset(scratch, 0, (size_t)row * sizeof *scratch);
        for (int64_t k = y.from; k < y.to; k++) {
            const float *line = call->in + ((box->top + k) * w + box->left) * c;
            const float weight = line_weight[k - y.from];

            for (int64_t e = 0; e < row; e++)
                scratch[e] += weight * line[e];
        }
        resample_line(&across, scratch, c, column_weight, out);
    }
}

void augment_resample(const struct augment_call *call, const struct augment_piece *piece) {
    struct augment_piece p = *piece;

    augment_within(&p, call->in_shape.dim[0], call->in_shape.dim[1]);
    fill_around(call, &p);
    if (p.inner.height > 0 && p.inner.width > 0)
        resample_inner(call, &p);
}
