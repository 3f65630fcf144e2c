/* augment_parts.h - what several augmentations are made of. Images are float [h, w, c]. */
#pragma once
#include "io/augment/augment.h"

/* Pixels of a side or an offset; far above any image, so that products of sides fit int64_t. */
enum { AUGMENT_MAX_SIDE = 1 << 20 };

/* The argument size of a word whose arguments are in `type`. */
#define AUGMENT_SIZE(type)                                                                         \
    {                                                                                              \
        .name = "size", .kind = ARG_INTS, .offset = offsetof(type, size), .min = 1,                \
        .max = AUGMENT_MAX_SIDE, .required = true, .help = "pixels: a side, or [height, width]"    \
    }

/* size=32 or size=[24, 32] as height and width.
 * Errors: ERR_CONFIG when it is a longer list; `name` is the word's. */
int augment_size(const char *name, const struct ints *size, int64_t *height, int64_t *width,
                 struct err *err);

/* A word that does not give images of many sizes one: what to write instead.
 *   name  the word's, for the message
 * Returns -1. */
int augment_refuse_many(const char *name, struct err *err);

/* The plan of words that keep the shape and need no scratch; cannot fail. */
int augment_plan_same(const void *args, bool training, const struct augment_source *source,
                      struct augment_stage *stage, struct err *err);

/* What comes in from beyond the edges. */
static inline float augment_fill(const struct augment_call *c) {
    return c->source->role == AUGMENT_MASK ? -1 : 0;
}

/* What is beyond the edges: nothing, the image mirrored without its edge, or the edge again. */
enum augment_beyond { AUGMENT_ZEROS, AUGMENT_REFLECT, AUGMENT_EDGE };

/* augment_crop with what is beyond; a mirrored image has no second edge to reach over. */
void augment_crop_filled(const struct augment_call *c, const struct augment_box *box,
                         enum augment_beyond beyond);

/* Copy a piece of c->in to c->out [box.height, box.width, c], filled up beyond the edges. */
void augment_crop(const struct augment_call *c, const struct augment_box *box);

/* c->out at the place (y, x) of c->in: between four neighbours, or the nearest of a mask.
 *   out  [c], one pixel */
void augment_fetch(const struct augment_call *c, double y, double x, float *out);

/* The piece that is a box, as large as it is. */
struct augment_piece augment_piece_of(const struct augment_box *box);

/* Floats of scratch that resizing any piece of an image to `out` needs. */
int64_t augment_resample_scratch(const struct shape *in, const struct shape *out);

/* Resize a piece of c->in, which lies within it, to c->out. A triangle filter that is stretched
 * where the image shrinks, so that every pixel counts: as Pillow's BILINEAR. Of a mask the pixel
 * nearest to each centre. c->scratch: [augment_resample_scratch], of the whole image, at least. */
void augment_resample(const struct augment_call *c, const struct augment_piece *piece);
