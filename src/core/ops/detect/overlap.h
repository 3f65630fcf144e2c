/* overlap.h - losses of two boxes by what they share, with their slopes. */
#pragma once
#include "core/ops/detect/box.h"

enum overlap_kind { OVERLAP_IOU, OVERLAP_GIOU, OVERLAP_CIOU };

/* The loss of a box against the one to find; slopes[4] along its corners. Sources: box_loss.c. */
double overlap_loss(enum overlap_kind kind, const double box[BOX], const act *truth,
                    double slopes[BOX]);
