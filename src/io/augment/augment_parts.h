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

/* The argument min_visible of a word whose arguments are in `type`. */
#define AUGMENT_VISIBLE(type)                                                                      \
    {                                                                                              \
        .name = "min_visible", .kind = ARG_REAL, .offset = offsetof(type, min_visible),            \
        .fallback = AUGMENT_VISIBLE_USUAL, .max = 1,                                               \
        .help = "of boxes: share of the area that is left, below which one is none"                \
    }
#define AUGMENT_VISIBLE_USUAL 0.3

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

/* Is between two numbers none? */
static inline bool augment_is_map(const struct augment_call *c) {
    return c->source->role == AUGMENT_MASK || c->source->role == AUGMENT_INSTANCES;
}

static const struct augment_affine augment_same = {1, 0, 0, 0, 1, 0};

/* First one map, then the other. */
struct augment_affine augment_then(const struct augment_affine *first,
                                   const struct augment_affine *second);

/* The map back; of maps that have one. */
struct augment_affine augment_inverse(const struct augment_affine *map);

/* Where points go when a piece becomes an image. */
struct augment_affine augment_affine_of(const struct augment_piece *piece);

/* `affine` and `apply` of words whose piece says all of what they do. */
void augment_affine_piece(const struct augment_call *c, struct augment_affine *map);
void augment_apply_piece(const struct augment_call *c);

/* Where a rectangle [x1, y1, x2, y2] goes: the least that holds its four corners. */
void augment_move_box(const struct augment_affine *map, const double in[4], double out[4]);

/* A piece of an image of h x w without what reaches over the edges, which lies at `inner` of what
 * it becomes, to whole pixels. One that does not reach over is left as it is. */
void augment_within(struct augment_piece *piece, int64_t h, int64_t w);

/* The boxes that come to a word that looks at them: all that happened to them before. */
struct augment_step {
    struct augment_affine map;
    int64_t height, width; /* afterwards */
    double least;          /* of the area that is left; less than 0: the centre has to be */
};
struct augment_track {
    int n;
    struct augment_step step[AUGMENT_MAX];
};

/* Of the first n words of a plan, for an image of height x width. */
void augment_follow(const struct augment_plan *plan, const struct augment_draw *draw, int n,
                    int64_t height, int64_t width, struct augment_track *track);

/* One box [5] on that way; class -1 and zeros where it is lost or none. in, out may be the same. */
void augment_track_box(const struct augment_track *track, const float *in, float *out);

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

/* Resize a piece of c->in to c->out. A triangle filter that is stretched
 * where the image shrinks, so that every pixel counts: as Pillow's BILINEAR. Of a mask the pixel
 * nearest to each centre. A piece may reach over the edges: there is its value. c->scratch:
 * [augment_resample_scratch], of the whole image, at least. */
void augment_resample(const struct augment_call *c, const struct augment_piece *piece);
