/* windows(image, size, stride=0, scales=1): all places of a window that slides over the picture, as
 * regions [n, r, 4]. At scale f the picture is round(f * height) x round(f * width) pixels and the
 * window is size of them, so that in the picture itself it is size / f. Scale by scale as they are
 * written, and row by row: the order in which a network without padding, of stride `stride`, that
 * makes one output of a window gives its outputs of the picture of that scale. image for its size
 * alone. */
#include "core/ops/detect/box.h"
#include "core/ops/parts/share.h"

struct sliding {
    struct ints size, stride;
    struct reals scales;
};

static const struct arg_spec specs[] = {
    {.name = "size",
     .kind = ARG_INTS,
     .offset = offsetof(struct sliding, size),
     .min = 1,
     .max = 0,
     .required = true,
     .help = "pixels of the window: one number or height, width"},
    {.name = "stride",
     .kind = ARG_INTS,
     .offset = offsetof(struct sliding, stride),
     .fallback = 0,
     .min = 0,
     .max = -1,
     .help = "pixels from one to the next, likewise; 0: the size"},
    {.name = "scales",
     .kind = ARG_REALS,
     .offset = offsetof(struct sliding, scales),
     .fallback = 1,
     .min = ARG_ABOVE_0,
     .max = -1,
     .help = "of the picture that the window slides over"},
    {0},
};

/* The windows of one scale: axis 0 is height. */
struct sliding_grid {
    int64_t n[2], size[2], stride[2];
    double pixel[2]; /* of the picture for one of the scaled picture */
};

static struct sliding_grid grid_at(const struct sliding *a, const struct shape *image, int scale) {
    struct sliding_grid g;

    for (int i = 0; i < 2; i++) {
        const double len = (double)image->dim[1 + i],
                     scaled = floor(len * a->scales.v[scale] + 0.5);

        g.size[i] = ints_at(&a->size, i);
        g.stride[i] = ints_at(&a->stride, i) ? ints_at(&a->stride, i) : g.size[i];
        g.n[i] = scaled < (double)g.size[i] || scaled > INT32_MAX
                     ? 0
                     : ((int64_t)scaled - g.size[i]) / g.stride[i] + 1;
        g.pixel[i] = scaled > 0 ? len / scaled : 0;
    }
    return g;
}

static int list_check(const char *name, const struct ints *v, struct err *err) {
    return v->n <= 2
               ? 0
               : err_set(err, ERR_CONFIG,
                         "windows: %s has %d numbers, expected one or height, width", name, v->n);
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct sliding *a = args;
    char text[SHAPE_TEXT];
    int64_t n = 0;

    (void)n_x;
    if (x->rank != 4)
        return err_set(err, ERR_CONFIG,
                       "windows: the picture is %s, expected samples x height x width x channels",
                       shape_text(x, text));
    if (list_check("size", &a->size, err) || list_check("stride", &a->stride, err))
        return -1;
    for (int i = 0; i < a->scales.n; i++) {
        const struct sliding_grid g = grid_at(a, x, i);
        if (!g.n[0] || !g.n[1])
            return err_set(err, ERR_CONFIG,
                           "windows: no window of %lldx%lld fits into the picture of %lldx%lld at "
                           "scale %g",
                           (long long)g.size[0], (long long)g.size[1], (long long)x->dim[1],
                           (long long)x->dim[2], a->scales.v[i]);
        n += g.n[0] * g.n[1];
    }
    plan->y = (struct shape){3, {x->dim[0], n, BOX}};
    return 0;
}

static void forward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct sliding *a = c->args;
    act *y = c->y.data + begin * shape_sample_len(&c->y.shape);

    for (int64_t i = begin; i < end; i++)
        for (int s = 0; s < a->scales.n; s++) {
            const struct sliding_grid g = grid_at(a, &c->x->shape, s);
            for (int64_t k = 0; k < g.n[0] * g.n[1]; k++, y += BOX) {
                const int64_t top = k / g.n[1] * g.stride[0], left = k % g.n[1] * g.stride[1];
                y[0] = (act)((double)left * g.pixel[1]);
                y[1] = (act)((double)top * g.pixel[0]);
                y[2] = (act)((double)(left + g.size[1]) * g.pixel[1]);
                y[3] = (act)((double)(top + g.size[0]) * g.pixel[0]);
            }
        }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0], forward_samples);
}

const struct op op_windows = {
    .word = {"windows", "all places of a window that slides over the picture",
             sizeof(struct sliding), specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
};
