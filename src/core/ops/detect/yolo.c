#include "core/ops/detect/yolo.h"

static int own_check(const char *name, const struct yolo_anchors *a, struct err *err) {
    const int n = yolo_n_anchors(a);

    for (int i = 0; i < a->own.n; i++) {
        const double v = a->own.v[i];
        if (v < 0 && a->own.n == 1 && v >= -1 && v <= -1)
            return 0;
        if (v < 0 || v >= n || v > floor(v))
            return err_set(err, ERR_CONFIG, "%s: own has %g, expected numbers of anchors: 0 to %d",
                           name, v, n - 1);
    }
    return a->own.n ? 0 : err_set(err, ERR_CONFIG, "%s: own is empty", name);
}

int yolo_channels_check(const char *name, const struct shape *head, int64_t each, struct err *err) {
    char text[SHAPE_TEXT];

    if (head->rank != 4)
        return err_set(err, ERR_CONFIG,
                       "%s: the head is %s, expected samples x height x width x channels", name,
                       shape_text(head, text));
    if (head->dim[3] % each || head->dim[3] / each <= YOLO_CLASSES)
        return err_set(err, ERR_CONFIG,
                       "%s: the head has %lld channels, expected %lld * (5 + classes)", name,
                       (long long)head->dim[3], (long long)each);
    return 0;
}

static int64_t each_of(const struct yolo_anchors *a) {
    return a->own.v[0] < 0 ? yolo_n_anchors(a) : a->own.n;
}

int yolo_check(const char *name, const struct yolo_anchors *a, const struct shape *head,
               const struct shape *image, struct err *err) {
    char text[SHAPE_TEXT];

    if (a->anchors.n < 2 || a->anchors.n % 2)
        return err_set(err, ERR_CONFIG,
                       "%s: anchors are %d numbers, expected a width and a height of each", name,
                       a->anchors.n);
    if (own_check(name, a, err) || yolo_channels_check(name, head, each_of(a), err))
        return -1;
    if (image->rank != 4)
        return err_set(err, ERR_CONFIG,
                       "%s: the picture is %s, expected samples x height x width x channels", name,
                       shape_text(image, text));
    return 0;
}

struct yolo_head yolo_head(const struct yolo_anchors *a, const struct shape *head,
                           const struct shape *image) {
    struct yolo_head h = {.a = a,
                          .n = head->dim[0],
                          .rows = head->dim[1],
                          .columns = head->dim[2],
                          .each = each_of(a),
                          .width = (double)image->dim[2],
                          .height = (double)image->dim[1]};

    h.boxes = h.rows * h.columns * h.each;
    h.numbers = head->dim[3] / h.each;
    h.classes = h.numbers - YOLO_CLASSES;
    h.stride_x = h.width / (double)h.columns;
    h.stride_y = h.height / (double)h.rows;
    return h;
}

void yolo_decode(const struct yolo_head *h, int64_t box, const act *x, act corner[BOX]) {
    const int64_t place = box / h->each;
    const double *anchor = h->a->anchors.v + 2 * yolo_own(h->a, box % h->each);
    const double cx = ((double)(place % h->columns) + yolo_sigmoid((double)x[0])) * h->stride_x,
                 cy = ((double)(place / h->columns) + yolo_sigmoid((double)x[1])) * h->stride_y,
                 half_w = anchor[0] * exp((double)x[2]) / 2,
                 half_h = anchor[1] * exp((double)x[3]) / 2;

    corner[0] = (act)(cx - half_w);
    corner[1] = (act)(cy - half_h);
    corner[2] = (act)(cx + half_w);
    corner[3] = (act)(cy + half_h);
}
