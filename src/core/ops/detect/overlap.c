#include "core/ops/detect/overlap.h"

static struct slopes number(double v) {
    return (struct slopes){.v = v};
}

/* a * x + b * y, in slopes alone. */
static struct slopes mixed(double v, double a, struct slopes x, double b, struct slopes y) {
    struct slopes r = {.v = v};

    for (int i = 0; i < BOX; i++)
        r.d[i] = (a != 0 ? a * x.d[i] : 0) + (b != 0 ? b * y.d[i] : 0);
    return r;
}

static struct slopes sum(struct slopes x, struct slopes y) {
    return mixed(x.v + y.v, 1, x, 1, y);
}

static struct slopes difference(struct slopes x, struct slopes y) {
    return mixed(x.v - y.v, 1, x, -1, y);
}

static struct slopes product(struct slopes x, struct slopes y) {
    return mixed(x.v * y.v, y.v, x, x.v, y);
}

/* 0 where there is nothing to divide by: boxes without any area, or a centre's distance of nothing.
 */
static struct slopes quotient(struct slopes x, struct slopes y) {
    return y.v > 0 ? mixed(x.v / y.v, 1 / y.v, x, -x.v / (y.v * y.v), y) : number(0);
}

static struct slopes least(struct slopes x, double y) {
    return x.v < y ? x : number(y);
}

static struct slopes most(struct slopes x, double y) {
    return x.v > y ? x : number(y);
}

static struct slopes square(struct slopes x) {
    return product(x, x);
}

/* atan(w / h) */
static struct slopes proportion(struct slopes w, struct slopes h) {
    const double both = w.v * w.v + h.v * h.v;

    return both > 0 ? mixed(atan2(w.v, h.v), h.v / both, w, -w.v / both, h) : number(0);
}

/* Of what CIoU adds: the centres' distance over the diagonal of the box around both, and alpha v.
 */
static struct slopes apart(const struct slopes box[BOX], const double t[BOX],
                           struct slopes around_w, struct slopes around_h, struct slopes iou) {
    const double four_by_pi_squared = 0.40528473456935108578;
    const struct slopes x = difference(sum(box[0], box[2]), number(t[0] + t[2])),
                        y = difference(sum(box[1], box[3]), number(t[1] + t[3])),
                        far = quotient(sum(square(x), square(y)),
                                       product(number(4), sum(square(around_w), square(around_h))));
    const struct slopes own = proportion(difference(box[2], box[0]), difference(box[3], box[1]));
    const struct slopes off = difference(own, number(atan2(t[2] - t[0], t[3] - t[1]))),
                        v = product(number(four_by_pi_squared), square(off)),
                        alpha = quotient(v, sum(difference(number(1), iou), v));

    return sum(far, product(alpha, v));
}

struct slopes overlap_loss(enum overlap kind, const struct slopes box[BOX], const act *truth) {
    const double t[BOX] = {(double)truth[0], (double)truth[1], (double)truth[2], (double)truth[3]};
    const struct slopes shared_w = most(difference(least(box[2], t[2]), most(box[0], t[0])), 0);
    const struct slopes shared_h = most(difference(least(box[3], t[3]), most(box[1], t[1])), 0);
    const struct slopes shared = product(shared_w, shared_h);
    const struct slopes area = product(difference(box[2], box[0]), difference(box[3], box[1]));
    const struct slopes both = difference(sum(area, number((t[2] - t[0]) * (t[3] - t[1]))), shared);
    const struct slopes iou = quotient(shared, both);
    const struct slopes loss = difference(number(1), iou);
    const struct slopes around_w = difference(most(box[2], t[2]), least(box[0], t[0])),
                        around_h = difference(most(box[3], t[3]), least(box[1], t[1])),
                        around = product(around_w, around_h);

    switch (kind) {
    case OVERLAP_GIOU:
        return sum(loss, quotient(difference(around, both), around));
    case OVERLAP_CIOU:
        return sum(loss, apart(box, t, around_w, around_h, iou));
    default:
        return loss;
    }
}
