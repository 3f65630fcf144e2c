/* detection_counts(found, boxes[, difficult, crowd], iou=0.5, score=0.5): y [1, 4], in a picture
 * how many of what was found are hits, how many boxes are missed, how many found once more, and how
 * many are where there is no box of their class; the mean over pictures. Of what was found that has
 * that score, each takes, the first one first, the box of its class that it overlaps most of those
 * that are left. */
#include "core/ops/detect/box.h"
#include "core/ops/op.h"

#include <string.h>

struct counts {
    double iou, score;
};

enum { HITS, MISSES, DOUBLES, WRONG, N_COUNTS };

static const struct arg_spec specs[] = {
    {.name = "iou",
     .kind = ARG_REAL,
     .offset = offsetof(struct counts, iou),
     .fallback = 0.5,
     .min = ARG_ABOVE_0,
     .max = 1,
     .help = "least overlap of a hit, intersection over union"},
    {.name = "score",
     .kind = ARG_REAL,
     .offset = offsetof(struct counts, score),
     .fallback = 0.5,
     .min = -1e30,
     .max = 1e30,
     .help = "least score of what counts as found"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    static const char *const flag[] = {"difficult", "crowd"};
    char text[2][SHAPE_TEXT];

    (void)args;
    if (x[0].rank != 3 || x[0].dim[2] != FOUND)
        return err_set(err, ERR_CONFIG,
                       "detection_counts: what was found is %s, expected rows of x1, y1, x2, y2, "
                       "class and score",
                       shape_text(&x[0], text[0]));
    if (x[1].rank != 3 || x[1].dim[2] != TRUTH || x[1].dim[0] != x[0].dim[0])
        return err_set(err, ERR_CONFIG,
                       "detection_counts: boxes are %s, expected rows of x1, y1, x2, y2 and class",
                       shape_text(&x[1], text[0]));
    for (int k = 2; k < n_x; k++)
        if (shape_len(&x[k]) != 1 && shape_len(&x[k]) * TRUTH != shape_len(&x[1]))
            return err_set(err, ERR_CONFIG,
                           "detection_counts: %s is %s, expected a number for each box of %s",
                           flag[k - 2], shape_text(&x[k], text[0]), shape_text(&x[1], text[1]));
    plan->y = (struct shape){2, {1, N_COUNTS}};
    plan->y_kind = TENSOR_REALS;
    plan->scratch_bytes = (size_t)x[1].dim[1];
    plan->flops = 10 * (double)shape_len(&x[0]) * (double)x[1].dim[1];
    return 0;
}

static double count(const struct op_call *c) {
    return (double)c->x[0].shape.dim[0];
}

/* Does box number `at` of all neither count nor miss? */
static bool is_neither(const struct op_call *c, int64_t at) {
    for (int k = 2; k < c->n_x; k++)
        if (c->x[k].shape.rank > 1 && c->x[k].data[at] > 0)
            return true;
    return false;
}

static double overlap(const struct op_call *c, const act *f, int64_t at) {
    const act *b = c->x[1].data + at * TRUTH;

    if (c->n_x > 3 && c->x[3].shape.rank > 1 && c->x[3].data[at] > 0)
        return box_area(f) > 0 ? box_shared(f, b) / box_area(f) : 0;
    return box_iou(f, b);
}

/* Which of N_COUNTS a row is; MISSES: none of them. Boxes of the picture begin at `first`. */
static int kind_of(const struct op_call *c, const act *f, int64_t first, bool *taken) {
    const struct counts *a = c->args;
    const int64_t m = c->x[1].shape.dim[1];
    bool is_double = false, is_with_neither = false;
    double most = 0;
    int64_t best = -1;

    for (int64_t k = 0; k < m; k++) {
        if (c->x[1].data[(first + k) * TRUTH + BOX] != f[BOX])
            continue;
        const double o = overlap(c, f, first + k);
        if (!(o >= a->iou))
            continue;
        if (is_neither(c, first + k))
            is_with_neither = true;
        else if (taken[k])
            is_double = true;
        else if (o > most)
            most = o, best = k;
    }
    if (best >= 0)
        taken[best] = true;
    return best >= 0 ? HITS : is_double ? DOUBLES : is_with_neither ? MISSES : WRONG;
}

static void forward(const struct op_call *c) {
    const struct counts *a = c->args;
    const int64_t n = c->x[0].shape.dim[0], k = c->x[0].shape.dim[1], m = c->x[1].shape.dim[1];
    int64_t sum[N_COUNTS] = {0};
    bool *taken = c->scratch;

    for (int64_t i = 0; i < n; i++) {
        memset(taken, 0, (size_t)m * sizeof *taken);
        for (int64_t at = i * k; at < (i + 1) * k; at++) {
            const act *f = c->x[0].data + at * FOUND;

            if (!(f[BOX] >= 0) || !((double)f[BOX + 1] >= a->score))
                continue;
            const int kind = kind_of(c, f, i * m, taken);
            sum[kind] += kind != MISSES;
        }
        for (int64_t box = 0; box < m; box++)
            sum[MISSES] += c->x[1].data[(i * m + box) * TRUTH + BOX] >= 0 && !taken[box] &&
                           !is_neither(c, i * m + box);
    }
    for (int j = 0; j < N_COUNTS; j++)
        c->y.reals[j] = (real)sum[j];
}

const struct op op_detection_counts = {
    .word = {"detection_counts", "hits, misses, doubles and wrong ones of boxes found in a picture",
             sizeof(struct counts), specs},
    .min_x = 2,
    .max_x = 4,
    .plan = plan,
    .count = count,
    .forward = forward,
};
