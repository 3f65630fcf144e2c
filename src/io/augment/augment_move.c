/* Words that move the image as a whole: random_flip, rotate, rotate90, shift. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"
#include "io/augment/augment_volume.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Uniform in [-1, 1). */
static double symmetric(const struct augment_call *c, uint64_t draw) {
    return 2 * (double)rng_uniform(c->key, c->first + draw) - 1;
}

struct flip {
    double p;
    int vertical, alternate, axis;
};

enum flip_axis { FLIP_WIDTH, FLIP_HEIGHT, FLIP_DEPTH };

/* Which axis is turned round: upside down is an older name of its height. */
static enum flip_axis flip_axis(const struct flip *a) {
    return a->vertical ? FLIP_HEIGHT : (enum flip_axis)a->axis;
}

static int plan_flip(const void *args, bool training, const struct augment_source *source,
                     struct augment_stage *s, struct err *err) {
    const struct flip *a = args;

    (void)training, (void)source;
    s->mirrors = flip_axis(a) == FLIP_WIDTH && s->in.rank == 3;
    if (flip_axis(a) == FLIP_DEPTH && s->in.rank != 4)
        return err_set(err, ERR_CONFIG, "random_flip: axis is depth, and the images have none");
    if (a->vertical && a->axis)
        return err_set(err, ERR_CONFIG, "random_flip: vertical is axis=height; give one of them");
    if (a->alternate && a->p != 0.5)
        return err_set(
            err, ERR_CONFIG,
            "random_flip: alternate flips in every other epoch, so that p is 0.5, not %g", a->p);
    return 0;
}

/* Of two epochs one is mirrored, where that is wanted: the first of them is drawn once for each
 * sample. Jordan 2024, arXiv:2404.00498. */
static bool flips(const struct augment_call *c) {
    const struct flip *a = c->args;

    if (a->alternate)
        return ((double)rng_uniform(c->steady, c->first) < a->p) != c->odd;
    return (double)rng_uniform(c->key, c->first) < a->p;
}

static void swap(float *a, float *b, int64_t len) {
    for (int64_t i = 0; i < len; i++) {
        const float kept = a[i];

        a[i] = b[i];
        b[i] = kept;
    }
}

static void apply_flip(const struct augment_call *c) {
    const struct flip *a = c->args;
    const int64_t h = c->in_shape.dim[0], w = c->in_shape.dim[1], ch = c->in_shape.dim[2];

    if (!flips(c))
        return;
    if (c->in_shape.rank == 4) {
        augment_volume_flip(c, 2 - (int)flip_axis(a));
        return;
    }
    if (flip_axis(a) == FLIP_HEIGHT) {
        for (int64_t i = 0; i < h / 2; i++)
            swap(c->out + i * w * ch, c->out + (h - 1 - i) * w * ch, w * ch);
        return;
    }
    for (int64_t i = 0; i < h; i++)
        for (float *l = c->out + i * w * ch, *r = l + (w - 1) * ch; l < r; l += ch, r -= ch)
            swap(l, r, ch);
}

static void flip_affine(const struct augment_call *c, struct augment_affine *map) {
    *map = augment_same;
    if (!flips(c))
        return;
    if (flip_axis(c->args) == FLIP_HEIGHT) {
        map->yy = -1;
        map->dy = (double)c->in_shape.dim[0];
    } else {
        map->xx = -1;
        map->dx = (double)c->in_shape.dim[1];
    }
}

static const char *const axes[] = {"width", "height", "depth", NULL};

static const char *const no_yes[] = {"false", "true", NULL};

static const struct arg_spec flip_args[] = {
    {.name = "p",
     .kind = ARG_REAL,
     .offset = offsetof(struct flip, p),
     .fallback = 0.5,
     .max = 1,
     .help = "probability"},
    {.name = "vertical",
     .kind = ARG_WORD,
     .offset = offsetof(struct flip, vertical),
     .words = no_yes,
     .help = "upside down instead of left to right"},
    {.name = "alternate",
     .kind = ARG_WORD,
     .offset = offsetof(struct flip, alternate),
     .words = no_yes,
     .help = "of two epochs one is mirrored, for each sample"},
    {.name = "axis",
     .kind = ARG_WORD,
     .offset = offsetof(struct flip, axis),
     .words = axes,
     .help = "that is turned round; depth of volumes alone"},
    {0},
};

const struct augment augment_random_flip = {
    .word = {"random_flip", "mirrored, or not", sizeof(struct flip), flip_args},
    .training_only = true,
    .in_place = true,
    .moves = true,
    .volumes = true,
    .plan = plan_flip,
    .apply = apply_flip,
    .affine = flip_affine,
    .mirrors = flips,
};

struct rotate {
    double degrees;
    int axis;
    double min_visible;
};

enum rotate_axis { ROTATE_ALL, ROTATE_DEPTH, ROTATE_HEIGHT, ROTATE_WIDTH };

static int plan_rotate(const void *args, bool training, const struct augment_source *source,
                       struct augment_stage *s, struct err *err) {
    (void)training, (void)source;
    if (s->in.rank == 3 && ((const struct rotate *)args)->axis > ROTATE_DEPTH)
        return err_set(err, ERR_CONFIG, "rotate: images turn in their plane; axis is for volumes");
    return 0;
}

/* About each axis by an angle of its own, or about one. */
static void rotate_volume(const struct augment_call *c) {
    const struct rotate *a = c->args;
    double degrees[3] = {0};

    for (int k = 0; k < 3; k++)
        if (a->axis == ROTATE_ALL || a->axis == ROTATE_DEPTH + k)
            degrees[k] = symmetric(c, (uint64_t)k) * a->degrees;
    augment_volume_rotate(c, degrees);
}

/* Every pixel is fetched from where it comes from, between four neighbours. */
static void apply_rotate(const struct augment_call *c) {
    const double degrees = symmetric(c, 0) * ((const struct rotate *)c->args)->degrees;
    const double turn = degrees * 3.14159265358979323846 / 180, sine = sin(turn),
                 cosine = cos(turn);
    const int64_t h = c->in_shape.dim[0], w = c->in_shape.dim[1], n = c->in_shape.dim[2];
    const double middle_y = (double)(h - 1) / 2, middle_x = (double)(w - 1) / 2;
    float *out = c->out;

    if (c->in_shape.rank == 4) {
        rotate_volume(c);
        return;
    }
    for (int64_t i = 0; i < h; i++)
        for (int64_t j = 0; j < w; j++, out += n) {
            const double dy = (double)i - middle_y, dx = (double)j - middle_x;
            const double y = middle_y + cosine * dy + sine * dx;
            const double x = middle_x + cosine * dx - sine * dy;
            augment_fetch(c, y, x, out);
        }
}

/* Boxes hold what is turned: they grow. */
static void rotate_affine(const struct augment_call *c, struct augment_affine *map) {
    const double degrees = symmetric(c, 0) * ((const struct rotate *)c->args)->degrees;
    const double turn = degrees * 3.14159265358979323846 / 180, sine = sin(turn),
                 cosine = cos(turn);
    const double y = (double)c->in_shape.dim[0] / 2, x = (double)c->in_shape.dim[1] / 2;

    *map = (struct augment_affine){cosine, -sine,  y - cosine * y + sine * x,
                                   sine,   cosine, x - sine * y - cosine * x};
}

static const char *const rotate_axes[] = {"all", "depth", "height", "width", NULL};

static const struct arg_spec rotate_args[] = {
    {.name = "degrees",
     .kind = ARG_REAL,
     .offset = offsetof(struct rotate, degrees),
     .max = 180,
     .required = true,
     .help = "at most, either way"},
    {.name = "axis",
     .kind = ARG_WORD,
     .offset = offsetof(struct rotate, axis),
     .words = rotate_axes,
     .help = "of volumes: which to turn about"},
    AUGMENT_VISIBLE(struct rotate),
    {0},
};

const struct augment augment_rotate = {
    .word = {"rotate", "turned about the centre; zeros come in", sizeof(struct rotate),
             rotate_args},
    .training_only = true,
    .moves = true,
    .volumes = true,
    .plan = plan_rotate,
    .apply = apply_rotate,
    .affine = rotate_affine,
    .visible = offsetof(struct rotate, min_visible),
};

static int plan_rotate90(const void *args, bool training, const struct augment_source *source,
                         struct augment_stage *s, struct err *err) {
    (void)args, (void)training, (void)source;
    if (s->in.dim[0] == s->in.dim[1])
        return 0;
    return err_set(err, ERR_CONFIG,
                   "rotate90: the image is %" PRId64 "x%" PRId64
                   " (height, width), expected a square",
                   s->in.dim[0], s->in.dim[1]);
}

/* As numpy's rot90: against the clock. */
static void apply_rotate90(const struct augment_call *c) {
    const uint64_t turns = rng_below(c->key, c->first, 4);
    const int64_t side = c->in_shape.dim[0], n = c->in_shape.dim[2], last = side - 1;
    float *out = c->out;

    for (int64_t i = 0; i < side; i++)
        for (int64_t j = 0; j < side; j++, out += n) {
            const int64_t y = turns == 0 ? i : turns == 1 ? j : turns == 2 ? last - i : last - j;
            const int64_t x = turns == 0 ? j : turns == 1 ? last - i : turns == 2 ? last - j : i;

            memcpy(out, c->in + (y * side + x) * n, (size_t)n * sizeof *out);
        }
}

static void rotate90_affine(const struct augment_call *c, struct augment_affine *map) {
    const uint64_t turns = rng_below(c->key, c->first, 4);
    const double side = (double)c->in_shape.dim[0];

    *map = augment_same;
    if (turns == 1)
        *map = (struct augment_affine){0, -1, side, 1, 0, 0};
    else if (turns == 2)
        *map = (struct augment_affine){-1, 0, side, 0, -1, side};
    else if (turns == 3)
        *map = (struct augment_affine){0, 1, 0, -1, 0, side};
}

const struct augment augment_rotate90 = {
    .word = {"rotate90", "turned by none, one, two or three quarters, all equally often", 0, NULL},
    .training_only = true,
    .moves = true,
    .plan = plan_rotate90,
    .apply = apply_rotate90,
    .affine = rotate90_affine,
};

struct shift {
    double fraction, min_visible;
};

static struct augment_box shift_place(const struct augment_call *c) {
    const double fraction = ((const struct shift *)c->args)->fraction;
    const int64_t h = c->in_shape.dim[0], w = c->in_shape.dim[1];

    return (struct augment_box){(int64_t)floor(symmetric(c, 0) * fraction * (double)h + 0.5),
                                (int64_t)floor(symmetric(c, 1) * fraction * (double)w + 0.5), h, w};
}

static void apply_shift(const struct augment_call *c) {
    const struct augment_box box = shift_place(c);

    augment_crop(c, &box);
}

static void shift_affine(const struct augment_call *c, struct augment_affine *map) {
    const struct augment_box box = shift_place(c);

    *map = (struct augment_affine){1, 0, -(double)box.top, 0, 1, -(double)box.left};
}

static const struct arg_spec shift_args[] = {
    {.name = "fraction",
     .kind = ARG_REAL,
     .offset = offsetof(struct shift, fraction),
     .max = 1,
     .required = true,
     .help = "of height and width, at most, either way"},
    AUGMENT_VISIBLE(struct shift),
    {0},
};

const struct augment augment_shift = {
    .word = {"shift", "moved by whole pixels; zeros come in", sizeof(struct shift), shift_args},
    .training_only = true,
    .moves = true,
    .plan = augment_plan_same,
    .apply = apply_shift,
    .affine = shift_affine,
    .visible = offsetof(struct shift, min_visible),
};
