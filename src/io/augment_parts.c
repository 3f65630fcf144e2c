#include "io/augment_parts.h"

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

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

void augment_crop(const float *in, const struct shape *in_shape, const struct augment_box *box,
                  float *out) {
    const int64_t h = in_shape->dim[0], w = in_shape->dim[1], c = in_shape->dim[2];
    const int64_t from = clamp(box->left, 0, w), to = clamp(box->left + box->width, 0, w);
    const int64_t row = box->width * c, before = (from - box->left) * c, len = (to - from) * c;

    for (int64_t i = box->top; i < box->top + box->height; i++, out += row) {
        if (i < 0 || i >= h || len <= 0) {
            memset(out, 0, (size_t)row * sizeof *out);
            continue;
        }
        memset(out, 0, (size_t)before * sizeof *out);
        memcpy(out + before, in + (i * w + from) * c, (size_t)len * sizeof *out);
        memset(out + before + len, 0, (size_t)(row - before - len) * sizeof *out);
    }
}

/* Which inputs an output is the weighted mean of, along one side. */
struct taps {
    double centre, stretch;
    int64_t from, to;
    float norm; /* 1 / the sum of the weights */
};

static float tap_weight(const struct taps *t, int64_t k) {
    return (float)fmax(0, 1 - fabs(((double)k + 0.5 - t->centre) / t->stretch));
}

/* Output i of out_len from in_len inputs. */
static struct taps taps_of(int64_t i, int64_t out_len, int64_t in_len) {
    const double scale = (double)in_len / (double)out_len, stretch = fmax(scale, 1);
    const double centre = ((double)i + 0.5) * scale;
    struct taps t = {centre, stretch, clamp((int64_t)(centre - stretch + 0.5), 0, in_len),
                     clamp((int64_t)(centre + stretch + 0.5), 0, in_len), 0};
    float sum = 0;

    for (int64_t k = t.from; k < t.to; k++)
        sum += tap_weight(&t, k);
    t.norm = 1 / sum;
    return t;
}

void augment_resample(const float *in, const struct shape *in_shape, const struct augment_box *box,
                      float *scratch, float *out, const struct shape *out_shape) {
    const int64_t w = in_shape->dim[1], c = in_shape->dim[2], row = box->width * c;
    const int64_t out_h = out_shape->dim[0], out_w = out_shape->dim[1];

    for (int64_t i = 0; i < out_h; i++) {
        const struct taps y = taps_of(i, out_h, box->height);

        memset(scratch, 0, (size_t)row * sizeof *scratch);
        for (int64_t k = y.from; k < y.to; k++) {
            const float *line = in + ((box->top + k) * w + box->left) * c;
            const float weight = tap_weight(&y, k) * y.norm;

            for (int64_t e = 0; e < row; e++)
                scratch[e] += weight * line[e];
        }
        for (int64_t j = 0; j < out_w; j++, out += c) {
            const struct taps x = taps_of(j, out_w, box->width);

            memset(out, 0, (size_t)c * sizeof *out);
            for (int64_t k = x.from; k < x.to; k++) {
                const float weight = tap_weight(&x, k) * x.norm;

                for (int64_t ch = 0; ch < c; ch++)
                    out[ch] += weight * scratch[k * c + ch];
            }
        }
    }
}
