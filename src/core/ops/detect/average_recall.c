/* average_recall(found, boxes[, difficult, crowd, overlap], most=100, iou=0, above=0, below=1e12):
 * the share of boxes that are found, the mean over classes and values of iou, by the rules of
 * COCO. nan where no box counts. */
#include "core/ops/detect/measured.h"

#include <math.h>

static const struct arg_spec specs[] = {
    MEASURED_MOST(100),
    MEASURED_IOU,
    MEASURED_AREAS,
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    return measured_plan("average_recall", args, x, n_x, plan, err);
}

static void forward(const struct op_call *c) {
    struct measured m = measured_begin(c);
    double sum = 0, n = 0;

    for (int i = 0; m.finite && i < measured_n_iou(c->args); i++) {
        measured_match(&m, measured_iou(c->args, i));
        for (struct measured_class k = {0}; measured_next(&m, &k); n++)
            sum += (double)measured_hits(&m, &k) / (double)k.boxes;
    }
    c->y.reals[0] = (real)(n > 0 ? sum / n : (double)NAN);
}

const struct op op_average_recall = {
    .word = {"average_recall", "share of boxes that are found, mean over classes, as COCO",
             sizeof(struct measured_args), specs},
    .min_x = 2,
    .max_x = 5,
    .meaning.better = 1,
    .meaning.whole = true,
    .plan = plan,
    .count = measured_count,
    .forward = forward,
};
