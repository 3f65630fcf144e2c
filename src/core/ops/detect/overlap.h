/* overlap.h - losses of how little a box overlaps the one that it is to be, with their slopes.
 *   iou    1 - IoU
 *   giou   and the share of the box around both that belongs to neither: Rezatofighi et al. 2019,
 *          doi:10.1109/CVPR.2019.00075
 *   ciou   1 - IoU and how far the centres lie apart and the proportions differ: Zheng et al. 2020,
 *          doi:10.1609/aaai.v34i07.6999. The slope is that of all of it, alpha included */
#pragma once
#include "core/ops/detect/box.h"

enum overlap { OVERLAP_IOU, OVERLAP_GIOU, OVERLAP_CIOU };

/* A number that depends on four others, and its slopes along them. */
struct slopes {
    double v, d[BOX];
};

/* The loss of a box against truth [4], which has an area; its slopes are along what those of the
 * box's corners are along. */
struct slopes overlap_loss(enum overlap kind, const struct slopes box[BOX], const act *truth);
