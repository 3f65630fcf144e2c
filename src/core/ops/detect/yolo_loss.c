/* yolo_loss(head, boxes, image, anchors, own=-1, ignore=0.7, kind=bce, box_weight=1,
 * object_weight=1, background_weight=1, class_weight=1, per=images): what a YOLO head is to learn
 * of the truth boxes [n, m, 5]; image for its size alone. A truth belongs to the place of its
 * centre and to that of all anchors, of whatever level, whose shape has the largest IoU with its
 * own: to this head where it is one of `own`. Of two truths at one place the last one is the box,
 * and the classes are those of both. The terms are box         where a truth belongs, kind=bce: the
 * binary cross-entropies of the centre in its cell and half the squares of w - log(width / anchor),
 * h likewise, times 2 - the share of the picture that the truth covers. kind=mse: half the squares
 * for the centre too. iou, giou, ciou: overlap.h object      binary cross-entropy: 1 where a truth
 * belongs; 0 elsewhere ("background"), but for boxes whose IoU with some truth is above `ignore`,
 * which do not count class       binary cross-entropies, where a truth belongs added up, and
 * divided by the samples, or by the truths that belong here. A truth of a class that the head does
 * not have makes the loss NaN. Source: Redmon and Farhadi 2018, arXiv:1804.02767, section 2 */
#include "core/ops/detect/overlap.h"
#include "core/ops/detect/yolo.h"
#include "core/ops/parts/share.h"

#include <string.h>

enum { KIND_BCE, KIND_MSE, KIND_OVERLAP }; /* and above: OVERLAP_IOU ... */
enum { PER_IMAGES, PER_POSITIVES };
enum { PLACE_BACKGROUND, PLACE_IGNORED, PLACE_TAKEN };

struct yolo_loss {
    struct yolo_anchors anchors;
    double ignore, box_weight, object_weight, background_weight, class_weight;
    int kind, per;
};

static const char *const kinds[] = {"bce", "mse", "iou", "giou", "ciou", NULL};
static const char *const pers[] = {"images", "positives", NULL};

#define WEIGHT(of, what)                                                                           \
    {                                                                                              \
        .name = #of "_weight", .kind = ARG_REAL,                                                   \
        .offset = offsetof(struct yolo_loss, of##_weight), .fallback = 1, .min = 0, .max = -1,     \
        .help = what                                                                               \
    }

static const struct arg_spec specs[] = {
    YOLO_ANCHORS,
    YOLO_OWN,
    {.name = "ignore",
     .kind = ARG_REAL,
     .offset = offsetof(struct yolo_loss, ignore),
     .fallback = 0.7,
     .min = 0,
     .max = 1,
     .help = "boxes that are no truth's do not count above this IoU with one"},
    {.name = "kind",
     .kind = ARG_WORD,
     .offset = offsetof(struct yolo_loss, kind),
     .fallback = KIND_BCE,
     .words = kinds,
     .help = "the loss of boxes"},
    WEIGHT(box, "of the loss of boxes"),
    WEIGHT(object, "of the scores where there is an object"),
    WEIGHT(background, "of the scores where there is none"),
    WEIGHT(class, "of the classes"),
    {.name = "per",
     .kind = ARG_WORD,
     .offset = offsetof(struct yolo_loss, per),
     .fallback = PER_IMAGES,
     .words = pers,
     .help = "what the sum is divided by: samples, or truths of this head"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct yolo_loss *a = args;
    char text[SHAPE_TEXT];

    (void)n_x;
    if (yolo_check("yolo_loss", &a->anchors, &x[0], &x[2], err))
        return -1;
    if (x[1].rank != 3 || x[1].dim[2] != TRUTH)
        return err_set(err, ERR_CONFIG,
                       "yolo_loss: boxes are %s, expected samples x boxes x 5 (x1, y1, x2, y2, "
                       "class)",
                       shape_text(&x[1], text));
    const struct yolo_head h = yolo_head(&a->anchors, &x[0], &x[2]);
    op_plan_mean(plan);
    plan->saved_bytes =
        (size_t)x[0].dim[0] * ((size_t)x[1].dim[1] * sizeof(int32_t) + (size_t)h.boxes);
    plan->scratch_bytes = (size_t)(x[0].dim[0] * h.classes);
    plan->flops = (double)x[0].dim[0] * (double)h.boxes * (20 + 12 * (double)x[1].dim[1]);
    return 0;
}

static struct yolo_head head_of(const struct op_call *c) {
    return yolo_head(c->args, &c->x[0].shape, &c->x[2].shape);
}

/* The anchor of all whose shape is most like w x h, the first of equals. */
static int best_anchor(const struct yolo_anchors *a, double w, double h) {
    double best = -1;
    int at = 0;

    for (int i = 0; i < yolo_n_anchors(a); i++) {
        const double *v = a->anchors.v + 2 * (ptrdiff_t)i;
        const double shared = fmin(w, v[0]) * fmin(h, v[1]);
        const double iou = shared / (w * h + v[0] * v[1] - shared);

        if (iou > best) {
            best = iou;
            at = i;
        }
    }
    return at;
}

/* The cell along an axis that a centre lies in. */
static int64_t cell(double centre, double stride, int64_t n) {
    const int64_t at = (int64_t)floor(centre / stride);

    return at < 0 ? 0 : at >= n ? n - 1 : at;
}

/* The box of this head that is to find that truth; -1: none. */
static int64_t box_for(const struct yolo_head *h, const act *t) {
    if (!(t[4] >= 0) || !(box_area(t) > 0))
        return -1;
    const int best = best_anchor(h->a, (double)t[2] - (double)t[0], (double)t[3] - (double)t[1]);
    const int64_t column = cell(((double)t[0] + (double)t[2]) / 2, h->stride_x, h->columns),
                  row = cell(((double)t[1] + (double)t[3]) / 2, h->stride_y, h->rows);

    for (int64_t i = 0; i < h->each; i++)
        if (yolo_own(h->a, i) == best)
            return (row * h->columns + column) * h->each + i;
    return -1;
}

/* saved: [n, m] int32 the box for each truth; then [n, boxes] bytes what each box is to learn */
static int32_t *places_of(const struct op_call *c, int64_t sample) {
    return (int32_t *)c->saved + sample * c->x[1].shape.dim[1];
}
static unsigned char *states_of(const struct op_call *c, const struct yolo_head *h,
                                int64_t sample) {
    return (unsigned char *)(places_of(c, h->n)) + sample * h->boxes;
}

static const act *truths_of(const struct op_call *c, int64_t sample) {
    return c->x[1].data + sample * c->x[1].shape.dim[1] * TRUTH;
}

/* Another truth later in the list has the same box. */
static bool is_covered(const int32_t *place, int64_t m, int64_t i) {
    for (int64_t k = i + 1; k < m; k++)
        if (place[k] == place[i])
            return true;
    return false;
}

static double count(const struct op_call *c) {
    const struct yolo_head h = head_of(c);
    const int64_t m = c->x[1].shape.dim[1];
    int64_t n = 0;

    if (((const struct yolo_loss *)c->args)->per == PER_IMAGES)
        return (double)h.n;
    for (int64_t s = 0; s < h.n; s++)
        for (int64_t i = 0; i < m; i++) {
            const int64_t place = box_for(&h, truths_of(c, s) + i * TRUTH);
            bool covered = place < 0;

            for (int64_t k = i + 1; k < m && !covered; k++)
                covered = box_for(&h, truths_of(c, s) + k * TRUTH) == place;
            n += !covered;
        }
    return (double)n;
}

static bool overlaps_any(const act *box, const act *truth, int64_t m, double above) {
    for (int64_t i = 0; i < m; i++, truth += TRUTH)
        if (truth[4] >= 0 && box_iou(box, truth) > above)
            return true;
    return false;
}

/* What each box of the sample is to learn. */
static void assign(const struct op_call *c, const struct yolo_head *h, int64_t sample) {
    const struct yolo_loss *a = c->args;
    const int64_t m = c->x[1].shape.dim[1];
    const act *truth = truths_of(c, sample);
    const act *x = c->x[0].data + sample * h->boxes * h->numbers;
    int32_t *place = places_of(c, sample);
    unsigned char *state = states_of(c, h, sample);

    memset(state, PLACE_BACKGROUND, (size_t)h->boxes);
    for (int64_t i = 0; i < m; i++) {
        place[i] = (int32_t)box_for(h, truth + i * TRUTH);
        if (place[i] >= 0)
            state[place[i]] = PLACE_TAKEN;
    }
    for (int64_t i = 0; i < h->boxes; i++) {
        act box[BOX];

        if (state[i] == PLACE_TAKEN)
            continue;
        yolo_decode(h, i, x + i * h->numbers, box);
        if (overlaps_any(box, truth, m, a->ignore))
            state[i] = PLACE_IGNORED;
    }
}

/* Binary cross-entropy of a score, times weight; its slope is added to dx, where there is one. */
static double entropy(double x, double target, double weight, double scale, act *dx) {
    if (dx)
        *dx += (act)(scale * weight * (yolo_sigmoid(x) - target));
    return weight * (fmax(x, 0) - x * target + log1p(exp(-fabs(x))));
}

/* Half the square of value - target; slope is that of value along x. */
static double squared(double value, double target, double slope, double weight, double scale,
                      act *dx) {
    if (dx)
        *dx += (act)(scale * weight * (value - target) * slope);
    return weight * (value - target) * (value - target) / 2;
}

/* kind=bce and mse. */
static double loss_of_offsets(const struct op_call *c, const struct yolo_head *h, int64_t box,
                              const act *t, double scale, const act *x, act *dx) {
    const struct yolo_loss *a = c->args;
    const double *anchor = h->a->anchors.v + 2 * yolo_own(h->a, box % h->each);
    const double weight = a->box_weight * (2 - box_area(t) / (h->width * h->height));
    const int64_t at[2] = {box / h->each % h->columns, box / h->each / h->columns};
    const double stride[2] = {h->stride_x, h->stride_y};
    double sum = 0;

    for (int i = 0; i < 2; i++) {
        const double centre = ((double)t[i] + (double)t[i + 2]) / (2 * stride[i]),
                     inside = fmin(fmax(centre - (double)at[i], 0), 1),
                     p = yolo_sigmoid((double)x[i]),
                     size = log(((double)t[i + 2] - (double)t[i]) / anchor[i]);

        sum += a->kind == KIND_BCE
                   ? entropy((double)x[i], inside, weight, scale, dx ? dx + i : NULL)
                   : squared(p, inside, p * (1 - p), weight, scale, dx ? dx + i : NULL);
        sum += squared((double)x[i + 2], size, 1, weight, scale, dx ? dx + i + 2 : NULL);
    }
    return sum;
}

static double loss_of_overlap(const struct op_call *c, const struct yolo_head *h, int64_t box,
                              const act *t, double scale, const act *x, act *dx) {
    const struct yolo_loss *a = c->args;
    const double *anchor = h->a->anchors.v + 2 * yolo_own(h->a, box % h->each);
    const int64_t at[2] = {box / h->each % h->columns, box / h->each / h->columns};
    const double stride[2] = {h->stride_x, h->stride_y};
    double corner[BOX], slope[BOX], p[2], half[2];

    for (int i = 0; i < 2; i++) {
        p[i] = yolo_sigmoid((double)x[i]);
        half[i] = anchor[i] * exp((double)x[i + 2]) / 2;
        corner[i] = ((double)at[i] + p[i]) * stride[i] - half[i];
        corner[i + 2] = corner[i] + 2 * half[i];
    }
    const double loss = overlap_loss((enum overlap_kind)(a->kind - KIND_OVERLAP), corner, t, slope);
    for (int i = 0; i < 2 && dx; i++) {
        const double g = scale * a->box_weight;
        dx[i] += (act)(g * (slope[i] + slope[i + 2]) * p[i] * (1 - p[i]) * stride[i]);
        dx[i + 2] += (act)(g * (slope[i + 2] - slope[i]) * half[i]);
    }
    return a->box_weight * loss;
}

/* The terms of a truth and its box. present: [classes] of the caller's */
static double loss_of_truth(const struct op_call *c, const struct yolo_head *h, int64_t sample,
                            int64_t i, double scale, unsigned char *present) {
    const struct yolo_loss *a = c->args;
    const int32_t *place = places_of(c, sample);
    const int64_t at = (sample * h->boxes + place[i]) * h->numbers;
    const act *x = c->x[0].data + at, *truth = truths_of(c, sample), *t = truth + i * TRUTH;
    act *dx = scale != 0 ? c->dx[0].data + at : NULL;

    memset(present, 0, (size_t)h->classes);
    for (int64_t k = 0; k <= i; k++) {
        const double of = (double)truth[k * TRUTH + 4];
        if (place[k] == place[i] && of >= (double)h->classes)
            return NAN;
        if (place[k] == place[i])
            present[(int64_t)of] = 1;
    }
    double sum = (a->kind < KIND_OVERLAP ? loss_of_offsets : loss_of_overlap)(c, h, place[i], t,
                                                                              scale, x, dx);
    sum +=
        entropy((double)x[YOLO_OBJECT], 1, a->object_weight, scale, dx ? dx + YOLO_OBJECT : NULL);
    for (int64_t k = YOLO_CLASSES; k < h->numbers; k++)
        sum += entropy((double)x[k], present[k - YOLO_CLASSES], a->class_weight, scale,
                       dx ? dx + k : NULL);
    return sum;
}

/* The sum of a sample's terms; scale 0: no slopes. */
static double loss_of_sample(const struct op_call *c, const struct yolo_head *h, int64_t sample,
                             double scale) {
    const struct yolo_loss *a = c->args;
    const int64_t m = c->x[1].shape.dim[1], first = sample * h->boxes * h->numbers + YOLO_OBJECT;
    const act *object = c->x[0].data + first;
    act *dx = scale != 0 ? c->dx[0].data + first : NULL;
    unsigned char *state = states_of(c, h, sample);
    double sum = 0;

    for (int64_t i = 0; i < h->boxes; i++)
        if (state[i] == PLACE_BACKGROUND)
            sum += entropy((double)object[i * h->numbers], 0, a->background_weight, scale,
                           dx ? dx + i * h->numbers : NULL);
    for (int64_t i = 0; i < m; i++)
        if (places_of(c, sample)[i] >= 0 && !is_covered(places_of(c, sample), m, i))
            sum += loss_of_truth(c, h, sample, i, scale,
                                 (unsigned char *)c->scratch + sample * h->classes);
    return sum;
}

static double sum_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct yolo_head h = head_of(c);
    double sum = 0;

    for (int64_t i = begin; i < end; i++) {
        assign(c, &h, i);
        sum += loss_of_sample(c, &h, i, 0);
    }
    return sum;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, c->x[0].shape.dim[0], sum_samples);
}

static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct yolo_head h = head_of(c);

    for (int64_t i = begin; i < end; i++)
        loss_of_sample(c, &h, i, (double)c->dy.reals[0]);
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data && c->dy.reals[0] != 0)
        share(c, c->x[0].shape.dim[0], backward_samples);
}

const struct op op_yolo_loss = {
    .word = {"yolo_loss", "boxes, objects and classes of a YOLO head against the truth",
             sizeof(struct yolo_loss), specs},
    .min_x = 3,
    .max_x = 3,
    .memory.reads_x = 3,
    .meaning.counts_x = 2,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
