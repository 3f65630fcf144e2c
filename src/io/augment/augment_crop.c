/* Words that cut a piece out of the image: random_crop, center_crop. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"

#include <inttypes.h>
#include <math.h>

struct crop {
    struct ints size;
    int pad, fill;
    double min_visible;
};

static int plan_crop(const char *name, const struct crop *a, struct augment_stage *s,
                     struct err *err) {
    int64_t h, w;

    if (augment_size(name, &a->size, &h, &w, err))
        return -1;
    if (s->many_in && !s->in.dim[0])
        return augment_refuse_many(name, err);
    if (s->many_in && a->pad)
        return err_set(err, ERR_CONFIG, "%s: images of many sizes are not padded; leave out pad",
                       name);
    if (h > s->in.dim[0] + 2 * a->pad || w > s->in.dim[1] + 2 * a->pad)
        return err_set(err, ERR_CONFIG,
                       "%s: size %" PRId64 "x%" PRId64 " is larger than the %simage %" PRId64
                       "x%" PRId64,
                       name, h, w, a->pad ? "padded " : "", s->in.dim[0] + 2 * a->pad,
                       s->in.dim[1] + 2 * a->pad);
    s->out.dim[0] = h;
    s->out.dim[1] = w;
    s->many_out = false;
    return 0;
}

/* Half of what is left over, to the even number where it lies between two, as torchvision rounds.
 */
static int64_t half(int64_t len, int64_t part) {
    return (int64_t)nearbyint((double)(len - part) / 2);
}

static void centre_piece(const struct augment_call *c, struct augment_piece *piece) {
    const int64_t h = c->out_shape.dim[0], w = c->out_shape.dim[1];
    const struct augment_box box = {half(c->in_shape.dim[0], h), half(c->in_shape.dim[1], w), h, w};

    *piece = augment_piece_of(&box);
}

static struct augment_box centre_place(const struct augment_call *c) {
    return (struct augment_box){(c->in_shape.dim[0] - c->out_shape.dim[0]) / 2,
                                (c->in_shape.dim[1] - c->out_shape.dim[1]) / 2, c->out_shape.dim[0],
                                c->out_shape.dim[1]};
}

static void centre(const struct augment_call *c) {
    const struct augment_box box = centre_place(c);

    augment_crop(c, &box);
}

static void centre_affine(const struct augment_call *c, struct augment_affine *map) {
    const struct augment_box box = centre_place(c);

    *map = (struct augment_affine){1, 0, -(double)box.top, 0, 1, -(double)box.left};
}

static int plan_random_crop(const void *args, bool training, const struct augment_source *source,
                            struct augment_stage *s, struct err *err) {
    const struct crop *a = args;
    const int64_t side = s->in.dim[0] < s->in.dim[1] ? s->in.dim[0] : s->in.dim[1];

    (void)training, (void)source;
    if (!s->many_in && a->fill == AUGMENT_REFLECT && a->pad >= side)
        return err_set(err, ERR_CONFIG,
                       "random_crop: pad %d is too much to be reflected from a side of %" PRId64,
                       a->pad, side);
    return plan_crop("random_crop", args, s, err);
}

/* Anywhere in the padded image. */
static struct augment_box random_place(const struct augment_call *c) {
    const int64_t pad = ((const struct crop *)c->args)->pad;
    const int64_t h = c->out_shape.dim[0], w = c->out_shape.dim[1];
    struct augment_box box = {-pad, -pad, h, w};

    box.top +=
        (int64_t)rng_below(c->key, c->first, (uint64_t)(c->in_shape.dim[0] + 2 * pad - h + 1));
    box.left +=
        (int64_t)rng_below(c->key, c->first + 1, (uint64_t)(c->in_shape.dim[1] + 2 * pad - w + 1));
    return box;
}

static void random_piece(const struct augment_call *c, struct augment_piece *piece) {
    if (!c->training) {
        centre_piece(c, piece);
        return;
    }
    const struct augment_box box = random_place(c);
    *piece = augment_piece_of(&box);
}

static void apply_random_crop(const struct augment_call *c) {
    if (!c->training) {
        centre(c);
        return;
    }
    const struct augment_box box = random_place(c);
    augment_crop_filled(c, &box, (enum augment_beyond)((const struct crop *)c->args)->fill);
}

static void random_affine(const struct augment_call *c, struct augment_affine *map) {
    const struct augment_box box = c->training ? random_place(c) : centre_place(c);

    *map = (struct augment_affine){1, 0, -(double)box.top, 0, 1, -(double)box.left};
}

static const char *const fills[] = {
    [AUGMENT_ZEROS] = "zeros", [AUGMENT_REFLECT] = "reflect", [AUGMENT_EDGE] = "edge", NULL};

static const struct arg_spec random_crop_args[] = {
    AUGMENT_SIZE(struct crop),
    {.name = "pad",
     .kind = ARG_INT,
     .offset = offsetof(struct crop, pad),
     .max = AUGMENT_MAX_SIDE,
     .help = "pixels on every side first"},
    {.name = "fill",
     .kind = ARG_WORD,
     .offset = offsetof(struct crop, fill),
     .words = fills,
     .help = "what they are: zeros (of masks: no class), the image mirrored, its edge"},
    AUGMENT_VISIBLE(struct crop),
    {0},
};

const struct augment augment_random_crop = {
    .word = {"random_crop", "a piece at a random place; in validation from the centre",
             sizeof(struct crop), random_crop_args},
    .moves = true,
    .plan = plan_random_crop,
    .apply = apply_random_crop,
    .piece = random_piece,
    .affine = random_affine,
    .visible = offsetof(struct crop, min_visible),
};

static int plan_center_crop(const void *args, bool training, const struct augment_source *source,
                            struct augment_stage *s, struct err *err) {
    (void)training, (void)source;
    return plan_crop("center_crop", args, s, err);
}

static const struct arg_spec center_crop_args[] = {
    AUGMENT_SIZE(struct crop), AUGMENT_VISIBLE(struct crop), {0}};

const struct augment augment_center_crop = {
    .word = {"center_crop", "the piece in the centre", sizeof(struct crop), center_crop_args},
    .moves = true,
    .plan = plan_center_crop,
    .apply = centre,
    .piece = centre_piece,
    .affine = centre_affine,
    .visible = offsetof(struct crop, min_visible),
};
