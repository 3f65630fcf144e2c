/* random_iou_crop: a piece that shares enough with a box, whole boxes' centres decide what stays.
 * Source: Liu et al. 2016, arXiv:1512.02325, 2.2; sizes, tries and choices as torchvision's
 * RandomIoUCrop. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"

#include <math.h>

enum { ROUNDS = 50, ROW = 5, TRY_DRAWS = 4 };

struct iou_crop {
    struct ints size;
    double scale, ratio;
    int tries;
};

/* Least overlap that a piece is to have with a box; of 1 the whole image is taken. */
static const double choices[] = {0, 0.1, 0.3, 0.5, 0.7, 0.9, 1};

static int plan_iou_crop(const void *args, bool training, const struct augment_source *source,
                         struct augment_stage *s, struct err *err) {
    const struct iou_crop *a = args;

    (void)training, (void)source;
    if (augment_size("random_iou_crop", &a->size, &s->out.dim[0], &s->out.dim[1], err))
        return -1;
    s->many_out = false;
    if (!s->many_in)
        s->scratch_len = augment_resample_scratch(&s->in, &s->out);
    return 0;
}

/* Intersection over union of a box and a piece. */
static double overlap(const float *b, const struct augment_box *p) {
    const double left = fmax((double)b[0], (double)p->left);
    const double top = fmax((double)b[1], (double)p->top);
    const double right = fmin((double)b[2], (double)(p->left + p->width));
    const double bottom = fmin((double)b[3], (double)(p->top + p->height));
    const double shared = right > left && bottom > top ? (right - left) * (bottom - top) : 0;
    const double both = ((double)b[2] - (double)b[0]) * ((double)b[3] - (double)b[1]) +
                        (double)p->height * (double)p->width - shared;

    return both > 0 ? shared / both : 0;
}

static bool holds_centre(const float *b, const struct augment_box *p) {
    const double x = ((double)b[0] + (double)b[2]) / 2, y = ((double)b[1] + (double)b[3]) / 2;

    return x > (double)p->left && x < (double)(p->left + p->width) && y > (double)p->top &&
           y < (double)(p->top + p->height);
}

/* Does one of the boxes whose centre it holds overlap enough? */
static bool holds_enough(const struct augment_call *c, const struct augment_track *track,
                         const struct augment_box *piece, double least) {
    for (int64_t i = 0; i < c->draw->n_boxes; i++) {
        float box[ROW];

        augment_track_box(track, c->draw->boxes + ROW * i, box);
        if (box[ROW - 1] >= 0 && holds_centre(box, piece) && overlap(box, piece) >= least)
            return true;
    }
    return false;
}

/* One try; false where its form is not wanted. */
static bool try_piece(const struct augment_call *c, uint64_t key, uint64_t first,
                      struct augment_box *piece) {
    const struct iou_crop *a = c->args;
    const int64_t h = c->in_shape.dim[0], w = c->in_shape.dim[1];
    const double range = 1 - a->scale;

    piece->width = (int64_t)((double)w * (a->scale + range * (double)rng_uniform(key, first)));
    piece->height = (int64_t)((double)h * (a->scale + range * (double)rng_uniform(key, first + 1)));
    if (piece->width < 1 || piece->height < 1)
        return false;
    const double form = (double)piece->width / (double)piece->height;
    piece->left = (int64_t)((double)(w - piece->width) * (double)rng_uniform(key, first + 2));
    piece->top = (int64_t)((double)(h - piece->height) * (double)rng_uniform(key, first + 3));
    return form >= 1 / a->ratio && form <= a->ratio;
}

static bool any_box(const struct augment_call *c, const struct augment_track *track) {
    const struct augment_box all = {0, 0, c->in_shape.dim[0], c->in_shape.dim[1]};

    return c->draw->boxes && holds_enough(c, track, &all, 0);
}

/* Choices and tries as they fall, until one is right; of an image without boxes all. */
static struct augment_box draw_piece(const struct augment_call *c) {
    const struct augment_box all = {0, 0, c->in_shape.dim[0], c->in_shape.dim[1]};
    const int tries = ((const struct iou_crop *)c->args)->tries;
    struct augment_track track;
    struct augment_box piece = {0};

    augment_follow(c->plan, c->draw, c->stage, c->height, c->width, &track);
    if (!any_box(c, &track))
        return all;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        /* More draws than a word has: a key of its own for each round. */
        const uint64_t key = rng_key(c->key, RNG_AUGMENT, c->first, round);
        const double least = choices[rng_below(key, 0, sizeof choices / sizeof *choices)];

        if (least >= 1)
            return all;
        for (int i = 0; i < tries; i++)
            if (try_piece(c, key, 1 + (uint64_t)(TRY_DRAWS * i), &piece) &&
                holds_enough(c, &track, &piece, least))
                return piece;
    }
    return all;
}

static void iou_crop_piece(const struct augment_call *c, struct augment_piece *piece) {
    struct augment_box box = {0, 0, c->in_shape.dim[0], c->in_shape.dim[1]};

    if (c->training)
        box = draw_piece(c);
    *piece = augment_piece_of(&box);
    piece->out_height = c->out_shape.dim[0];
    piece->out_width = c->out_shape.dim[1];
}

static const struct arg_spec iou_crop_args[] = {
    AUGMENT_SIZE(struct iou_crop),
    {.name = "scale",
     .kind = ARG_REAL,
     .offset = offsetof(struct iou_crop, scale),
     .fallback = 0.3,
     .min = ARG_ABOVE_0,
     .max = 1,
     .help = "sides of the piece at least, of those of the image"},
    {.name = "ratio",
     .kind = ARG_REAL,
     .offset = offsetof(struct iou_crop, ratio),
     .fallback = 2,
     .min = 1,
     .max = 100,
     .help = "most of width / height and of height / width"},
    {.name = "tries",
     .kind = ARG_INT,
     .offset = offsetof(struct iou_crop, tries),
     .fallback = 40,
     .min = 1,
     .max = 1000,
     .help = "before another overlap is drawn"},
    {0},
};

const struct augment augment_random_iou_crop = {
    .word = {"random_iou_crop",
             "a random piece that overlaps a box by 0, 0.1, 0.3, 0.5, 0.7 or 0.9 at least, or all, "
             "resized; boxes stay whose centre does; in validation the whole image, resized",
             sizeof(struct iou_crop), iou_crop_args},
    .moves = true,
    .plan = plan_iou_crop,
    .apply = augment_apply_piece,
    .piece = iou_crop_piece,
    .affine = augment_affine_piece,
    .by_centre = true,
    .sees = true,
};
