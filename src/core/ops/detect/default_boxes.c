/* default_boxes(feature, image, scale, next, ratios=2, step=0, clip=true): the boxes of SSD around
 * the middle of each place of a feature map, the same for all samples: [n, h * w * k, 4]. Of a
 * place: a square of `scale` (a share of the image's sides), one of sqrt(scale * next), and for
 * each ratio r one r times as wide as high and one as much higher than wide, both of the area of
 * the first. Places lie `step` pixels apart, or evenly over the image. Source: Liu et al. 2016,
 * doi:10.1007/978-3-319-46448-0_2, section 2.2 */
#include "core/ops/detect/lists.h"
#include "core/ops/parts/share.h"

struct default_boxes {
    double scale, next;
    struct reals ratios;
    double step;
    int clip;
};

static const char *const no_yes[] = {"false", "true", NULL};

static const struct arg_spec specs[] = {
    {.name = "scale",
     .kind = ARG_REAL,
     .offset = offsetof(struct default_boxes, scale),
     .min = ARG_ABOVE_0,
     .max = 10,
     .required = true,
     .help = "of the smaller square, a share of the image's sides"},
    {.name = "next",
     .kind = ARG_REAL,
     .offset = offsetof(struct default_boxes, next),
     .min = ARG_ABOVE_0,
     .max = 10,
     .required = true,
     .help = "scale of the next feature map"},
    {.name = "ratios",
     .kind = ARG_REALS,
     .offset = offsetof(struct default_boxes, ratios),
     .fallback = 2,
     .min = 1e-3,
     .max = 1e3,
     .help = "of the other boxes: width / height, and its reciprocal"},
    {.name = "step",
     .kind = ARG_REAL,
     .offset = offsetof(struct default_boxes, step),
     .fallback = 0,
     .min = 0,
     .max = -1,
     .help = "pixels from place to place; 0: the image's over the feature's"},
    {.name = "clip",
     .kind = ARG_WORD,
     .offset = offsetof(struct default_boxes, clip),
     .fallback = 1,
     .words = no_yes,
     .help = "no box is larger than the image"},
    {0},
};

static int64_t boxes_of(const struct default_boxes *a) {
    return 2 + 2 * (int64_t)a->ratios.n;
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT], text1[SHAPE_TEXT];

    (void)n_x;
    if (x[0].rank != 4 || x[1].rank != 4)
        return err_set(err, ERR_CONFIG,
                       "default_boxes: feature and image are %s and %s, expected images",
                       shape_text(&x[0], text), shape_text(&x[1], text1));
    plan->y = (struct shape){3, {x->dim[0], x->dim[1] * x->dim[2] * boxes_of(args), BOX}};
    return 0;
}

/* Width and height of the box k of a place, as shares of the image's. */
static void extent(const struct default_boxes *a, int64_t k, double *w, double *h) {
    *w = *h = k == 1 ? sqrt(a->scale * a->next) : a->scale;
    if (k >= 2) {
        const double root = sqrt(a->ratios.v[(k - 2) / 2]);

        *w *= k % 2 ? 1 / root : root;
        *h *= k % 2 ? root : 1 / root;
    }
    if (a->clip) {
        *w = *w > 1 ? 1 : *w;
        *h = *h > 1 ? 1 : *h;
    }
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct default_boxes *a = c->args;
    const int64_t h = c->x[0].shape.dim[1], w = c->x[0].shape.dim[2], k = boxes_of(a);
    const double image_h = (double)c->x[1].shape.dim[1], image_w = (double)c->x[1].shape.dim[2];
    const double step_y = a->step > 0 ? a->step : image_h / (double)h,
                 step_x = a->step > 0 ? a->step : image_w / (double)w;
    const int64_t rows = c->y.shape.dim[1];

    for (int64_t row = begin; row < end; row++) {
        const int64_t at = row % rows, place = at / k;
        const double x = ((double)(place % w) + 0.5) * step_x,
                     y = ((double)(place / w) + 0.5) * step_y;
        double box_w, box_h;
        act *box = c->y.data + row * BOX;

        extent(a, at % k, &box_w, &box_h);
        box[0] = (act)(x - box_w * image_w / 2);
        box[1] = (act)(y - box_h * image_h / 2);
        box[2] = (act)(x + box_w * image_w / 2);
        box[3] = (act)(y + box_h * image_h / 2);
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0] * c->y.shape.dim[1], forward_rows);
}

const struct op op_default_boxes = {
    .word = {"default_boxes", "the boxes of SSD around each place of a feature map",
             sizeof(struct default_boxes), specs},
    .min_x = 2,
    .max_x = 2,
    .plan = plan,
    .forward = forward,
};
