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
};

/* Output i of out_len from in_len inputs. */
static struct taps taps_of(int64_t i, int64_t out_len, int64_t in_len) {
    const double scale = (double)in_len / (double)out_len, stretch = scale > 1 ? scale : 1;
    const double centre = ((double)i + 0.5) * scale;

    return (struct taps){centre, stretch, clamp((int64_t)(centre - stretch + 0.5), 0, in_len),
                         clamp((int64_t)(centre + stretch + 0.5), 0, in_len)};
}

/* The most taps that an output has. */
static int64_t most_taps(int64_t out_len, int64_t in_len) {
    return 2 * ((in_len + out_len - 1) / out_len) + 2;
}

/* weight[to - from], whose sum is 1. */
static void weigh(const struct taps *t, float *weight) {
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

int64_t augment_resample_scratch(const struct shape *in, const struct shape *out) {
    return in->dim[1] * in->dim[2] + most_taps(out->dim[0], in->dim[0]) +
           out->dim[1] * most_taps(out->dim[1], in->dim[1]);
}

/* One line of [w, c] inputs to out_w outputs; weight as augment_resample lays them out. */
static void resample_line(const float *line, int64_t w, int64_t c, const float *weight, float *out,
                          int64_t out_w) {
    const int64_t stride = most_taps(out_w, w);

    for (int64_t j = 0; j < out_w; j++, out += c, weight += stride) {
        const struct taps x = taps_of(j, out_w, w);
        const float *in = line + x.from * c;

        for (int64_t ch = 0; ch < c; ch++)
            out[ch] = weight[0] * in[ch];
        for (int64_t k = 1; k < x.to - x.from; k++)
            for (int64_t ch = 0; ch < c; ch++)
                out[ch] += weight[k] * in[k * c + ch];
    }
}

/* Lines first, as they are contiguous: each output line is a weighted sum of input lines, which is
 * then resampled itself. scratch: that line, its weights, and the weights of every column. */
void augment_resample(const float *in, const struct shape *in_shape, const struct augment_box *box,
                      float *scratch, float *out, const struct shape *out_shape) {
    const int64_t w = in_shape->dim[1], c = in_shape->dim[2], row = box->width * c;
    const int64_t out_h = out_shape->dim[0], out_w = out_shape->dim[1];
    float *line_weight = scratch + row;
    float *column_weight = line_weight + most_taps(out_h, box->height);

    for (int64_t j = 0; j < out_w; j++) {
        const struct taps x = taps_of(j, out_w, box->width);

        weigh(&x, column_weight + j * most_taps(out_w, box->width));
    }
    for (int64_t i = 0; i < out_h; i++, out += out_w * c) {
        const struct taps y = taps_of(i, out_h, box->height);

        weigh(&y, line_weight);
        memset(scratch, 0, (size_t)row * sizeof *scratch);
        for (int64_t k = y.from; k < y.to; k++) {
            const float *line = in + ((box->top + k) * w + box->left) * c;
            const float weight = line_weight[k - y.from];

            for (int64_t e = 0; e < row; e++)
                scratch[e] += weight * line[e];
        }
        resample_line(scratch, box->width, c, column_weight, out, out_w);
    }
}
