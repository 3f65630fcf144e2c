/* roi_pool(regions, feature, stride, size=7): the largest number of each channel in each of size x
 * size cells of a region: [n, r, size, size, c]. A region's corners are rounded to pixels of the
 * map, the last of which belongs to it; cells may share pixels; one outside of the map is 0, and so
 * are regions of no extent. The gradient goes to the map alone.
 * Source: Girshick 2015, doi:10.1109/ICCV.2015.169; the rounding is that of torchvision's. */
#include "core/ops/detect/coder.h"
#include "core/ops/detect/lists.h"
#include "core/ops/parts/share.h"

#include <string.h>

struct roi_pool {
    double stride;
    int size;
};

static const struct arg_spec specs[] = {
    {.name = "stride",
     .kind = ARG_REAL,
     .offset = offsetof(struct roi_pool, stride),
     .min = ARG_ABOVE_0,
     .max = -1,
     .required = true,
     .help = "of the feature map, pixels of the picture"},
    {.name = "size",
     .kind = ARG_INT,
     .offset = offsetof(struct roi_pool, size),
     .fallback = 7,
     .min = 1,
     .max = 1 << 12,
     .help = "cells along each side"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct roi_pool *a = args;
    char text[SHAPE_TEXT];

    (void)n_x;
    if (list_check("roi_pool", "regions", &x[0], BOX, err))
        return -1;
    if (x[1].rank != 4)
        return err_set(err, ERR_CONFIG, "roi_pool: the feature map is %s, expected images",
                       shape_text(&x[1], text));
    if (x[1].dim[1] * x[1].dim[2] > INT32_MAX)
        return err_set(err, ERR_CONFIG,
                       "roi_pool: a feature map of %s has more pixels than "
                       "2147483647",
                       shape_text(&x[1], text));
    plan->y = (struct shape){5, {x->dim[0], x->dim[1], a->size, a->size, x[1].dim[3]}};
    plan->saved_bytes = (size_t)shape_len(&plan->y) * sizeof(int32_t);
    plan->flops = (double)shape_len(&plan->y) * 4;
    return 0;
}

/* Pixels of the map that cell k covers along an axis: begin .. end - 1. */
static void cell_of(const struct roi_pool *a, act from, act to, int64_t len, int64_t k,
                    int64_t *begin, int64_t *end) {
    const double first = round((double)from / a->stride), last = round((double)to / a->stride);
    const double size = last - first + 1 > 1 ? last - first + 1 : 1, cell = size / a->size;
    const double low = floor((double)k * cell) + first, high = ceil((double)(k + 1) * cell) + first;

    *begin = low > 0 ? low < (double)len ? (int64_t)low : len : 0;
    *end = high > 0 ? high < (double)len ? (int64_t)high : len : 0;
}

/* saved: [n, r, size, size, c] the pixel of the maximum; -1: none. */
static void forward_cell(const struct op_call *c, const act *map, const int64_t from[2],
                         const int64_t to[2], act *restrict y, int32_t *restrict best) {
    const int64_t channels = shape_channels(&c->y.shape), w = c->x[1].shape.dim[2];
    const bool none = from[0] >= to[0] || from[1] >= to[1];

    for (int64_t ch = 0; ch < channels; ch++)
        y[ch] = none ? 0 : (act)-INFINITY, best[ch] = -1;
    for (int64_t i = from[0]; i < to[0]; i++)
        for (int64_t j = from[1]; j < to[1]; j++) {
            const int64_t at = i * w + j;
            const act *restrict x = map + at * channels;

            for (int64_t ch = 0; ch < channels; ch++)
                if (!(x[ch] <= y[ch]) || best[ch] < 0)
                    y[ch] = x[ch], best[ch] = (int32_t)at;
        }
}

static void forward_regions(const struct op_call *c, int64_t begin, int64_t end) {
    const struct roi_pool *a = c->args;
    const int64_t r = c->y.shape.dim[1], channels = shape_channels(&c->y.shape);
    const int64_t cells = (int64_t)a->size * a->size;
    const struct shape *x = &c->x[1].shape;

    for (int64_t i = begin; i < end; i++) {
        const act *region = c->x->data + i * BOX;
        const act *map = c->x[1].data + i / r * shape_sample_len(x);

        for (int64_t k = 0; k < cells; k++) {
            const int64_t at = (i * cells + k) * channels;
            int64_t from[2] = {0, 0}, to[2] = {0, 0};

            if (box_is(region)) {
                cell_of(a, region[1], region[3], x->dim[1], k / a->size, &from[0], &to[0]);
                cell_of(a, region[0], region[2], x->dim[2], k % a->size, &from[1], &to[1]);
            }
            forward_cell(c, map, from, to, c->y.data + at, (int32_t *)c->saved + at);
        }
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0] * c->y.shape.dim[1], forward_regions);
}

/* By whole samples: regions of one overlap. */
static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t len = shape_sample_len(&c->y.shape), channels = shape_channels(&c->y.shape);

    for (int64_t sample = begin; sample < end; sample++) {
        const act *dy = c->dy.data + sample * len;
        const int32_t *best = (const int32_t *)c->saved + sample * len;
        act *dx = c->dx[1].data + sample * shape_sample_len(&c->x[1].shape);

        for (int64_t i = 0; i < len; i++)
            if (best[i] >= 0)
                dx[best[i] * channels + i % channels] += dy[i];
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[1].data)
        share(c, c->y.shape.dim[0], backward_samples);
}

const struct op op_roi_pool = {
    .word = {"roi_pool", "the largest numbers of a feature map in cells of each region",
             sizeof(struct roi_pool), specs},
    .min_x = 2,
    .max_x = 2,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
