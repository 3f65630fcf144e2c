/* Words that choose a piece of the image: random_crop, center_crop, random_resized_crop, resize. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"

#include <inttypes.h>
#include <math.h>

#define SIZE(type)                                                                                 \
    {                                                                                              \
        .name = "size", .kind = ARG_INTS, .offset = offsetof(struct type, size), .min = 1,         \
        .max = AUGMENT_MAX_SIDE, .required = true, .help = "pixels: a side, or [height, width]"    \
    }

struct crop {
    struct ints size;
    int pad, fill;
};

static int plan_crop(const char *name, const struct crop *a, struct augment_stage *s,
                     struct err *err) {
    int64_t h, w;

    if (augment_size(name, &a->size, &h, &w, err))
        return -1;
    if (h > s->in.dim[0] + 2 * a->pad || w > s->in.dim[1] + 2 * a->pad)
        return err_set(err, ERR_CONFIG,
                       "%s: size %" PRId64 "x%" PRId64 " is larger than the %simage %" PRId64
                       "x%" PRId64,
                       name, h, w, a->pad ? "padded " : "", s->in.dim[0] + 2 * a->pad,
                       s->in.dim[1] + 2 * a->pad);
    s->out.dim[0] = h;
    s->out.dim[1] = w;
    return 0;
}

static void centre(const struct augment_call *c) {
    const struct augment_box box = {(c->in_shape.dim[0] - c->out_shape.dim[0]) / 2,
                                    (c->in_shape.dim[1] - c->out_shape.dim[1]) / 2,
                                    c->out_shape.dim[0], c->out_shape.dim[1]};

    augment_crop(c, &box);
}

static int plan_random_crop(const void *args, bool training, const struct augment_source *source,
                            struct augment_stage *s, struct err *err) {
    const struct crop *a = args;
    const int64_t side = s->in.dim[0] < s->in.dim[1] ? s->in.dim[0] : s->in.dim[1];

    (void)training, (void)source;
    if (a->fill == AUGMENT_REFLECT && a->pad >= side)
        return err_set(err, ERR_CONFIG,
                       "random_crop: pad %d is too much to be reflected from a side of %" PRId64,
                       a->pad, side);
    return plan_crop("random_crop", args, s, err);
}

static void apply_random_crop(const struct augment_call *c) {
    const int64_t pad = ((const struct crop *)c->args)->pad;
    const int64_t h = c->out_shape.dim[0], w = c->out_shape.dim[1];
    struct augment_box box = {-pad, -pad, h, w};

    if (!c->training) {
        centre(c);
        return;
    }
    box.top +=
        (int64_t)rng_below(c->key, c->first, (uint64_t)(c->in_shape.dim[0] + 2 * pad - h + 1));
    box.left +=
        (int64_t)rng_below(c->key, c->first + 1, (uint64_t)(c->in_shape.dim[1] + 2 * pad - w + 1));
    augment_crop_filled(c, &box, (enum augment_beyond)((const struct crop *)c->args)->fill);
}

static const char *const fills[] = {
    [AUGMENT_ZEROS] = "zeros", [AUGMENT_REFLECT] = "reflect", [AUGMENT_EDGE] = "edge", NULL};

static const struct arg_spec random_crop_args[] = {
    SIZE(crop),
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
    {0},
};

const struct augment augment_random_crop = {
    .word = {"random_crop", "a piece at a random place; in validation from the centre",
             sizeof(struct crop), random_crop_args},
    .moves = true,
    .plan = plan_random_crop,
    .apply = apply_random_crop,
};

static int plan_center_crop(const void *args, bool training, const struct augment_source *source,
                            struct augment_stage *s, struct err *err) {
    (void)training, (void)source;
    return plan_crop("center_crop", args, s, err);
}

static const struct arg_spec center_crop_args[] = {SIZE(crop), {0}};

const struct augment augment_center_crop = {
    .word = {"center_crop", "the piece in the centre", sizeof(struct crop), center_crop_args},
    .moves = true,
    .plan = plan_center_crop,
    .apply = centre,
};

struct resize {
    struct ints size;
};

static int plan_resize(const void *args, bool training, const struct augment_source *source,
                       struct augment_stage *s, struct err *err) {
    const struct resize *a = args;

    (void)training, (void)source;
    if (augment_size("resize", &a->size, &s->out.dim[0], &s->out.dim[1], err))
        return -1;
    s->scratch_len = augment_resample_scratch(&s->in, &s->out);
    return 0;
}

static void apply_resize(const struct augment_call *c) {
    const struct augment_box all = {0, 0, c->in_shape.dim[0], c->in_shape.dim[1]};

    augment_resample(c, &all);
}

static const struct arg_spec resize_args[] = {SIZE(resize), {0}};

const struct augment augment_resize = {
    .word = {"resize", "the whole image, stretched to the size", sizeof(struct resize),
             resize_args},
    .moves = true,
    .plan = plan_resize,
    .apply = apply_resize,
};

struct resized_crop {
    struct ints size;
    struct reals scale, ratio;
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
    if (augment_size("random_resized_crop", &a->size, &s->out.dim[0], &s->out.dim[1], err))
        return -1;
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

static void apply_resized_crop(const struct augment_call *c) {
    const double form = (double)c->out_shape.dim[1] / (double)c->out_shape.dim[0];
    const struct augment_box box =
        c->training ? random_box(c) : middle(c->in_shape.dim[0], c->in_shape.dim[1], form);

    augment_resample(c, &box);
}

static const struct arg_spec resized_crop_args[] = {
    SIZE(resized_crop),
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
    {0},
};

const struct augment augment_random_resized_crop = {
    .word = {"random_resized_crop",
             "a random piece, resized; in validation the largest centred piece of that form",
             sizeof(struct resized_crop), resized_crop_args},
    .moves = true,
    .plan = plan_resized_crop,
    .apply = apply_resized_crop,
};
