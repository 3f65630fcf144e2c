/* mask_of(logits, found, image): the masks of what was found, in the picture: [n, k, h, w], from 0
 * to 1, of mask logits [n, k, s, s, C] of the boxes found [n, k, 6]: the sigmoid of the channel of
 * the found class (of one channel: of any class), stretched over its box between the centres of
 * pixels, with a pixel of 0 around it; 0 outside. Rows that are none give zeros. No gradient.
 * Source: where pixels lie is that of torchvision's paste_masks_in_image. */
#include "core/ops/detect/coder.h"
#include "core/ops/detect/lists.h"
#include "core/ops/parts/share.h"

#include <string.h>

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x[0].rank != 5 || x[0].dim[2] != x[0].dim[3])
        return err_set(err, ERR_CONFIG,
                       "mask_of: logits are %s, expected square pictures of what was found",
                       shape_text(&x[0], text));
    if (list_check("mask_of", "boxes found", &x[1], FOUND, err) ||
        list_rows_check("mask_of", "logits", &x[0], "boxes found", &x[1], err))
        return -1;
    if (x[2].rank != 4)
        return err_set(err, ERR_CONFIG, "mask_of: image is %s, expected images",
                       shape_text(&x[2], text));
    plan->y = (struct shape){4, {x->dim[0], x->dim[1], x[2].dim[1], x[2].dim[2]}};
    plan->flops = 8 * (double)shape_len(&plan->y);
    return 0;
}

/* The box's pixels along one axis, which s + 2 of the mask are stretched over. */
struct pasted {
    int64_t first, n;
};

static struct pasted span_of(act from, act to, int64_t s) {
    const double half = ((double)to - (double)from) / 2 * ((double)(s + 2) / (double)s);
    const double centre = ((double)to + (double)from) / 2;
    const double low = trunc(centre - half), high = trunc(centre + half);

    return (struct pasted){(int64_t)low, (int64_t)(high - low) + 1};
}

/* Where pixel `at` of the picture lies in a mask of s pixels with one of 0 on either side. */
static double source_of(const struct pasted *span, int64_t at, int64_t s) {
    const double place =
        ((double)(at - span->first) + 0.5) * (double)(s + 2) / (double)span->n - 0.5;

    return place < 0 ? 0 : place;
}

static double share_at(const act *logits, int64_t s, int64_t n, int64_t y, int64_t x) {
    if (y < 1 || x < 1 || y > s || x > s)
        return 0;
    const double z = (double)logits[((y - 1) * s + x - 1) * n];
    return 1 / (1 + exp(-z));
}

static void paste_row(const struct op_call *c, const act *logits, const struct pasted *w,
                      double at_y, act *y) {
    const int64_t s = c->x->shape.dim[2], n = shape_channels(&c->x->shape);
    const int64_t width = c->y.shape.dim[3], last = s + 1;
    const int64_t y0 = (int64_t)at_y, y1 = y0 < last ? y0 + 1 : y0;
    const double ly = at_y - (double)y0;
    const int64_t begin = w->first > 0 ? w->first : 0;
    const int64_t end = w->first + w->n < width ? w->first + w->n : width;

    for (int64_t i = begin; i < end; i++) {
        const double at_x = source_of(w, i, s);
        const int64_t x0 = (int64_t)at_x, x1 = x0 < last ? x0 + 1 : x0;
        const double lx = at_x - (double)x0;
        const double top =
            (1 - lx) * share_at(logits, s, n, y0, x0) + lx * share_at(logits, s, n, y0, x1);
        const double bottom =
            (1 - lx) * share_at(logits, s, n, y1, x0) + lx * share_at(logits, s, n, y1, x1);

        y[i] = (act)((1 - ly) * top + ly * bottom);
    }
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t s = c->x->shape.dim[2], n = shape_channels(&c->x->shape);
    const int64_t height = c->y.shape.dim[2], width = c->y.shape.dim[3];

    for (int64_t row = begin; row < end; row++) {
        const act *found = c->x[1].data + row * FOUND;
        const int64_t channel = n == 1 ? 0 : (int64_t)found[4];
        act *y = c->y.data + row * height * width;

        memset(y, 0, (size_t)(height * width) * sizeof *y);
        if (found[4] < 0 || channel >= n || !box_is(found) || !(box_area(found) < 0x1p60))
            continue;
        const struct pasted h = span_of(found[1], found[3], s), w = span_of(found[0], found[2], s);
        for (int64_t i = h.first > 0 ? h.first : 0; i < height && i < h.first + h.n; i++)
            paste_row(c, c->x->data + row * s * s * n + channel, &w, source_of(&h, i, s),
                      y + i * width);
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0] * c->y.shape.dim[1], forward_rows);
}

const struct op op_mask_of = {
    .word = {"mask_of", "the masks of what was found, in the picture", 0, NULL},
    .min_x = 3,
    .max_x = 3,
    .plan = plan,
    .forward = forward,
};
