/* prepare_boxes.h - boxes and their masks move with the image that they are in. */
#pragma once
#include "io/loader/prepare.h"

/* Can boxes follow every word of the image's plan? Errors: ERR_CONFIG naming the word that they
 * cannot follow. */
int boxes_check(const struct augment_plan *image, const char *name, struct err *err);

/* Move boxes[max, 5], in place, as the image's plan moves an image of height x width, and end them
 * at its edges: those of which too little is left become rows of class -1 where they are.
 * draw->boxes may be the same boxes.
 * Errors: ERR_DATA, "box 3 ...", for one outside of the image before. */
int boxes_move(const struct augment_plan *image, const struct augment_draw *draw, int64_t height,
               int64_t width, float *boxes, int64_t max, struct err *err);

/* Masks[max, h, w] of bytes, not 0: of the box, to [max, plan->out] of 0 and 1.
 *   scratch  [h * w, plan->scratch_len], the first rounded up to 16 */
void masks_move(const struct augment_plan *plan, const struct augment_draw *draw,
                const unsigned char *masks, int64_t max, float *scratch, float *out);
