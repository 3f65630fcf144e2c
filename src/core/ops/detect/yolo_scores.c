/* yolo_scores(head, boxes=3): of each box of a YOLO head, in the order of yolo_boxes, the scores of
 * all classes, sigmoid(object) * sigmoid(class): [n, r, classes]. No gradient passes. */
#include "core/ops/detect/yolo.h"
#include "core/ops/parts/share.h"

struct yolo_scores {
    int boxes;
};

static const struct arg_spec specs[] = {
    {.name = "boxes",
     .kind = ARG_INT,
     .offset = offsetof(struct yolo_scores, boxes),
     .fallback = 3,
     .min = 1,
     .max = 1000,
     .help = "that the head has at each place: its own anchors"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct yolo_scores *a = args;

    (void)n_x;
    if (yolo_channels_check("yolo_scores", x, a->boxes, err))
        return -1;
    plan->y = (struct shape){
        3, {x->dim[0], x->dim[1] * x->dim[2] * a->boxes, x->dim[3] / a->boxes - YOLO_CLASSES}};
    plan->flops = 8 * (double)shape_len(&plan->y);
    return 0;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t classes = c->y.shape.dim[2];

    for (int64_t i = begin; i < end; i++) {
        const act *x = c->x[0].data + i * (YOLO_CLASSES + classes);
        const double object = yolo_sigmoid((double)x[YOLO_OBJECT]);
        act *y = c->y.data + i * classes;

        for (int64_t j = 0; j < classes; j++)
            y[j] = (act)(object * yolo_sigmoid((double)x[YOLO_CLASSES + j]));
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0] * c->y.shape.dim[1], forward_rows);
}

const struct op op_yolo_scores = {
    .word = {"yolo_scores", "the scores of the boxes of a YOLO head", sizeof(struct yolo_scores),
             specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
};
