/* yolo.h - the head of a YOLO network: at each place of a grid `each` boxes, one for each of its
 * anchors, and of each box 5 + classes numbers side by side: x, y, w, h, whether there is an
 * object, and the classes. Box a at column i and row j of the grid, in pixels of the picture, is
 *   centre (i + sigmoid(x)) * stride, (j + sigmoid(y)) * stride    size anchor * exp(w), exp(h)
 * The boxes of a sample are counted row by row, those of a place in the order of its anchors.
 * Source: Redmon and Farhadi 2018, arXiv:1804.02767, section 2.1 */
#pragma once
#include "core/ops/detect/box.h"
#include "core/ops/op.h"

enum { YOLO_OBJECT = 4, YOLO_CLASSES = 5 }; /* places among the numbers of a box */

/* The arguments that say which boxes a head has; the first member of its operators'. */
struct yolo_anchors {
    struct reals anchors; /* width, height, width, height ... */
    struct reals own;     /* which of them; -1: all */
};

#define YOLO_ANCHORS                                                                               \
    {                                                                                              \
        .name = "anchors", .kind = ARG_REALS, .offset = offsetof(struct yolo_anchors, anchors),    \
        .min = ARG_ABOVE_0, .max = -1, .required = true,                                           \
        .help = "width, height, width, height ... of all levels, in pixels of the picture"         \
    }
#define YOLO_OWN                                                                                   \
    {                                                                                              \
        .name = "own", .kind = ARG_REALS, .offset = offsetof(struct yolo_anchors, own),            \
        .fallback = -1, .min = -1, .max = 1e6,                                                     \
        .help = "which anchors this head has, the first is 0; -1: all"                             \
    }

struct yolo_head {
    const struct yolo_anchors *a;
    int64_t n, rows, columns, each, boxes, numbers,
        classes;                              /* boxes, numbers: of a sample, a box */
    double width, height, stride_x, stride_y; /* of the picture; of the grid in it */
};

/* Errors: ERR_CONFIG, beginning with name. */
int yolo_check(const char *name, const struct yolo_anchors *a, const struct shape *head,
               const struct shape *image, struct err *err);

/* The channels of a head with `each` boxes at a place fit. Errors: ERR_CONFIG. */
int yolo_channels_check(const char *name, const struct shape *head, int64_t each, struct err *err);

struct yolo_head yolo_head(const struct yolo_anchors *a, const struct shape *head,
                           const struct shape *image);

/* Anchors of all levels; of this head's anchor i the number among them. */
static inline int yolo_n_anchors(const struct yolo_anchors *a) {
    return a->anchors.n / 2;
}
static inline int yolo_own(const struct yolo_anchors *a, int64_t i) {
    return a->own.v[0] < 0 ? (int)i : (int)a->own.v[i];
}

static inline double yolo_sigmoid(double x) {
    const double e = exp(-fabs(x));

    return (x < 0 ? e : 1) / (1 + e);
}

/* Corners of that box, of its numbers x. */
void yolo_decode(const struct yolo_head *h, int64_t box, const act *x, act corner[BOX]);
