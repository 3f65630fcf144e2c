/* anchors(feature, image, sizes, ratios=1): boxes around each place of a feature map, the same for
 * all samples: [n, h * w * k, 4], k = ratios * sizes, of a place the ratios in turn and of each all
 * sizes. A box of size s and ratio r (height / width) is s sqrt(r) high and s / sqrt(r) wide, with
 * its corners rounded to whole pixels around the place's; places lie image / feature pixels apart,
 * rounded down, the first at 0, 0.
 * Source: Ren et al. 2015, arXiv:1506.01497; the rounding is that of torchvision's. */
#include "core/ops/detect/lists.h"
#include "core/ops/parts/share.h"

struct anchors {
    struct reals sizes, ratios;
};

static const struct arg_spec specs[] = {
    {.name = "sizes",
     .kind = ARG_REALS,
     .offset = offsetof(struct anchors, sizes),
     .min = 1,
     .max = 1e6,
     .required = true,
     .help = "of a square box, pixels of the image"},
    {.name = "ratios",
     .kind = ARG_REALS,
     .offset = offsetof(struct anchors, ratios),
     .fallback = 1,
     .min = 1e-3,
     .max = 1e3,
     .help = "height / width"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct anchors *a = args;
    char text[SHAPE_TEXT], text1[SHAPE_TEXT];

    (void)n_x;
    if (x[0].rank != 4 || x[1].rank != 4)
        return err_set(err, ERR_CONFIG, "anchors: feature and image are %s and %s, expected images",
                       shape_text(&x[0], text), shape_text(&x[1], text1));
    if (x[0].dim[1] > x[1].dim[1] || x[0].dim[2] > x[1].dim[2])
        return err_set(err, ERR_CONFIG, "anchors: a feature of %s is larger than an image of %s",
                       shape_text(&x[0], text), shape_text(&x[1], text1));
    if (!a->sizes.n || !a->ratios.n)
        return err_set(err, ERR_CONFIG, "anchors: no %s", a->sizes.n ? "ratios" : "sizes");
    plan->y = (struct shape){3, {x->dim[0], x->dim[1] * x->dim[2] * a->sizes.n * a->ratios.n, BOX}};
    return 0;
}

/* Half of the size, as a float, which is what torchvision rounds. */
static act half(double size) {
    return (act)rint((double)((float)size / 2));
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct anchors *a = c->args;
    const int64_t w = c->x[0].shape.dim[2], k = a->sizes.n * a->ratios.n;
    const int64_t step_y = c->x[1].shape.dim[1] / c->x[0].shape.dim[1],
                  step_x = c->x[1].shape.dim[2] / w;
    const int64_t rows = c->y.shape.dim[1];

    for (int64_t row = begin; row < end; row++) {
        const int64_t at = row % rows, place = at / k;
        const float root = sqrtf((float)a->ratios.v[at % k / a->sizes.n]);
        const float size = (float)a->sizes.v[at % k % a->sizes.n];
        const act x = (act)(place % w * step_x), y = (act)(place / w * step_y);
        const act half_w = half((double)(1 / root * size)), half_h = half((double)(root * size));
        act *box = c->y.data + row * BOX;

        box[0] = x - half_w, box[1] = y - half_h;
        box[2] = x + half_w, box[3] = y + half_h;
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0] * c->y.shape.dim[1], forward_rows);
}

const struct op op_anchors = {
    .word = {"anchors", "boxes of given sizes and ratios around each place of a feature map",
             sizeof(struct anchors), specs},
    .min_x = 2,
    .max_x = 2,
    .plan = plan,
    .forward = forward,
};
