/* prepare_boxes.h - boxes and their masks move with the image that they are in. */
#pragma once
#include "io/loader/prepare.h"

/* Move boxes[max, 5], in place, by a plan for AUGMENT_BOXES, as its image of height x width moves.
 * Errors: ERR_DATA, "box 3 ...", for one outside of the image before. */
int boxes_move(const struct augment_plan *plan, const struct augment_draw *draw, int64_t height,
               int64_t width, float *boxes, int64_t max, struct err *err);

/* Masks[max, h, w] of bytes, not 0: of the box, to [max, plan->out] of 0 and 1.
 *   scratch  [h * w, plan->scratch_len], the first rounded up to 16 */
void masks_move(const struct augment_plan *plan, const struct augment_draw *draw,
                const unsigned char *masks, int64_t max, float *scratch, float *out);
