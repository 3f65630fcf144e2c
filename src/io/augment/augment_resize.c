/* Words that give the image another size: resize, random_resized_crop. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"

#include <inttypes.h>
#include <math.h>

/* Two words that change sizes one after another would resize twice what a piece resizes once. */
static int check_first(const char *name, const struct augment_stage *s, struct err *err) {
    return s->many_in && s->in.dim[0]
               ? err_set(err, ERR_CONFIG,
                         "%s: after resize(short=...) the images have many sizes; expected "
                         "center_crop or random_crop there",
                         name)
               : 0;
}

struct resize {
    struct ints size; /* 0: not given */
    int side;         /* the shorter one; 0: not given */
};

static bool by_short(const struct resize *a) {
    return a->side > 0;
}

/* The longer side is rounded down, as torchvision's Resize does it. */
static void shape_by_short(const struct shape *in, int64_t side, struct shape *out) {
    const int64_t h = in->dim[0], w = in->dim[1];

    out->dim[0] = h <= w ? side : (int64_t)((double)(side * h) / (double)w);
    out->dim[1] = w <= h ? side : (int64_t)((double)(side * w) / (double)h);
}

static int plan_resize(const void *args, bool training, const struct augment_source *source,
                       struct augment_stage *s, struct err *err) {
    const struct resize *a = args;

    (void)training, (void)source;
    if (by_short(a) == (a->size.n > 1 || a->size.v[0] > 0))
        return err_set(err, ERR_CONFIG,
                       "resize: expected a size, as in resize(224) and resize([192, 224]), or the "
                       "shorter side, as in resize(short=256)");
    if (check_first("resize", s, err))
        return -1;
    if (by_short(a) && s->many_in) {
        s->out.dim[0] = s->out.dim[1] = a->side;
        return 0;
    }
    s->many_out = false;
    if (by_short(a))
        shape_by_short(&s->in, a->side, &s->out);
    else if (augment_size("resize", &a->size, &s->out.dim[0], &s->out.dim[1], err))
        return -1;
    if (!s->many_in)
        s->scratch_len = augment_resample_scratch(&s->in, &s->out);
    return 0;
}

/* The whole image. */
static void resize_piece(const struct augment_call *c, struct augment_piece *piece) {
    const struct augment_box all = {0, 0, c->in_shape.dim[0], c->in_shape.dim[1]};
    struct shape out = c->out_shape;

    if (by_short(c->args))
        shape_by_short(&c->in_shape, ((const struct resize *)c->args)->side, &out);
    *piece = augment_piece_of(&all);
    piece->out_height = out.dim[0];
    piece->out_width = out.dim[1];
}

static const struct arg_spec resize_args[] = {
    {.name = "size",
     .kind = ARG_INTS,
     .offset = offsetof(struct resize, size),
     .min = 1,
     .max = AUGMENT_MAX_SIDE,
     .help = "pixels: a side, or [height, width]"},
    {.name = "short",
     .kind = ARG_INT,
     .offset = offsetof(struct resize, side),
     .min = 1,
     .max = AUGMENT_MAX_SIDE,
     .help = "in place of size: pixels of the shorter side, proportions stay"},
    {0},
};

const struct augment augment_resize = {
    .word = {"resize", "the whole image, stretched to the size, or in proportion",
             sizeof(struct resize), resize_args},
    .moves = true,
    .plan = plan_resize,
    .apply = augment_apply_piece,
    .piece = resize_piece,
    .affine = augment_affine_piece,
};

struct resized_crop {
    struct ints size;
    struct reals scale, ratio;
    double crop_pct, min_visible;
};

struct range {
    double low, high;
};

static struct range scale_of(const struct resized_crop *a) {
    return (struct range){a->scale.v[0], a->scale.n == 1 ? 1 : a->scale.v[1]};
}

static struct range ratio_of(const struct resized_crop *a) {
    const double first = a->ratio.v[0];

    if (a->ratio.n == 2)
        return (struct range){first, a->ratio.v[1]};
    return (struct range){fmin(first, 1 / first), fmax(first, 1 / first)};
}

static int plan_resized_crop(const void *args, bool training, const struct augment_source *source,
                             struct augment_stage *s, struct err *err) {
    const struct resized_crop *a = args;

    (void)training, (void)source;
    if (a->scale.n < 1 || a->scale.n > 2 || scale_of(a).low > scale_of(a).high)
        return err_set(err, ERR_CONFIG,
                       "random_resized_crop: scale is [least, most] of the image's area");
    if (a->ratio.n < 1 || a->ratio.n > 2 || ratio_of(a).low > ratio_of(a).high)
        return err_set(err, ERR_CONFIG,
                       "random_resized_crop: ratio is [least, most] of width / height");
    if (check_first("random_resized_crop", s, err) ||
        augment_size("random_resized_crop", &a->size, &s->out.dim[0], &s->out.dim[1], err))
        return -1;
    s->many_out = false;
    if (!s->many_in)
        s->scratch_len = augment_resample_scratch(&s->in, &s->out);
    return 0;
}

/* The largest piece of that width / height in the middle of h x w. */
static struct augment_box middle(int64_t h, int64_t w, double ratio) {
    int64_t height = h, width = (int64_t)floor((double)h * ratio + 0.5);

    if (width > w) {
        width = w;
        height = (int64_t)floor((double)w / ratio + 0.5);
    }
    height = height < 1 ? 1 : height > h ? h : height;
    width = width < 1 ? 1 : width;
    return (struct augment_box){(h - height) / 2, (w - width) / 2, height, width};
}

static double between(struct range r, double x) {
    return r.low + (r.high - r.low) * x;
}

/* As torchvision's RandomResizedCrop: ten tries, then the middle. */
static struct augment_box random_box(const struct augment_call *c) {
    const struct range scale = scale_of(c->args), ratio = ratio_of(c->args);
    const struct range logs = {log(ratio.low), log(ratio.high)};
    const int64_t h = c->in_shape.dim[0], w = c->in_shape.dim[1];
    const double form = (double)w / (double)h;

    for (uint64_t i = c->first; i < c->first + 40; i += 4) {
        const double area = (double)(h * w) * between(scale, rng_uniform(c->key, i));
        const double wanted = exp(between(logs, rng_uniform(c->key, i + 1)));
        const int64_t width = (int64_t)floor(sqrt(area * wanted) + 0.5);
        const int64_t height = (int64_t)floor(sqrt(area / wanted) + 0.5);

        if (width >= 1 && width <= w && height >= 1 && height <= h)
            return (struct augment_box){
                (int64_t)rng_below(c->key, i + 2, (uint64_t)(h - height + 1)),
                (int64_t)rng_below(c->key, i + 3, (uint64_t)(w - width + 1)), height, width};
    }
    return middle(h, w, fmin(fmax(form, ratio.low), ratio.high));
}

/* A part of the largest piece of that width / height, in the middle of h x w, as it would be cut
 * out of the whole image resized: pixels beside it count. */
static struct augment_piece part_of_middle(int64_t h, int64_t w, double ratio, double part) {
    const double height = part * fmin((double)h, (double)w / ratio), width = height * ratio;

    return (struct augment_piece){.top = ((double)h - height) / 2,
                                  .left = ((double)w - width) / 2,
                                  .height = height,
                                  .width = width,
                                  .bound = {0, 0, h, w}};
}

static void resized_crop_piece(const struct augment_call *c, struct augment_piece *piece) {
    const double form = (double)c->out_shape.dim[1] / (double)c->out_shape.dim[0];
    const double part = ((const struct resized_crop *)c->args)->crop_pct;
    const int64_t h = c->in_shape.dim[0], w = c->in_shape.dim[1];

    if (!c->training && part < 1) {
        *piece = part_of_middle(h, w, form, part);
    } else {
        const struct augment_box box = c->training ? random_box(c) : middle(h, w, form);
        *piece = augment_piece_of(&box);
    }
    piece->out_height = c->out_shape.dim[0];
    piece->out_width = c->out_shape.dim[1];
}

static const struct arg_spec resized_crop_args[] = {
    AUGMENT_SIZE(struct resized_crop),
    {.name = "scale",
     .kind = ARG_REALS,
     .offset = offsetof(struct resized_crop, scale),
     .fallback = 0.08,
     .min = 1e-6,
     .max = 1,
     .help = "[least, most] of the area; one number: from it to 1"},
    {.name = "ratio",
     .kind = ARG_REALS,
     .offset = offsetof(struct resized_crop, ratio),
     .fallback = 4.0 / 3,
     .min = 1e-3,
     .max = 1e3,
     .help = "[least, most] of width / height; one number: from 1/it to it"},
    {.name = "crop_pct",
     .kind = ARG_REAL,
     .offset = offsetof(struct resized_crop, crop_pct),
     .fallback = 1,
     .min = ARG_ABOVE_0,
     .max = 1,
     .help = "sides of the piece in validation, of those of the largest one; 0.875: of the image "
             "resized to 256, the centre of 224"},
    AUGMENT_VISIBLE(struct resized_crop),
    {0},
};

const struct augment augment_random_resized_crop = {
    .word = {"random_resized_crop",
             "a random piece, resized; in validation the largest centred piece of that form, or a "
             "part of it",
             sizeof(struct resized_crop), resized_crop_args},
    .moves = true,
    .plan = plan_resized_crop,
    .apply = augment_apply_piece,
    .piece = resized_crop_piece,
    .affine = augment_affine_piece,
    .visible = offsetof(struct resized_crop, min_visible),
};
