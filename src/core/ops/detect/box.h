/* box.h - rectangles in pictures, as the operators of detection exchange them.
 *
 *   box      x1, y1, x2, y2 in pixels of the picture that the network sees: corners, x to the right,
 *            y downwards, x2 and y2 exclusive, so that a width is x2 - x1
 *   truth    [n, m, 5]: a box and its class, 0 .. classes - 1; rows of class -1 are none
 *   regions  [n, r, 4]: boxes; those of no width are none
 *   target   [n, r, 5]: for each region the box it is to find and its class; TARGET_BACKGROUND: it
 *            is to find nothing; TARGET_IGNORED: it does not count
 *   found    [n, k, 6]: a box, its class and score, best first; rows of class -1 are none */
#pragma once
#include "core/base/tensor.h"

#include <math.h>

enum { BOX = 4, TRUTH = 5, FOUND = 6 }; /* numbers of a row */

#define TARGET_BACKGROUND ((act)-1)
#define TARGET_IGNORED ((act)-2)

static inline double box_area(const act *b) {
    const double w = (double)b[2] - (double)b[0], h = (double)b[3] - (double)b[1];

    return w > 0 && h > 0 ? w * h : 0;
}

/* Area that two boxes share. */
static inline double box_shared(const act *a, const act *b) {
    const double left = a[0] > b[0] ? (double)a[0] : (double)b[0],
                 top = a[1] > b[1] ? (double)a[1] : (double)b[1],
                 right = a[2] < b[2] ? (double)a[2] : (double)b[2],
                 bottom = a[3] < b[3] ? (double)a[3] : (double)b[3];

    return right > left && bottom > top ? (right - left) * (bottom - top) : 0;
}

/* Intersection over union, 0 where both are of no area. */
static inline double box_iou(const act *a, const act *b) {
    const double shared = box_shared(a, b), both = box_area(a) + box_area(b) - shared;

    return both > 0 ? shared / both : 0;
}
