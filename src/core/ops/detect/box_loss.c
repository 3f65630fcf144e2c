/* box_loss(deltas, regions, target, kind=smooth_l1, weights=1, clip=4.13517, beta=1,
 * per=positives, background=none): how far the boxes are that a network moved its regions to. Only
 * rows that find a box have a term. Deltas are [n, r, 4], in the numbers of coder.h, or of each
 * class [n, r, 4 * classes], background=first among them.
 *   l1         the sum of |deltas - those of the box to find|
 *   smooth_l1  of each difference d d^2 / (2 beta) below beta, and |d| - beta / 2 above
 *   iou        1 - intersection over union
 *   giou       the same plus the share of the smallest box around both that neither fills
 *   ciou       1 - iou + the squared distance of the centres over that of the corners of the
 * smallest box around both + v^2 / (1 - iou + v), v = 4 / pi^2 (difference of atan(w / h))^2; the
 *              gradient takes v / (1 - iou + v) as constant
 * per: terms.h.
 * Source: Girshick 2015, doi:10.1109/ICCV.2015.169; Rezatofighi et al. 2019,
 * doi:10.1109/CVPR.2019.00075; Zheng et al. 2020, doi:10.1609/aaai.v34i07.6999 */
#include "core/ops/detect/coder.h"
#include "core/ops/detect/overlap.h"
#include "core/ops/detect/terms.h"

enum { KIND_SMOOTH_L1, KIND_L1, KIND_IOU };

struct box_loss {
    int kind;
    struct coder coder;
    double beta;
    int per, background;
};

static const char *const kinds[] = {"smooth_l1", "l1", "iou", "giou", "ciou", NULL};
static const char *const backgrounds[] = {"none", "first", NULL};

static const struct arg_spec specs[] = {
    {.name = "kind",
     .kind = ARG_WORD,
     .offset = offsetof(struct box_loss, kind),
     .words = kinds,
     .help = "how far two boxes are"},
    CODER_WEIGHTS(struct box_loss, 1),
    CODER_CLIP(struct box_loss),
    {.name = "beta",
     .kind = ARG_REAL,
     .offset = offsetof(struct box_loss, beta),
     .fallback = 1,
     .min = ARG_ABOVE_0,
     .max = -1,
     .help = "of smooth_l1: difference at which it becomes straight"},
    TERMS_PER(struct box_loss),
    {.name = "background",
     .kind = ARG_WORD,
     .offset = offsetof(struct box_loss, background),
     .words = backgrounds,
     .help = "of deltas of each class: first, where class 0 has the second four"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct box_loss *a = args;
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x[0].rank != 3 || x[0].dim[2] % BOX)
        return err_set(err, ERR_CONFIG,
                       "box_loss: deltas are %s, expected a list with 4 numbers for each box",
                       shape_text(&x[0], text));
    if (list_check("box_loss", "regions", &x[1], BOX, err) ||
        list_check("box_loss", "targets", &x[2], TRUTH, err) ||
        list_rows_check("box_loss", "deltas", &x[0], "regions", &x[1], err) ||
        list_rows_check("box_loss", "deltas", &x[0], "targets", &x[2], err))
        return -1;
    if (!coder_fits(&a->coder))
        return err_set(err, ERR_CONFIG, "box_loss: %d weights, expected 1 or 4",
                       a->coder.weights.n);
    op_plan_mean(plan);
    plan->saved_bytes = (size_t)x[0].dim[0] * sizeof(real);
    plan->flops = 10 * (double)shape_len(&x[1]);
    return 0;
}

static double count(const struct op_call *c) {
    return terms_count(&c->x[2], ((const struct box_loss *)c->args)->per);
}

/* saved: [n] what the terms of a sample are multiplied by. */
static void scale_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct box_loss *a = c->args;

    for (int64_t i = begin; i < end; i++)
        ((real *)c->saved)[i] = (real)terms_scale(&c->x[2], a->per, i);
}

/* Where the four numbers of a row begin that are to find its box; -1: nowhere. */
static int64_t deltas_of(const struct box_loss *a, const act *target, int64_t n) {
    const int64_t k = n == BOX ? 0 : (int64_t)target[4] + a->background;

    return k * BOX < n ? k * BOX : -1;
}

/* What a difference costs; *slope along it. */
static double distance(const struct box_loss *a, double d, double *slope) {
    const double size = fabs(d);

    if (a->kind == KIND_SMOOTH_L1 && size < a->beta) {
        *slope = d / a->beta;
        return d * d / (2 * a->beta);
    }
    *slope = d > 0 ? 1 : d < 0 ? -1 : 0;
    return a->kind == KIND_SMOOTH_L1 ? size - a->beta / 2 : size;
}

/* One row's term; slopes[4] along its deltas. */
static double term(const struct box_loss *a, const act *region, const act *d, const act *target,
                   double slopes[BOX]) {
    double to[BOX], corners[BOX], sum = 0;

    if (a->kind >= KIND_IOU) {
        coder_decode(&a->coder, region, d, to);
        sum = overlap_loss((enum overlap_kind)(a->kind - KIND_IOU), to, target, corners);
        coder_slopes(&a->coder, region, d, corners, slopes);
        return sum;
    }
    coder_encode(&a->coder, region, target, to);
    for (int i = 0; i < BOX; i++)
        sum += distance(a, (double)d[i] - to[i], &slopes[i]);
    return sum;
}

static double sum_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct box_loss *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape), rows = c->x[0].shape.dim[1];
    double sum = 0, slopes[BOX];

    for (int64_t row = begin; row < end; row++) {
        const act *target = c->x[2].data + row * TRUTH;

        if (!terms_positive(target))
            continue;
        const int64_t at = deltas_of(a, target, n);
        if (at < 0)
            return NAN;
        sum += (double)((const real *)c->saved)[row / rows] *
               term(a, c->x[1].data + row * BOX, c->x[0].data + row * n + at, target, slopes);
    }
    return sum;
}

static void forward(const struct op_call *c) {
    share(c, c->x[0].shape.dim[0], scale_samples);
    c->y.reals[0] = (real)share_sum(c, c->x[0].shape.dim[0] * c->x[0].shape.dim[1], sum_rows);
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct box_loss *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape), rows = c->x[0].shape.dim[1];

    for (int64_t row = begin; row < end; row++) {
        const act *target = c->x[2].data + row * TRUTH;
        const int64_t at = terms_positive(target) ? deltas_of(a, target, n) : -1;
        double slopes[BOX];

        if (at < 0)
            continue;
        term(a, c->x[1].data + row * BOX, c->x[0].data + row * n + at, target, slopes);
        for (int i = 0; i < BOX; i++)
            c->dx[0].data[row * n + at + i] +=
                (act)((double)c->dy.reals[0] * (double)((const real *)c->saved)[row / rows] *
                      slopes[i]);
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, c->x[0].shape.dim[0] * c->x[0].shape.dim[1], backward_rows);
}

const struct op op_box_loss = {
    .word = {"box_loss", "how far boxes are from those to find", sizeof(struct box_loss), specs},
    .min_x = 3,
    .max_x = 3,
    .memory.reads_x = 7,
    .meaning.counts_x = 4,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
