/* mask_loss(logits, target, regions, boxes, masks): how far masks of regions are from those of the
 * boxes that they are to find: logits [n, r, s, s, C] before any sigmoid, target [n, r, 5], regions
 * [n, r, 4], boxes [n, m, 5] and their masks [n, m, h, w] in the picture, 1 inside and 0 outside.
 * The mean of the binary cross-entropy over all pixels of rows that find a box, in the channel of
 * its class (of one channel: of any class), against what its mask holds in the region, read as by
 * roi_align(size=s, sampling=0). A row whose box is none of `boxes` makes the loss no number.
 * Source: He et al. 2017, doi:10.1109/ICCV.2017.322, section 3 */
#include "core/ops/detect/roi.h"
#include "core/ops/detect/terms.h"

#include <string.h>

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT], text1[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x[0].rank != 5 || x[0].dim[2] != x[0].dim[3])
        return err_set(err, ERR_CONFIG,
                       "mask_loss: logits are %s, expected square pictures of regions",
                       shape_text(&x[0], text));
    if (list_check("mask_loss", "targets", &x[1], TRUTH, err) ||
        list_check("mask_loss", "regions", &x[2], BOX, err) ||
        list_check("mask_loss", "boxes", &x[3], TRUTH, err) ||
        list_rows_check("mask_loss", "logits", &x[0], "targets", &x[1], err) ||
        list_rows_check("mask_loss", "logits", &x[0], "regions", &x[2], err))
        return -1;
    if (x[4].rank != 4 || x[4].dim[1] != x[3].dim[1])
        return err_set(err, ERR_CONFIG,
                       "mask_loss: masks are %s and boxes %s, expected a mask for each box",
                       shape_text(&x[4], text), shape_text(&x[3], text1));
    op_plan_mean(plan);
    plan->flops = 10 * (double)(shape_len(&x[0]) / (x[0].dim[4] ? x[0].dim[4] : 1));
    return 0;
}

static int64_t pixels_of(const struct op_call *c) {
    return c->x->shape.dim[2] * c->x->shape.dim[3];
}

static double count(const struct op_call *c) {
    return terms_count(&c->x[1], PER_POSITIVES) * (double)pixels_of(c);
}

/* The mask of the box that a row is to find; NULL: it is none of the boxes. */
static const act *mask_of_row(const struct op_call *c, int64_t row) {
    const int64_t m = c->x[3].shape.dim[1], sample = row / c->x[1].shape.dim[1];
    const act *target = c->x[1].data + row * TRUTH, *boxes = c->x[3].data + sample * m * TRUTH;

    for (int64_t i = 0; i < m; i++)
        if (!memcmp(boxes + i * TRUTH, target, TRUTH * sizeof *target))
            return c->x[4].data + (sample * m + i) * c->x[4].shape.dim[2] * c->x[4].shape.dim[3];
    return NULL;
}

/* What a mask holds in cell y, x of a region. */
static double held(const act *mask, const struct roi_axis *h, const struct roi_axis *w, int64_t y,
                   int64_t x) {
    double sum = 0;

    for (int64_t i = 0; i < h->places; i++) {
        const struct roi_place at_y = roi_place_of(h, y, i);
        const act *low = mask + at_y.low * w->len, *high = mask + at_y.high * w->len;

        for (int64_t j = 0; j < w->places; j++) {
            const struct roi_place p = roi_place_of(w, x, j);

            sum += at_y.w_low * (p.w_low * (double)low[p.low] + p.w_high * (double)low[p.high]) +
                   at_y.w_high * (p.w_low * (double)high[p.low] + p.w_high * (double)high[p.high]);
        }
    }
    return sum / (double)(h->places * w->places);
}

/* Of one row: the sum of its terms, and with a slope the gradient into dx, its logits'. */
static double row_of(const struct op_call *c, int64_t row, double slope, act *dx) {
    const int64_t n = shape_channels(&c->x->shape), size = c->x->shape.dim[2];
    const act *region = c->x[2].data + row * BOX, *mask = mask_of_row(c, row);
    const act *logits = c->x->data + row * size * size * n;
    const int64_t channel = n == 1 ? 0 : (int64_t)c->x[1].data[row * TRUTH + 4];
    double sum = 0;

    if (!mask || channel >= n)
        return NAN;
    const struct roi_axis h = roi_axis_of((double)region[1], (double)region[3], 1, (int)size, 0,
                                          false, c->x[4].shape.dim[2]);
    const struct roi_axis w = roi_axis_of((double)region[0], (double)region[2], 1, (int)size, 0,
                                          false, c->x[4].shape.dim[3]);
    for (int64_t i = 0; i < size * size; i++) {
        const double z = (double)logits[i * n + channel], e = exp(-fabs(z));
        const double truth = held(mask, &h, &w, i / size, i % size);

        if (dx)
            dx[i * n + channel] += (act)(slope * ((z < 0 ? e : 1) / (1 + e) - truth));
        else
            sum += (z > 0 ? z : 0) - z * truth + log1p(e);
    }
    return sum;
}

static double sum_rows(const struct op_call *c, int64_t begin, int64_t end) {
    double sum = 0;

    for (int64_t row = begin; row < end; row++)
        if (terms_positive(c->x[1].data + row * TRUTH))
            sum += row_of(c, row, 0, NULL);
    return sum;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, c->x->shape.dim[0] * c->x->shape.dim[1], sum_rows);
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t len = pixels_of(c) * shape_channels(&c->x->shape);

    for (int64_t row = begin; row < end; row++)
        if (terms_positive(c->x[1].data + row * TRUTH))
            row_of(c, row, (double)c->dy.reals[0], c->dx->data + row * len);
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->x->shape.dim[0] * c->x->shape.dim[1], backward_rows);
}

const struct op op_mask_loss = {
    .word = {"mask_loss", "how far masks of regions are from those of the boxes to find", 0, NULL},
    .min_x = 5,
    .max_x = 5,
    .memory.reads_x = 31,
    .meaning.counts_x = 2,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
