/* Words that put an image on a canvas which it need not fill: letterbox, resize_shorter,
 * random_scale, expand. Of each the piece reaches over the image's edges. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"

#include <inttypes.h>
#include <math.h>

#define CANVAS_VALUE(type, usual)                                                                  \
    {                                                                                              \
        .name = "value", .kind = ARG_REAL, .offset = offsetof(type, value), .fallback = usual,     \
        .max = 1, .help = "of images: what is around them; of masks no class, of other numbers 0"  \
    }

/* Along one side: an image of in_len pixels becomes inner pixels that begin at pixel `at`. */
struct canvas_side {
    int64_t in_len, inner, at;
};

/* The piece that becomes a canvas of height x width. */
static void canvas_piece(const struct canvas_side *down, const struct canvas_side *across,
                         int64_t height, int64_t width, float value, struct augment_piece *piece) {
    const double y = (double)down->in_len / (double)down->inner;
    const double x = (double)across->in_len / (double)across->inner;

    *piece = (struct augment_piece){.top = -(double)down->at * y,
                                    .left = -(double)across->at * x,
                                    .height = (double)height * y,
                                    .width = (double)width * x,
                                    .bound = {0, 0, down->in_len, across->in_len},
                                    .out_height = height,
                                    .out_width = width,
                                    .value = value};
}

static int64_t at_least_1(double len) {
    return len < 1 ? 1 : (int64_t)len;
}

static void need_scratch(struct augment_stage *s) {
    if (!s->many_in)
        s->scratch_len = augment_resample_scratch(&s->in, &s->out);
}

/* --- letterbox --- */

struct letterbox {
    struct ints size;
    double value;
};

static int plan_letterbox(const void *args, bool training, const struct augment_source *source,
                          struct augment_stage *s, struct err *err) {
    const struct letterbox *a = args;

    (void)training, (void)source;
    if (augment_size("letterbox", &a->size, &s->out.dim[0], &s->out.dim[1], err))
        return -1;
    s->many_out = false;
    need_scratch(s);
    return 0;
}

static void letterbox_piece(const struct augment_call *c, struct augment_piece *piece) {
    const int64_t h = c->out_shape.dim[0], w = c->out_shape.dim[1];
    struct canvas_side down = {.in_len = c->in_shape.dim[0]}, across = {c->in_shape.dim[1], 0, 0};
    const double scale = fmin((double)h / (double)down.in_len, (double)w / (double)across.in_len);

    down.inner = at_least_1(floor((double)down.in_len * scale + 0.5));
    across.inner = at_least_1(floor((double)across.in_len * scale + 0.5));
    down.at = (h - down.inner) / 2;
    across.at = (w - across.inner) / 2;
    canvas_piece(&down, &across, h, w, (float)((const struct letterbox *)c->args)->value, piece);
}

static const struct arg_spec letterbox_args[] = {
    AUGMENT_SIZE(struct letterbox), CANVAS_VALUE(struct letterbox, 0.5), {0}};

const struct augment augment_letterbox = {
    .word = {"letterbox", "the whole image in proportion, in the middle of a canvas of that size",
             sizeof(struct letterbox), letterbox_args},
    .moves = true,
    .plan = plan_letterbox,
    .apply = augment_apply_piece,
    .piece = letterbox_piece,
    .affine = augment_affine_piece,
};

/* --- resize_shorter --- */

struct shorter {
    int side, max;
    struct ints canvas; /* 0: not given */
    double value;
};

static bool has_canvas(const struct shorter *a) {
    return a->canvas.n > 1 || a->canvas.v[0] > 0;
}

/* As torchvision's detection models: the longer side at most max; whole pixels, rounded down. On a
 * canvas it is no larger than that. */
static void shorter_size(const struct shorter *a, const struct shape *in,
                         const struct shape *canvas, int64_t *height, int64_t *width) {
    const double h = (double)in->dim[0], w = (double)in->dim[1];
    double scale = fmin(a->side / fmin(h, w), a->max / fmax(h, w));

    if (canvas)
        scale = fmin(scale, fmin((double)canvas->dim[0] / h, (double)canvas->dim[1] / w));
    *height = at_least_1(floor(h * scale + 1e-6));
    *width = at_least_1(floor(w * scale + 1e-6));
}

static int plan_shorter(const void *args, bool training, const struct augment_source *source,
                        struct augment_stage *s, struct err *err) {
    const struct shorter *a = args;

    (void)training, (void)source;
    if (a->max < a->side)
        return err_set(err, ERR_CONFIG,
                       "resize_shorter: the longer side has %d pixels at most, the shorter one %d",
                       a->max, a->side);
    if (has_canvas(a)) {
        if (augment_size("resize_shorter", &a->canvas, &s->out.dim[0], &s->out.dim[1], err))
            return -1;
    } else if (s->many_in) {
        s->out.dim[0] = s->out.dim[1] = a->max;
    } else {
        shorter_size(a, &s->in, NULL, &s->out.dim[0], &s->out.dim[1]);
    }
    s->many_out = false;
    need_scratch(s);
    return 0;
}

static void shorter_piece(const struct augment_call *c, struct augment_piece *piece) {
    const struct shorter *a = c->args;
    struct canvas_side down = {.in_len = c->in_shape.dim[0]}, across = {c->in_shape.dim[1], 0, 0};

    shorter_size(a, &c->in_shape, &c->out_shape, &down.inner, &across.inner);
    canvas_piece(&down, &across, c->out_shape.dim[0], c->out_shape.dim[1], (float)a->value, piece);
}

static const struct arg_spec shorter_args[] = {
    {.name = "size",
     .kind = ARG_INT,
     .offset = offsetof(struct shorter, side),
     .min = 1,
     .max = AUGMENT_MAX_SIDE,
     .required = true,
     .help = "pixels of the shorter side"},
    {.name = "max",
     .kind = ARG_INT,
     .offset = offsetof(struct shorter, max),
     .min = 1,
     .max = AUGMENT_MAX_SIDE,
     .required = true,
     .help = "pixels of the longer side, at most"},
    {.name = "canvas",
     .kind = ARG_INTS,
     .offset = offsetof(struct shorter, canvas),
     .min = 1,
     .max = AUGMENT_MAX_SIDE,
     .help = "pixels: a side, or [height, width], at whose top left the image lies; of images of "
             "many sizes [max, max]"},
    CANVAS_VALUE(struct shorter, 0),
    {0},
};

const struct augment augment_resize_shorter = {
    .word = {"resize_shorter", "the whole image in proportion, on a canvas where sizes differ",
             sizeof(struct shorter), shorter_args},
    .moves = true,
    .plan = plan_shorter,
    .apply = augment_apply_piece,
    .piece = shorter_piece,
    .affine = augment_affine_piece,
};

/* --- random_scale --- */

struct rescale {
    double low, high, value, min_visible;
};

static int plan_scale(const void *args, bool training, const struct augment_source *source,
                      struct augment_stage *s, struct err *err) {
    const struct rescale *a = args;

    (void)training, (void)source;
    if (a->low > a->high)
        return err_set(err, ERR_CONFIG, "random_scale: low is %g, above high, %g", a->low, a->high);
    need_scratch(s);
    return 0;
}

/* Smaller: to whole pixels, as what is around them begins there. Larger: what is left of it. */
static void scale_piece(const struct augment_call *c, struct augment_piece *piece) {
    const struct rescale *a = c->args;
    const double zoom = a->low + (a->high - a->low) * (double)rng_uniform(c->key, c->first);
    const int64_t h = c->in_shape.dim[0], w = c->in_shape.dim[1];

    if (zoom < 1) {
        const int64_t inner_h = at_least_1(floor((double)h * zoom + 0.5));
        const int64_t inner_w = at_least_1(floor((double)w * zoom + 0.5));
        canvas_piece(&(struct canvas_side){h, inner_h, (h - inner_h) / 2},
                     &(struct canvas_side){w, inner_w, (w - inner_w) / 2}, h, w, (float)a->value,
                     piece);
        return;
    }
    const double height = (double)h / zoom, width = (double)w / zoom;
    *piece = (struct augment_piece){.top = ((double)h - height) / 2,
                                    .left = ((double)w - width) / 2,
                                    .height = height,
                                    .width = width,
                                    .bound = {0, 0, h, w},
                                    .out_height = h,
                                    .out_width = w,
                                    .value = (float)a->value};
}

static const struct arg_spec scale_args[] = {
    {.name = "low",
     .kind = ARG_REAL,
     .offset = offsetof(struct rescale, low),
     .min = 0.01,
     .max = 100,
     .required = true,
     .help = "least size of what is seen, of its own; 0.5: half as large"},
    {.name = "high",
     .kind = ARG_REAL,
     .offset = offsetof(struct rescale, high),
     .min = 0.01,
     .max = 100,
     .required = true,
     .help = "largest size"},
    CANVAS_VALUE(struct rescale, 0),
    AUGMENT_VISIBLE(struct rescale),
    {0},
};

const struct augment augment_random_scale = {
    .word = {"random_scale", "larger or smaller about the centre, on a canvas of the same size",
             sizeof(struct rescale), scale_args},
    .training_only = true,
    .moves = true,
    .plan = plan_scale,
    .apply = augment_apply_piece,
    .piece = scale_piece,
    .affine = augment_affine_piece,
    .visible = offsetof(struct rescale, min_visible),
};

/* --- expand --- */

struct expand {
    double most, p, value;
};

static int plan_expand(const void *args, bool training, const struct augment_source *source,
                       struct augment_stage *s, struct err *err) {
    (void)args, (void)training, (void)source, (void)err;
    need_scratch(s);
    return 0;
}

/* Images of many sizes get a larger canvas; those of one size get smaller on theirs. */
static void expand_piece(const struct augment_call *c, struct augment_piece *piece) {
    const struct expand *a = c->args;
    const bool larger = c->plan->stage[c->stage].many_in;
    const double most = (double)rng_uniform(c->key, c->first) < a->p ? a->most : 1;
    const double ratio = 1 + (most - 1) * (double)rng_uniform(c->key, c->first + 1);
    int64_t canvas[2];
    struct canvas_side side[2];

    for (uint64_t d = 0; d < 2; d++) {
        const int64_t len = c->in_shape.dim[d];

        canvas[d] = larger ? (int64_t)((double)len * ratio) : len;
        side[d] = (struct canvas_side){
            len, larger ? len : at_least_1(floor((double)len / ratio + 0.5)), 0};
        side[d].at =
            (int64_t)rng_below(c->key, c->first + 2 + d, (uint64_t)(canvas[d] - side[d].inner + 1));
    }
    canvas_piece(&side[0], &side[1], canvas[0], canvas[1], (float)a->value, piece);
}

static const struct arg_spec expand_args[] = {
    {.name = "most",
     .kind = ARG_REAL,
     .offset = offsetof(struct expand, most),
     .fallback = 4,
     .min = 1,
     .max = 100,
     .help = "sides of the canvas, of those of the image"},
    {.name = "p",
     .kind = ARG_REAL,
     .offset = offsetof(struct expand, p),
     .fallback = 0.5,
     .max = 1,
     .help = "probability"},
    CANVAS_VALUE(struct expand, 0.5),
    {0},
};

const struct augment augment_expand = {
    .word = {"expand",
             "at a random place of a larger canvas, which has the image's size again where all "
             "have one size",
             sizeof(struct expand), expand_args},
    .training_only = true,
    .moves = true,
    .plan = plan_expand,
    .apply = augment_apply_piece,
    .piece = expand_piece,
    .affine = augment_affine_piece,
};
