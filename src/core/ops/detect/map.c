/* map(found, boxes[, difficult, crowd, overlap], iou=0, kind=coco, most=0, above=0, below=1e12):
 * mean average precision, over the classes of which there are boxes that count, and over the values
 * of iou. nan where there are none. */
#include "core/ops/detect/measured.h"

#include <math.h>

static const struct arg_spec specs[] = {
    MEASURED_IOU, MEASURED_KIND, MEASURED_MOST(0), MEASURED_AREAS, {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    return measured_plan("map", args, x, n_x, plan, err);
}

static void forward(const struct op_call *c) {
    struct measured m = measured_begin(c);
    double sum = 0, n = 0;

    for (int i = 0; m.finite && i < measured_n_iou(c->args); i++) {
        measured_match(&m, measured_iou(c->args, i));
        for (struct measured_class k = {0}; measured_next(&m, &k); n++)
            sum += measured_average(&m, &k);
    }
    c->y.reals[0] = (real)(n > 0 ? sum / n : (double)NAN);
}

const struct op op_map = {
    .word = {"map", "mean average precision of boxes found, by the rules of COCO or Pascal VOC",
             sizeof(struct measured_args), specs},
    .min_x = 2,
    .max_x = 5,
    .meaning.better = 1,
    .meaning.whole = true,
    .plan = plan,
    .count = measured_count,
    .forward = forward,
};
