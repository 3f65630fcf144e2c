/* augment_piece.h - images of many sizes on their way into a pipeline; for augment.c alone. */
#pragma once
#include "io/augment/augment.h"

/* The call of word i of a plan, without images; the first word has an image of height x width. */
struct augment_call augment_call_of(const struct augment_plan *plan,
                                    const struct augment_draw *draw, int i, int64_t height,
                                    int64_t width);

/* Find what of a plan decoding and the table deal with, after its words are planned.
 * Errors: ERR_CONFIG where the words leave images of many sizes. */
int augment_plan_piece(struct augment_plan *plan, struct err *err);

/* The piece's bytes [plan->opened] by the plan's table to image[opened]. */
void augment_look_up(const struct augment_plan *plan, const unsigned char *bytes, float *image);
