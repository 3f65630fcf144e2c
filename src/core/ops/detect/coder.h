/* coder.h - a box as numbers of a network: how far it lies from a region and how much larger it is,
 *   d = [wx (cx - ax) / aw, wy (cy - ay) / ah, ww log(w / aw), wh log(h / ah)]
 * with cx, cy, w, h the box's centre and size and ax, ay, aw, ah the region's.
 * Source: Girshick et al. 2014, doi:10.1109/CVPR.2014.81, appendix C; the weights are the
 * reciprocals of SSD's variances. */
#pragma once
#include "core/base/word.h"
#include "core/ops/detect/box.h"

struct coder {
    struct reals weights; /* one, or one each of x, y, w, h */
    double limit;         /* of the logarithms of growth */
};

/* The growth at which a region of 16 pixels becomes one of 1000. */
#define CODER_LIMIT 4.135166556742356

#define CODER_WEIGHTS(type, usual)                                                                 \
    {                                                                                              \
        .name = "weights", .kind = ARG_REALS, .offset = offsetof(type, coder.weights),             \
        .fallback = (usual), .min = ARG_ABOVE_0, .max = -1,                                        \
        .help = "of x, y, width, height: [10, 10, 5, 5] of SSD; one number: of all"                \
    }
#define CODER_CLIP(type)                                                                           \
    {                                                                                              \
        .name = "clip", .kind = ARG_REAL, .offset = offsetof(type, coder.limit),                   \
        .fallback = CODER_LIMIT, .min = 0, .max = -1, .help = "largest logarithm of growth"        \
    }

static inline double coder_weight(const struct coder *c, int i) {
    return c->weights.v[c->weights.n == 1 ? 0 : i];
}

static inline bool coder_fits(const struct coder *c) {
    return c->weights.n == 1 || c->weights.n == BOX;
}

/* Is there a region of some extent? */
static inline bool box_is(const act *b) {
    return b[2] > b[0] && b[3] > b[1];
}

static inline void coder_encode(const struct coder *c, const act *region, const act *box,
                                double d[BOX]) {
    for (int i = 0; i < 2; i++) {
        const double a = (double)region[i + 2] - (double)region[i];
        const double b = (double)box[i + 2] - (double)box[i];
        const double from = (double)region[i] + a / 2, to = (double)box[i] + b / 2;

        d[i] = coder_weight(c, i) * (to - from) / a;
        d[i + 2] = coder_weight(c, i + 2) * log(b / a);
    }
}

/* One step of growth, which stops at the limit. */
static inline double coder_growth(const struct coder *c, const act *d, int i) {
    const double growth = (double)d[i + 2] / coder_weight(c, i + 2);

    return growth > c->limit ? c->limit : growth;
}

static inline void coder_decode(const struct coder *c, const act *region, const act *d,
                                double box[BOX]) {
    for (int i = 0; i < 2; i++) {
        const double a = (double)region[i + 2] - (double)region[i];
        const double centre = (double)region[i] + a / 2 + (double)d[i] / coder_weight(c, i) * a;
        const double size = exp(coder_growth(c, d, i)) * a;

        box[i] = centre - size / 2;
        box[i + 2] = centre + size / 2;
    }
}

/* The slopes along d[4] of what has the slopes along the corners of the decoded box. */
static inline void coder_slopes(const struct coder *c, const act *region, const act *d,
                                const double corners[BOX], double slopes[BOX]) {
    for (int i = 0; i < 2; i++) {
        const double a = (double)region[i + 2] - (double)region[i], w = coder_weight(c, i + 2);
        const double growth = (double)d[i + 2] / w;

        slopes[i] = (corners[i] + corners[i + 2]) * a / coder_weight(c, i);
        slopes[i + 2] =
            growth > c->limit ? 0 : (corners[i + 2] - corners[i]) / 2 * exp(growth) * a / w;
    }
}
