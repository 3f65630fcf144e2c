/* augment.h - what happens to an image between the dataset and the network.
 *
 * A pipeline is a list of words. Images pass through it one at a time as float [h, w, c], from 0 to
 * 1 where the dataset holds bytes; without `normalize` that is what the network sees. Every
 * random draw is a function of (seed, epoch, sample, position in the pipeline).
 *
 * In validation nothing is random: random_crop takes the centre, random_resized_crop the largest
 * centred piece of the wanted form, and words marked training_only are left out.
 *
 * Where images have many sizes, the first words must give them one, by a piece of each image at a
 * size that all share. Such words are not applied: augment_piece says which piece it is, the caller
 * decodes it, and what is decoded goes through the other words. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"
#include "core/base/word.h"

#include <stdbool.h>
#include <stdint.h>

/* Words of a pipeline; random draws that each may make for an image. */
enum { AUGMENT_MAX = 16, AUGMENT_DRAWS = 64 };

/* Images of the same size move alike: each word draws the same for all of them. */
enum augment_role {
    AUGMENT_IMAGE,  /* all words; zeros come in from outside */
    AUGMENT_MASK,   /* classes: words that move, by the nearest pixel; -1 comes in */
    AUGMENT_VALUES, /* other numbers: words that move, as images */
    AUGMENT_BOXES,  /* [max, 5] of corners and class: words that move; class -1 is none */
    /* one thing each, 1 where it is: words that move, by the nearest pixel; 0 comes in */
    AUGMENT_INSTANCES,
};

/* What the dataset knows of its images. */
struct augment_source {
    /* [h, w, c] of one image; [0, 0, c]: each has a size of its own; [d, h, w, c] of volumes */
    struct shape shape;
    const float *mean; /* [c] of values as the pipeline gets them, borrowed; NULL: unknown */
    const float *std;  /* [c] */
    enum augment_role role;
    bool unit; /* values are from 0 to 1 */
};

/* A rectangle of an image; may reach over its edges. */
struct augment_box {
    int64_t top, left, height, width;
};

/* Where a point goes: to (yy y + yx x + dy, xy y + xx x + dx). Points are between pixels: pixel i
 * lies from i to i + 1. */
struct augment_affine {
    double yy, yx, dy;
    double xy, xx, dx;
};

/* What of an image becomes another image; may reach over the image's edges. */
struct augment_piece {
    double top, left, height, width; /* in pixels of the image; may begin and end between them */
    /* The pixels that count: the piece itself where it is cut and then resized, the whole image
     * where that is resized and then cut. */
    struct augment_box bound;
    int64_t out_height, out_width;
    bool mirrored; /* left becomes right, at last */
    float value;   /* what is beyond the image's edges: of images, where the word says so */
    /* Of what augment_piece gives, which never reaches over: where it lies in plan->opened; the
     * rest of that is value. Of no height where the image is not seen at all. */
    struct augment_box inner;
};

/* One word in its place in a pipeline, as planned. */
struct augment_stage {
    const struct augment *augment;
    const void *args;     /* borrowed */
    int position;         /* in the pipeline as written: what validation leaves out is counted */
    struct shape in, out; /* [h, w, c] */
    int64_t scratch_len;  /* floats that apply needs */
    bool scaled;          /* 1 is white: bytes were divided by 255 and not changed much since */
    /* Have images many sizes before and after it? Then heights and widths in `in` and `out` are the
     * least that occur; 0: any may. */
    bool many_in, many_out;
    bool focuses; /* it may look at augment_draw.focus */
    bool mirrors; /* it exchanges left and right, where augment->mirrors says so, and that alone */
};

/* One image through one word. */
struct augment_call {
    const void *args;
    const struct augment_source *source;
    bool training;
    uint64_t key;    /* of seed, epoch and sample */
    uint64_t steady; /* of seed and sample: the same in every epoch */
    bool odd;        /* is the epoch, counted from 0? */
    bool focused;    /* is there a focus, a voxel of what is looked for? */
    int64_t focus[3];
    uint64_t first; /* the word's draws are elements first .. first + AUGMENT_DRAWS - 1 of a key */
    struct shape in_shape, out_shape;
    const float *in;
    float *out;     /* in itself where the word is in_place, else apart from it */
    float *scratch; /* [scratch_len] */
    /* the pipeline that the word is a stage of, for those that look at boxes, and of what size the
     * image was at first */
    const struct augment_plan *plan;
    const struct augment_draw *draw;
    int stage;
    int64_t height, width;
};

/* What becomes of values from 0 to 1. */
enum augment_values {
    AUGMENT_KEEPS_UNIT,
    AUGMENT_NEEDS_UNIT, /* is defined for such values alone, and keeps them such */
    AUGMENT_ENDS_UNIT,  /* leaves that range, not that scale */
    AUGMENT_ENDS_SCALE, /* nothing is known of values any more */
};

struct augment {
    struct word word;   /* first: augment_find() gives its address */
    bool training_only; /* left out in validation */
    /* Two samples of a batch with each other, once they are finished: augment_mix.h. Such words are
     * nothing to one image, and have none of what follows. */
    bool mixes;
    bool in_place;
    bool volumes; /* it takes [d, h, w, c], too */
    enum augment_values values;
    bool moves; /* pixels to other places; otherwise it changes values, of images only */
    /* Of one that moves images: where a point of c->in_shape goes in c->out_shape, where the images
     * have one size; otherwise that follows from `piece`. NULL: boxes cannot follow. */
    void (*affine)(const struct augment_call *c, struct augment_affine *map);
    size_t visible; /* offset of the argument min_visible, a double; 0: VISIBLE_USUAL */
    bool by_centre; /* a box stays where its centre does, in place of min_visible */
    bool sees;      /* it looks at augment_draw.boxes */
    bool fixed; /* a number that comes out is that of its channel and of the number there before */
    /* Set out (which is in on entry), scratch_len and, where there is `piece`, many_out. Pure.
     * Errors: ERR_CONFIG, beginning with the word's name. */
    int (*plan)(const void *args, bool training, const struct augment_source *source,
                struct augment_stage *stage, struct err *err);
    void (*apply)(const struct augment_call *c);
    /* The piece of an image of c->in_shape that the word takes, not mirrored; c->out_shape is of no
     * size where stage.many_out. NULL: the word does other things to an image. */
    void (*piece)(const struct augment_call *c, struct augment_piece *piece);
    /* Where stage.mirrors: does it? */
    bool (*mirrors)(const struct augment_call *c);
};

enum { AUGMENT_PIECE_CHANNELS = 3 /* at most, of images of many sizes */ };

/* A pipeline that is checked against a dataset; nothing to release. */
struct augment_plan {
    struct augment_source source;
    bool training;
    int n;
    struct augment_stage stage[AUGMENT_MAX];
    struct shape out;    /* [h, w, c] that the network sees */
    int64_t scratch_len; /* floats that augment_run needs */
    bool focuses;        /* a word wants augment_draw.focus */
    bool sees;           /* a word wants augment_draw.boxes */

    bool many; /* images have many sizes; otherwise what follows is 0: */
    /* Of the words, the first n_piece choose the piece, those up to n_mirror mirror it, those up to
     * n_done are in the table; augment_run applies the others. */
    int n_piece, n_mirror, n_done;
    struct shape opened;                       /* [h, w, c] of the piece */
    float table[256 * AUGMENT_PIECE_CHANNELS]; /* [256, c]: what becomes of a byte of the piece */
};

/* Check a pipeline and find its shapes.
 *   pipeline  [n] words that augment_find() gave; arguments borrowed for the plan's life
 *   source    copied; mean and std borrowed
 * Errors: ERR_CONFIG in the words of the job. */
int augment_plan_init(struct augment_plan *plan, const struct applied *pipeline, int n,
                      bool training, const struct augment_source *source, struct err *err);

/* What is random about an image. */
struct augment_draw {
    uint64_t key;    /* rng_key(seed, RNG_AUGMENT, epoch, sample) */
    uint64_t steady; /* the same in every epoch: rng_key(seed, RNG_AUGMENT, -1, sample) */
    bool odd;        /* is the epoch, counted from 0? */
    /* of volumes whose plan has focuses: a voxel of the mask that is of no class 0, before the
     * first word; focused is false where there is none */
    bool focused;
    int64_t focus[3];
    /* of images whose plan has sees: the boxes [n_boxes, 5], as they are before the first word */
    const float *boxes;
    int64_t n_boxes;
};

/* The piece of an image of height x width that is to be decoded as plan->opened, where images have
 * many sizes. Cost: a few draws. */
void augment_piece(const struct augment_plan *plan, const struct augment_draw *draw, int64_t height,
                   int64_t width, struct augment_piece *piece);

/* Put what was decoded of a piece, [inner.height, inner.width, c], where it lies in opened, in
 * place, and what is beyond the image around it.
 *   bytes  [plan->opened] */
void augment_lay(const struct augment_plan *plan, const struct augment_piece *piece,
                 unsigned char *bytes);

/* The piece of an image of height x width that a pipeline of validation shows to the network, all
 * its words together, whether images have many sizes or not. */
void augment_seen(const struct augment_plan *plan, int64_t height, int64_t width,
                  struct augment_piece *piece);

/* One image through the pipeline.
 *   bytes    [source.shape], divided by 255 first; the piece [plan->opened] where images have many
 *            sizes; or NULL and
 *   floats   [source.shape], taken as they are
 *   scratch  [scratch_len]
 *   out      [plan->out] */
void augment_run(const struct augment_plan *plan, const struct augment_draw *draw,
                 const unsigned char *bytes, const float *floats, float *scratch, float *out);

/* Boxes through a pipeline that is planned for AUGMENT_BOXES with the images' shape, as the image
 * of the same draw moves. Each stays in its row. What of one reaches over an edge is cut off; one
 * of which less than min_visible of its area is left becomes none: zeros, of class -1. height,
 * width  of the image before the first word in, out        [max, 5], may be the same */
void augment_run_boxes(const struct augment_plan *plan, const struct augment_draw *draw,
                       int64_t height, int64_t width, const float *in, float *out, int64_t max);

/* Masks of single things through a pipeline that is planned for AUGMENT_INSTANCES with shape
 * [h, w, 1].
 *   in       [max, h, w] of 0 and 1
 *   scratch  [scratch_len]
 *   out      [max, plan->out] */
void augment_run_masks(const struct augment_plan *plan, const struct augment_draw *draw,
                       const float *in, float *scratch, float *out, int64_t max);

/* Where a box [4] that was found in what a pipeline of validation gives lies in the image of
 * height x width that went in, cut at its edges.
 *   in, out  x1, y1, x2, y2, may be the same
 * Returns -1, and zeros, where nothing of it is in the image. */
int augment_back(const struct augment_plan *plan, int64_t height, int64_t width, const float in[4],
                 float out[4]);

/* What importers do to pictures of other sizes, as a word of pipelines that no job names, for
 * pictures of many sizes: its arguments. */
struct augment_fit {
    int64_t height, width;
    bool stretch; /* keep everything; otherwise proportions, and cut what does not fit */
};
extern const struct augment augment_fit_word;

/* The word (first member of its struct augment) of that name, or NULL. */
const struct word *augment_find(const char *name);

/* All augmentations; *n is their number. */
const struct augment *const *augment_table(int *n);
