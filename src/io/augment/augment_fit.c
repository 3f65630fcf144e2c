/* How importers bring pictures to one size, as the first word of a pipeline: for pictures that were
 * not imported, before networks that were trained on some that were. No word of jobs. */
#include "io/augment/augment_parts.h"

#include <math.h>

static int plan_fit(const void *args, bool training, const struct augment_source *source,
                    struct augment_stage *s, struct err *err) {
    const struct augment_fit *a = args;

    (void)training, (void)source, (void)err;
    s->out.dim[0] = a->height;
    s->out.dim[1] = a->width;
    s->many_out = false;
    return 0;
}

/* As image_resize: of the larger side equally much is cut at both ends, between pixels if need be.
 */
static void fit_piece(const struct augment_call *c, struct augment_piece *piece) {
    const double height = (double)c->in_shape.dim[0], width = (double)c->in_shape.dim[1];
    const double out_height = (double)c->out_shape.dim[0], out_width = (double)c->out_shape.dim[1];
    const bool stretch = ((const struct augment_fit *)c->args)->stretch;
    const double step = fmin(width / out_width, height / out_height);

    *piece = (struct augment_piece){.height = stretch ? height : out_height * step,
                                    .width = stretch ? width : out_width * step,
                                    .bound = {0, 0, c->in_shape.dim[0], c->in_shape.dim[1]},
                                    .out_height = c->out_shape.dim[0],
                                    .out_width = c->out_shape.dim[1]};
    piece->top = (height - piece->height) / 2;
    piece->left = (width - piece->width) / 2;
}

const struct augment augment_fit_word = {
    .word = {"size", "pictures as importers bring them to one size", sizeof(struct augment_fit),
             NULL},
    .moves = true,
    .plan = plan_fit,
    .apply = augment_apply_piece,
    .piece = fit_piece,
    .affine = augment_affine_piece,
};
