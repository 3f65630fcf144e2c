#include "core/ops/detect/overlap.h"

#define PI 3.14159265358979323846
#define TINY 1e-7 /* areas of nothing */

/* Sides of what two boxes share and of what is around both, along axis i of x, y. */
struct sides {
    double shared[2], around[2];
};

static struct sides sides_of(const double a[BOX], const double b[BOX]) {
    struct sides s;

    for (int i = 0; i < 2; i++) {
        s.shared[i] = fmin(a[i + 2], b[i + 2]) - fmax(a[i], b[i]);
        s.around[i] = fmax(a[i + 2], b[i + 2]) - fmin(a[i], b[i]);
    }
    return s;
}

static bool meet(const struct sides *s) {
    return s->shared[0] > 0 && s->shared[1] > 0;
}

/* Slopes of the shared area and of the area around both along the corners of a. */
static void area_slopes(const struct sides *s, const double a[BOX], const double b[BOX],
                        double shared[BOX], double around[BOX]) {
    for (int i = 0; i < 2; i++) {
        const double other = meet(s) ? s->shared[1 - i] : 0;

        shared[i] = a[i] > b[i] ? -other : 0;
        shared[i + 2] = a[i + 2] < b[i + 2] ? other : 0;
        around[i] = a[i] < b[i] ? -s->around[1 - i] : 0;
        around[i + 2] = a[i + 2] > b[i + 2] ? s->around[1 - i] : 0;
    }
}

/* Adds the distance of the centres and the difference of the forms. */
static double centres_and_forms(const struct sides *s, const double a[BOX], const double b[BOX],
                                double iou, double slopes[BOX]) {
    const double aw = a[2] - a[0], ah = a[3] - a[1], bw = b[2] - b[0], bh = b[3] - b[1];
    const double diagonal = s->around[0] * s->around[0] + s->around[1] * s->around[1] + TINY;
    const double turn = atan(bw / (bh + TINY)) - atan(aw / (ah + TINY));
    const double v = 4 / (PI * PI) * turn * turn, weight = v / (1 - iou + v + TINY);
    const double form = weight * 8 / (PI * PI) * turn / (aw * aw + ah * ah + TINY);
    double distance = 0;

    for (int i = 0; i < 2; i++) {
        const double d = (a[i] + a[i + 2] - b[i] - b[i + 2]) / 2;

        distance += d * d;
    }
    for (int i = 0; i < 2; i++) {
        const double d = (a[i] + a[i + 2] - b[i] - b[i + 2]) / 2;
        const double wider = 2 * s->around[i] * distance / (diagonal * diagonal);

        slopes[i] += d / diagonal + (a[i] < b[i] ? wider : 0);
        slopes[i + 2] += d / diagonal - (a[i + 2] > b[i + 2] ? wider : 0);
    }
    slopes[0] += form * ah, slopes[2] -= form * ah; /* of -atan(w / h) */
    slopes[1] -= form * aw, slopes[3] += form * aw;
    return distance / diagonal + weight * v;
}

double overlap_loss(enum overlap_kind kind, const double box[BOX], const act *truth,
                    double slopes[BOX]) {
    const double b[BOX] = {(double)truth[0], (double)truth[1], (double)truth[2], (double)truth[3]};
    const struct sides s = sides_of(box, b);
    const double shared = meet(&s) ? s.shared[0] * s.shared[1] : 0;
    const double w = box[2] - box[0], h = box[3] - box[1];
    const double both = w * h + (b[2] - b[0]) * (b[3] - b[1]) - shared + TINY;
    const double around = s.around[0] * s.around[1] + TINY, iou = shared / both;
    const double own[BOX] = {-h, -w, h, w};
    double d_shared[BOX], d_around[BOX];

    area_slopes(&s, box, b, d_shared, d_around);
    for (int i = 0; i < BOX; i++) {
        const double d_both = own[i] - d_shared[i];

        slopes[i] = -(d_shared[i] - iou * d_both) / both;
        if (kind == OVERLAP_GIOU) /* (around - both) / around */
            slopes[i] += both / around * d_around[i] / around - d_both / around;
    }
    if (kind == OVERLAP_GIOU)
        return 1 - iou + (around - both) / around;
    return 1 - iou + (kind == OVERLAP_CIOU ? centres_and_forms(&s, box, b, iou, slopes) : 0);
}
