/* Which pixels an output of a resize is made of, and by which weights: in the order of operations,
 * the rounding and the integers of Pillow's Image.resize, so that bytes come out the same. This
 * file is compiled without fused multiply-adds, which round elsewhere. */
#include "io/image/image_resample.h"

#include <math.h>

static double half_width(const struct image_axis *a) {
    return a->step > 1 ? a->step : 1;
}

/* Of output i: its centre, and the pixels *low .. *end - 1 around it, one at least. */
static double reach_of(const struct image_axis *a, int i, int *low, int *end) {
    const double centre = a->begin + (i + 0.5) * a->step, half = half_width(a);
    const double from = centre - half + 0.5, to = centre + half + 0.5;

    *low = from < 0 ? 0 : from > a->len - 1 ? a->len - 1 : (int)from;
    *end = to > a->len ? a->len : to < *low + 1 ? *low + 1 : (int)to;
    return centre;
}

void image_axis_reach(const struct image_axis *a, int *first, int *end) {
    int ignored;

    reach_of(a, 0, first, &ignored);
    reach_of(a, a->n - 1, &ignored, end);
    *first += a->low;
    *end += a->low;
}

/* Triangle, at `distance` in half-widths. */
static double triangle(double distance) {
    const double far = fabs(distance);

    return far < 1 ? 1 - far : 0;
}

static void weigh(const struct image_axis *a, double centre, int low, int n, int32_t *weight) {
    const double scale = 1 / half_width(a);
    double sum = 0;

    for (int k = 0; k < n; k++)
        sum += triangle((k + low - centre + 0.5) * scale);
    for (int k = 0; k < n; k++) {
        const double w = triangle((k + low - centre + 0.5) * scale);

        weight[k] = (int32_t)(0.5 + (sum > 0 ? w / sum : 0) * (1 << IMAGE_WEIGHT_BITS));
    }
}

int image_taps_init(struct image_taps *t, const struct image_axis *a, enum image_shelf shelf,
                    struct image_room *room) {
    const double widest = 2 * half_width(a) + 2;
    const int most = widest > a->len ? a->len : (int)widest;
    const size_t n = (size_t)a->n;

    t->room = (most + 3) / 4 * 4;
    t->weight = image_shelf(room, shelf, n * ((size_t)t->room + 2) * sizeof *t->weight);
    if (!t->weight)
        return -1;
    t->first = (int *)(t->weight + n * (size_t)t->room);
    t->n = t->first + n;
    for (int i = 0; i < a->n; i++) {
        const int at = a->mirrored ? a->n - 1 - i : i;
        int32_t *weight = t->weight + (size_t)at * (size_t)t->room;
        int low, end;
        const double centre = reach_of(a, i, &low, &end);

        weigh(a, centre, low, end - low, weight);
        for (int k = end - low; k < t->room; k++)
            weight[k] = 0;
        t->first[at] = low + a->low;
        t->n[at] = end - low;
    }
    return 0;
}
