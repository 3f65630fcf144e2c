/* roi_align(regions, feature[, feature, ..], stride, size=7, sampling=2, aligned=false, whole=224):
 * what feature maps hold in each region, as a picture of size x size cells: [n, r, size, size, c].
 * A cell is the mean of `sampling` x `sampling` places in it, each read between the four pixels
 * around it. Of several maps, which lie `stride` pixels of the picture apart, a region is read from
 * one alone, by its extent: floor(4 + log2(sqrt(area) / whole)) is log2 of that map's stride, or
 * else the nearest there is. Regions of no extent give zeros. The gradient goes to the maps alone.
 * Source: He et al. 2017, doi:10.1109/ICCV.2017.322; Lin et al. 2017, doi:10.1109/CVPR.2017.106,
 * equation 1 */
#include "core/ops/detect/coder.h"
#include "core/ops/detect/lists.h"
#include "core/ops/detect/roi.h"
#include "core/ops/parts/share.h"

#include <string.h>

/* Channels that a thread adds gradients to at a time. */
enum { CHANNELS = 32 };

struct roi_align {
    struct reals stride;
    int size, sampling, aligned;
    double whole;
};

static const char *const truths[] = {"false", "true", NULL};

static const struct arg_spec specs[] = {
    {.name = "stride",
     .kind = ARG_REALS,
     .offset = offsetof(struct roi_align, stride),
     .min = ARG_ABOVE_0,
     .max = -1,
     .required = true,
     .help = "of each feature map, pixels of the picture"},
    {.name = "size",
     .kind = ARG_INT,
     .offset = offsetof(struct roi_align, size),
     .fallback = 7,
     .min = 1,
     .max = 1 << 12,
     .help = "cells along each side"},
    {.name = "sampling",
     .kind = ARG_INT,
     .offset = offsetof(struct roi_align, sampling),
     .fallback = 2,
     .min = 0,
     .max = 64,
     .help = "places along each side of a cell; 0: as many as it has pixels"},
    {.name = "aligned",
     .kind = ARG_WORD,
     .offset = offsetof(struct roi_align, aligned),
     .words = truths,
     .help = "pixels are meant at their centres"},
    {.name = "whole",
     .kind = ARG_REAL,
     .offset = offsetof(struct roi_align, whole),
     .fallback = 224,
     .min = ARG_ABOVE_0,
     .max = -1,
     .help = "side of a region that is read where the stride is 16"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct roi_align *a = args;
    char text[SHAPE_TEXT], text1[SHAPE_TEXT];

    if (list_check("roi_align", "regions", &x[0], BOX, err))
        return -1;
    for (int k = 1; k < n_x; k++)
        if (x[k].rank != 4 || x[k].dim[3] != x[1].dim[3] || x[k].dim[0] != x[0].dim[0])
            return err_set(err, ERR_CONFIG,
                           "roi_align: feature maps are %s and %s, expected images of as many "
                           "channels",
                           shape_text(&x[1], text), shape_text(&x[k], text1));
    if (a->stride.n != n_x - 1)
        return err_set(err, ERR_CONFIG, "roi_align: stride has %d numbers for %d feature maps",
                       a->stride.n, n_x - 1);
    for (int k = 1; k < a->stride.n; k++)
        if (!(a->stride.v[k] > a->stride.v[k - 1]))
            return err_set(err, ERR_CONFIG,
                           "roi_align: stride %g follows %g, expected a larger one", a->stride.v[k],
                           a->stride.v[k - 1]);
    plan->y = (struct shape){5, {x->dim[0], x->dim[1], a->size, a->size, x[1].dim[3]}};
    plan->flops = 8.0 * (double)shape_len(&plan->y) * (a->sampling ? a->sampling * a->sampling : 4);
    return 0;
}

/* Which map a region is read from. */
static int map_of(const struct roi_align *a, const act *region) {
    const double level = floor(4 + log2(sqrt(box_area(region)) / a->whole) + 1e-6);
    const double stride = exp2(level);
    int best = 0;

    for (int k = 1; k < a->stride.n; k++)
        if (stride >= sqrt(a->stride.v[k] * a->stride.v[k - 1]))
            best = k;
    return best;
}

/* A region on its map. */
struct view {
    int map; /* of x */
    struct roi_axis h, w;
    double share; /* of each place in a cell */
};

static struct view view_of(const struct op_call *c, const act *region) {
    const struct roi_align *a = c->args;
    const int map = map_of(a, region);
    const struct shape *x = &c->x[map + 1].shape;
    struct view v = {.map = map + 1,
                     .h = roi_axis_of((double)region[1], (double)region[3], a->stride.v[map],
                                      a->size, a->sampling, a->aligned, x->dim[1]),
                     .w = roi_axis_of((double)region[0], (double)region[2], a->stride.v[map],
                                      a->size, a->sampling, a->aligned, x->dim[2])};

    v.share = 1 / (double)(v.h.places * v.w.places);
    return v;
}

static void read_place(const act *restrict a0, const act *restrict a1, const act *restrict b0,
                       const act *restrict b1, const act w[4], int64_t n, act *restrict y) {
    for (int64_t ch = 0; ch < n; ch++)
        y[ch] += w[0] * a0[ch] + w[1] * a1[ch] + w[2] * b0[ch] + w[3] * b1[ch];
}

/* Two of the four pixels may be one. */
static void add_place(const act *restrict dy, act w, int64_t n, act *restrict dx) {
    for (int64_t ch = 0; ch < n; ch++)
        dx[ch] += w * dy[ch];
}

static void weights_of(const struct view *v, const struct roi_place *h, const struct roi_place *w,
                       act out[4]) {
    out[0] = (act)(h->w_low * w->w_low * v->share);
    out[1] = (act)(h->w_low * w->w_high * v->share);
    out[2] = (act)(h->w_high * w->w_low * v->share);
    out[3] = (act)(h->w_high * w->w_high * v->share);
}

/* One row of cells, all channels: y[size, channels] zeroed. */
static void read_row(const struct view *v, const act *map, int64_t channels, int size, int64_t row,
                     act *y) {
    const int64_t line = v->w.len * channels;

    for (int64_t i = 0; i < v->h.places; i++) {
        const struct roi_place h = roi_place_of(&v->h, row, i);

        for (int64_t j = 0; j < size * v->w.places; j++) {
            const int64_t cell = j / v->w.places;
            const struct roi_place w = roi_place_of(&v->w, cell, j % v->w.places);
            const act *low = map + h.low * line, *high = map + h.high * line;
            act weights[4];

            weights_of(v, &h, &w, weights);
            read_place(low + w.low * channels, low + w.high * channels, high + w.low * channels,
                       high + w.high * channels, weights, channels, y + cell * channels);
        }
    }
}

static void forward_regions(const struct op_call *c, int64_t begin, int64_t end) {
    const struct roi_align *a = c->args;
    const int64_t r = c->y.shape.dim[1], channels = shape_channels(&c->y.shape);
    const int64_t line = a->size * channels, len = a->size * line;

    for (int64_t i = begin; i < end; i++) {
        const act *region = c->x->data + i * BOX;
        act *y = c->y.data + i * len;

        memset(y, 0, (size_t)len * sizeof *y);
        if (!box_is(region))
            continue;
        const struct view v = view_of(c, region);
        const act *map = c->x[v.map].data + i / r * shape_sample_len(&c->x[v.map].shape);
        for (int64_t row = 0; row < a->size; row++)
            read_row(&v, map, channels, a->size, row, y + row * line);
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0] * c->y.shape.dim[1], forward_regions);
}

/* A region's gradient in channels c0 .. c0 + n - 1. */
static void add_region(const struct op_call *c, const struct view *v, const act *dy, act *map,
                       int64_t c0, int64_t n) {
    const int size = ((const struct roi_align *)c->args)->size;
    const int64_t channels = shape_channels(&c->y.shape), line = v->w.len * channels;

    for (int64_t i = 0; i < size * v->h.places; i++) {
        const struct roi_place h = roi_place_of(&v->h, i / v->h.places, i % v->h.places);
        act *low = map + h.low * line + c0, *high = map + h.high * line + c0;

        for (int64_t j = 0; j < size * v->w.places; j++) {
            const struct roi_place w = roi_place_of(&v->w, j / v->w.places, j % v->w.places);
            const act *cell = dy + (i / v->h.places * size + j / v->w.places) * channels + c0;
            act weights[4];

            weights_of(v, &h, &w, weights);
            add_place(cell, weights[0], n, low + w.low * channels);
            add_place(cell, weights[1], n, low + w.high * channels);
            add_place(cell, weights[2], n, high + w.low * channels);
            add_place(cell, weights[3], n, high + w.high * channels);
        }
    }
}

static int64_t blocks(const struct op_call *c) {
    return (shape_channels(&c->y.shape) + CHANNELS - 1) / CHANNELS;
}

/* Blocks of channels of samples: regions of one sample overlap. */
static void backward_blocks(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t r = c->y.shape.dim[1], channels = shape_channels(&c->y.shape);
    const int64_t len = shape_sample_len(&c->y.shape) / (r ? r : 1);

    for (int64_t block = begin; block < end; block++) {
        const int64_t sample = block / blocks(c), c0 = block % blocks(c) * CHANNELS;
        const int64_t n = channels - c0 < CHANNELS ? channels - c0 : CHANNELS;

        for (int64_t i = sample * r; i < (sample + 1) * r; i++) {
            const act *region = c->x->data + i * BOX;

            if (!box_is(region))
                continue;
            const struct view v = view_of(c, region);
            if (c->dx[v.map].data)
                add_region(c, &v, c->dy.data + i * len,
                           c->dx[v.map].data + sample * shape_sample_len(&c->x[v.map].shape), c0,
                           n);
        }
    }
}

static void backward(const struct op_call *c) {
    bool wanted = false;

    for (int k = 1; k < c->n_x; k++)
        wanted |= c->dx[k].data != NULL;
    if (wanted)
        share(c, c->y.shape.dim[0] * blocks(c), backward_blocks);
}

const struct op op_roi_align = {
    .word = {"roi_align", "what feature maps hold in each region, read between their pixels",
             sizeof(struct roi_align), specs},
    .min_x = 2,
    .max_x = OP_ANY_INPUTS,
    .memory.reads_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
