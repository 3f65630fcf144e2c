/* class_map(found, boxes[, difficult, crowd, overlap], classes, iou=0, kind=coco, ..): y
 * [1, classes], the average precision of each class; nan where no box of it counts. */
#include "core/ops/detect/measured.h"

#include <math.h>

static const struct arg_spec specs[] = {
    MEASURED_CLASSES, MEASURED_IOU, MEASURED_KIND, MEASURED_MOST(0), MEASURED_AREAS, {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    if (measured_plan("class_map", args, x, n_x, plan, err))
        return -1;
    plan->y = (struct shape){2, {1, ((const struct measured_args *)args)->classes}};
    return 0;
}

static void forward(const struct op_call *c) {
    struct measured m = measured_begin(c);
    const struct measured_args *a = c->args;
    const int n = measured_n_iou(a);

    for (int k = 0; k < a->classes; k++)
        c->y.reals[k] = (real)NAN;
    for (int i = 0; m.finite && i < n; i++) {
        measured_match(&m, measured_iou(a, i));
        for (struct measured_class k = {0}; measured_next(&m, &k);) {
            if (!(k.class < a->classes))
                break;
            real *y = &c->y.reals[(int64_t)k.class];
            *y = (real)((i ? (double)*y : 0) + measured_average(&m, &k) / n);
        }
    }
}

const struct op op_class_map = {
    .word = {"class_map", "average precision of boxes found, of each class",
             sizeof(struct measured_args), specs},
    .min_x = 2,
    .max_x = 5,
    .meaning.better = 1,
    .meaning.whole = true,
    .plan = plan,
    .count = measured_count,
    .forward = forward,
};
