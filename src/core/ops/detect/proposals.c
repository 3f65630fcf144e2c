/* proposals(image, objectness, deltas, anchors[, objectness, deltas, anchors, ..], before=1000,
 * top=1000, iou=0.7, smallest=0.001, weights=1, clip=4.13517): the regions that a
 * region proposal network thinks to hold something: [n, top, 4], best first. Of each level the
 * `before` anchors of the largest objectness [n, r, 1] are moved by their deltas [n, r, 4] and cut
 * off at the image's edges; those smaller than `smallest` go; those that share more than `iou` with
 * a better one of their level go, too; the best of all levels remain. No gradient.
 * Source: Ren et al. 2015, arXiv:1506.01497, section 3.3; by levels: Lin et al. 2017,
 * doi:10.1109/CVPR.2017.106 */
#include "core/ops/detect/coder.h"
#include "core/ops/detect/lists.h"
#include "core/ops/detect/ranked.h"
#include "core/ops/parts/share.h"

#include <string.h>

enum { PER_LEVEL = 3 };

struct proposals {
    struct coder coder;
    int before, top;
    double iou, smallest;
};

static const struct arg_spec specs[] = {
    {.name = "before",
     .kind = ARG_INT,
     .offset = offsetof(struct proposals, before),
     .fallback = 1000,
     .min = 1,
     .max = 1 << 24,
     .help = "anchors of each level that are looked at"},
    {.name = "top",
     .kind = ARG_INT,
     .offset = offsetof(struct proposals, top),
     .fallback = 1000,
     .min = 1,
     .max = 1 << 20,
     .help = "regions that remain at most"},
    {.name = "iou",
     .kind = ARG_REAL,
     .offset = offsetof(struct proposals, iou),
     .fallback = 0.7,
     .min = 0,
     .max = 1,
     .help = "intersection over union that is too much"},
    {.name = "smallest",
     .kind = ARG_REAL,
     .offset = offsetof(struct proposals, smallest),
     .fallback = 1e-3,
     .min = 0,
     .max = -1,
     .help = "width and height of a region, pixels at least"},
    CODER_WEIGHTS(struct proposals, 1),
    CODER_CLIP(struct proposals),
    {0},
};

/* A region that may remain. */
struct proposal {
    act box[BOX];
    act score;
};

static int64_t most_of(const struct proposals *a, const struct shape *objectness) {
    return objectness->dim[1] < a->before ? objectness->dim[1] : a->before;
}

static int64_t most_of_all(const struct proposals *a, const struct op_call *c) {
    int64_t sum = 0;

    for (int k = 1; k < c->n_x; k += PER_LEVEL)
        sum += most_of(a, &c->x[k].shape);
    return sum;
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct proposals *a = args;
    int64_t most = 0;
    char text[SHAPE_TEXT];

    if (x[0].rank != 4)
        return err_set(err, ERR_CONFIG, "proposals: image is %s, expected images",
                       shape_text(&x[0], text));
    if ((n_x - 1) % PER_LEVEL)
        return err_set(err, ERR_CONFIG,
                       "proposals: %d inputs, expected an image and objectness, deltas and anchors "
                       "of each level",
                       n_x);
    for (int k = 1; k < n_x; k += PER_LEVEL) {
        if (list_check("proposals", "objectness", &x[k], 1, err) ||
            list_check("proposals", "deltas", &x[k + 1], BOX, err) ||
            list_check("proposals", "anchors", &x[k + 2], BOX, err) ||
            list_rows_check("proposals", "scores", &x[k], "deltas", &x[k + 1], err) ||
            list_rows_check("proposals", "scores", &x[k], "anchors", &x[k + 2], err))
            return -1;
        most += most_of(a, &x[k]);
        plan->flops += (double)shape_len(&x[k]) + 20.0 * (double)most_of(a, &x[k]);
    }
    if (!coder_fits(&a->coder))
        return err_set(err, ERR_CONFIG, "proposals: %d weights, expected 1 or 4",
                       a->coder.weights.n);
    plan->y = (struct shape){3, {x[0].dim[0], a->top, BOX}};
    /* of a sample: candidates, and the order of a level's or of all levels' */
    plan->scratch_bytes =
        (size_t)(x[0].dim[0] * most) * (sizeof(struct proposal) + sizeof(struct ranked));
    return 0;
}

/* The anchors of a level with the largest objectness into order[], best first; how many. */
static int64_t best_anchors(const struct op_call *c, int k, int64_t sample, struct ranked *order) {
    const int64_t r = c->x[k].shape.dim[1], most = most_of(c->args, &c->x[k].shape);
    const act *score = c->x[k].data + sample * r;
    int64_t n = 0;

    for (int64_t i = 0; i < r; i++)
        if (score[i] >= (act)-INFINITY) /* is a number */
            ranked_offer(order, &n, most, (struct ranked){score[i], (int32_t)i});
    ranked_sort(order, n);
    return n;
}

/* An anchor, moved and cut off; false where too little of it is left. */
static bool move(const struct op_call *c, const act *anchor, const act *deltas, act out[BOX]) {
    const struct proposals *a = c->args;
    double box[BOX];

    coder_decode(&a->coder, anchor, deltas, box);
    for (int i = 0; i < BOX; i++) {
        const double last = (double)c->x[0].shape.dim[i % 2 ? 1 : 2];

        out[i] = (act)(box[i] > 0 ? box[i] < last ? box[i] : last : 0);
    }
    return box_is(out) && (double)(out[2] - out[0]) >= a->smallest &&
           (double)(out[3] - out[1]) >= a->smallest;
}

/* What remains of a level, best first, into kept[]; how many. */
static int64_t level_of(const struct op_call *c, int k, int64_t sample, struct ranked *order,
                        struct proposal *kept) {
    const struct proposals *a = c->args;
    const int64_t r = c->x[k].shape.dim[1], n = best_anchors(c, k, sample, order);
    int64_t n_kept = 0;

    for (int64_t i = 0; i < n && n_kept < a->top; i++) {
        const int64_t at = (sample * r + order[i].at) * BOX;
        struct proposal one = {.score = order[i].score};
        int64_t j = 0;

        if (!move(c, c->x[k + 2].data + at, c->x[k + 1].data + at, one.box))
            continue;
        while (j < n_kept && box_iou(one.box, kept[j].box) <= a->iou)
            j++;
        if (j == n_kept)
            kept[n_kept++] = one;
    }
    return n_kept;
}

static void forward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct proposals *a = c->args;
    const int64_t most = most_of_all(a, c), samples = c->y.shape.dim[0];
    struct proposal *all = (struct proposal *)c->scratch + begin * most;
    struct ranked *order =
        (struct ranked *)(void *)((struct proposal *)c->scratch + samples * most) + begin * most;

    for (int64_t sample = begin; sample < end; sample++, all += most, order += most) {
        act *y = c->y.data + sample * a->top * BOX;
        int64_t n = 0, left = 0;

        for (int k = 1; k < c->n_x; k += PER_LEVEL)
            n += level_of(c, k, sample, order, all + n);
        for (int64_t i = 0; i < n; i++)
            ranked_offer(order, &left, n < a->top ? n : a->top,
                         (struct ranked){all[i].score, (int32_t)i});
        ranked_sort(order, left);
        for (int64_t i = 0; i < left; i++)
            memcpy(y + i * BOX, all[order[i].at].box, sizeof all->box);
        memset(y + left * BOX, 0, (size_t)((a->top - left) * BOX) * sizeof *y);
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0], forward_samples);
}

const struct op op_proposals = {
    .word = {"proposals", "the regions that a region proposal network thinks to hold something",
             sizeof(struct proposals), specs},
    .min_x = 4,
    .max_x = OP_ANY_INPUTS,
    .plan = plan,
    .forward = forward,
};
