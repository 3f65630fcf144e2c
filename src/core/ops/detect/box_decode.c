/* box_decode(deltas, regions[, image], weights=1, clip=4.13517): the boxes that a network moved its
 * regions to: deltas are [n, r, 4], or [n, r, 4 * k] of k boxes for each region, in the numbers of
 * coder.h; with an image they are cut off at its edges. */
#include "core/ops/detect/coder.h"
#include "core/ops/detect/lists.h"
#include "core/ops/parts/share.h"

struct box_decode {
    struct coder coder;
};

static const struct arg_spec specs[] = {
    CODER_WEIGHTS(struct box_decode, 1),
    CODER_CLIP(struct box_decode),
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct box_decode *a = args;
    char text[SHAPE_TEXT];

    if (x[0].rank != 3 || x[0].dim[2] % BOX)
        return err_set(err, ERR_CONFIG,
                       "box_decode: deltas are %s, expected a list with 4 numbers for each box",
                       shape_text(&x[0], text));
    if (list_check("box_decode", "regions", &x[1], BOX, err) ||
        list_rows_check("box_decode", "deltas", &x[0], "regions", &x[1], err))
        return -1;
    if (n_x > 2 && x[2].rank != 4)
        return err_set(err, ERR_CONFIG, "box_decode: image is %s, expected an image",
                       shape_text(&x[2], text));
    if (!coder_fits(&a->coder))
        return err_set(err, ERR_CONFIG, "box_decode: %d weights, expected 1 or 4",
                       a->coder.weights.n);
    plan->y = x[0];
    plan->flops = 10 * (double)shape_len(&x[0]);
    return 0;
}

/* What lies within the image along axis i of height, width; without one, everything. */
static double edge(const struct op_call *c, int i) {
    return c->n_x > 2 ? (double)c->x[2].shape.dim[i % 2 ? 1 : 2] : INFINITY;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct box_decode *a = c->args;
    const int64_t n = shape_channels(&c->y.shape);

    for (int64_t row = begin; row < end; row++)
        for (int64_t k = 0; k < n; k += BOX) {
            act *y = c->y.data + row * n + k;
            double box[BOX];

            coder_decode(&a->coder, c->x[1].data + row * BOX, c->x[0].data + row * n + k, box);
            for (int i = 0; i < BOX; i++) {
                const double last = edge(c, i), low = c->n_x > 2 && box[i] < 0 ? 0 : box[i];

                y[i] = (act)(low > last ? last : low);
            }
        }
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->y.shape) / shape_channels(&c->y.shape), forward_rows);
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct box_decode *a = c->args;
    const int64_t n = shape_channels(&c->y.shape);

    for (int64_t row = begin; row < end; row++)
        for (int64_t k = 0; k < n; k += BOX) {
            const act *region = c->x[1].data + row * BOX, *d = c->x[0].data + row * n + k;
            double box[BOX], corners[BOX], slopes[BOX];

            coder_decode(&a->coder, region, d, box);
            for (int i = 0; i < BOX; i++)
                corners[i] = c->n_x > 2 && (box[i] < 0 || box[i] > edge(c, i))
                                 ? 0
                                 : (double)c->dy.data[row * n + k + i];
            coder_slopes(&a->coder, region, d, corners, slopes);
            for (int i = 0; i < BOX; i++)
                c->dx[0].data[row * n + k + i] += (act)slopes[i];
        }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, shape_len(&c->y.shape) / shape_channels(&c->y.shape), backward_rows);
}

const struct op op_box_decode = {
    .word = {"box_decode", "the boxes that a network moved its regions to",
             sizeof(struct box_decode), specs},
    .min_x = 2,
    .max_x = 3,
    .memory.reads_x = 3,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
