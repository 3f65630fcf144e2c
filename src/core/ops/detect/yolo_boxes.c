/* yolo_boxes(head, image, anchors, own=-1, clip=true): the boxes of a YOLO head, [n, r, 4], as
 * yolo.h says; image for its size alone. No gradient passes. */
#include "core/ops/detect/yolo.h"
#include "core/ops/parts/share.h"

struct yolo_boxes {
    struct yolo_anchors anchors;
    int clip;
};

static const char *const no_yes[] = {"false", "true", NULL};

static const struct arg_spec specs[] = {
    YOLO_ANCHORS,
    YOLO_OWN,
    {.name = "clip",
     .kind = ARG_WORD,
     .offset = offsetof(struct yolo_boxes, clip),
     .fallback = 1,
     .words = no_yes,
     .help = "boxes end where the picture does"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct yolo_boxes *a = args;

    (void)n_x;
    if (yolo_check("yolo_boxes", &a->anchors, &x[0], &x[1], err))
        return -1;
    const struct yolo_head h = yolo_head(&a->anchors, &x[0], &x[1]);
    plan->y = (struct shape){3, {x->dim[0], h.boxes, BOX}};
    plan->flops = 8 * (double)shape_len(&plan->y);
    return 0;
}

static act within(act v, double end) {
    return v > 0 ? (v < (act)end ? v : (act)end) : 0;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct yolo_boxes *a = c->args;
    const struct yolo_head h = yolo_head(&a->anchors, &c->x[0].shape, &c->x[1].shape);

    for (int64_t i = begin; i < end; i++) {
        act *y = c->y.data + i * BOX;

        yolo_decode(&h, i % h.boxes, c->x[0].data + i * h.numbers, y);
        for (int k = 0; k < BOX && a->clip; k++)
            y[k] = within(y[k], k % 2 ? h.height : h.width);
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0] * c->y.shape.dim[1], forward_rows);
}

const struct op op_yolo_boxes = {
    .word = {"yolo_boxes", "the boxes of a YOLO head", sizeof(struct yolo_boxes), specs},
    .min_x = 2,
    .max_x = 2,
    .plan = plan,
    .forward = forward,
};
