/* pr_curve(found, boxes[, difficult, crowd, overlap], classes, points=21, iou=0.5, kind=coco, ..):
 * y [1, classes, points], of each class the best precision at recalls of 0 to 1, equally far apart;
 * 0 beyond the last hit, nan where no box of the class counts. Of several iou the mean. */
#include "core/ops/detect/measured.h"

#include <math.h>

static const struct arg_spec specs[] = {
    MEASURED_CLASSES,
    {.name = "points",
     .kind = ARG_INT,
     .offset = offsetof(struct measured_args, points),
     .fallback = 21,
     .min = 2,
     .max = 1001,
     .help = "of each curve, from recall 0 to 1"},
    {.name = "iou",
     .kind = ARG_REALS,
     .offset = offsetof(struct measured_args, iou),
     .fallback = 0.5,
     .min = 0,
     .max = 1,
     .help = "least overlap of a hit; of several the mean; 0: 0.5, 0.55 .. 0.95, as COCO"},
    MEASURED_KIND,
    MEASURED_MOST(0),
    MEASURED_AREAS,
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct measured_args *a = args;

    if (measured_plan("pr_curve", a, x, n_x, plan, err))
        return -1;
    plan->y = (struct shape){3, {1, a->classes, a->points}};
    return 0;
}

static void draw(struct measured *m, const struct measured_class *k, real *y, bool first) {
    const int points = m->a->points;
    const int64_t n = measured_curve(m, k);
    int64_t from = 0;

    for (int i = 0; i < points; i++) {
        const double p = measured_precision(m, k, n, (double)i / (points - 1), &from);
        y[i] = (real)((first ? 0 : (double)y[i]) + p / measured_n_iou(m->a));
    }
}

static void forward(const struct op_call *c) {
    struct measured m = measured_begin(c);
    const struct measured_args *a = c->args;

    for (int64_t i = 0; i < shape_len(&c->y.shape); i++)
        c->y.reals[i] = (real)NAN;
    for (int i = 0; m.finite && i < measured_n_iou(a); i++) {
        measured_match(&m, measured_iou(a, i));
        for (struct measured_class k = {0}; measured_next(&m, &k) && k.class < a->classes;)
            draw(&m, &k, c->y.reals + (int64_t)k.class * a->points, !i);
    }
}

const struct op op_pr_curve = {
    .word = {"pr_curve", "precision of boxes found at recalls of 0 to 1, of each class",
             sizeof(struct measured_args), specs},
    .min_x = 2,
    .max_x = 5,
    .meaning.whole = true,
    .plan = plan,
    .count = measured_count,
    .forward = forward,
};
