/* roi.h - places of a feature map that a region is read at, between its pixels.
 * Source: He et al. 2017, doi:10.1109/ICCV.2017.322; where places lie is that of torchvision's
 * roi_align. */
#pragma once
#include "core/ops/detect/box.h"

/* Cells of a region along one axis of a map, and the places within each. */
struct roi_axis {
    double begin, cell; /* in pixels of the map */
    int64_t places, len;
};

/* A place between two pixels; outside of the map both weights are 0. */
struct roi_place {
    int64_t low, high;
    double w_low, w_high;
};

/* Cut the region from `from` to `to`, pixels of the picture, into `cells`.
 *   stride    pixels of the picture between those of the map
 *   sampling  places in a cell; 0: as many as it has pixels, rounded up
 *   aligned   a pixel's centre is half a pixel from its corner; else a region has one pixel at
 *             least
 *   len       of the map */
static inline struct roi_axis roi_axis_of(double from, double to, double stride, int cells,
                                          int sampling, bool aligned, int64_t len) {
    const double shift = aligned ? 0.5 : 0;
    double size = to / stride - from / stride;

    if (!aligned && size < 1)
        size = 1;
    const double places = sampling ? sampling : ceil(size / cells);
    return (struct roi_axis){from / stride - shift, size / cells,
                             places >= 1 && places < 0x1p31 ? (int64_t)places : 1, len};
}

static inline struct roi_place roi_place_of(const struct roi_axis *a, int64_t cell, int64_t place) {
    double at = a->begin + a->cell * ((double)cell + ((double)place + 0.5) / (double)a->places);

    if (!(at >= -1 && at <= (double)a->len))
        return (struct roi_place){0, 0, 0, 0};
    if (at < 0)
        at = 0;
    const int64_t low = (int64_t)at;
    if (low >= a->len - 1)
        return (struct roi_place){a->len - 1, a->len - 1, 1, 0};
    return (struct roi_place){low, low + 1, 1 - (at - (double)low), at - (double)low};
}
