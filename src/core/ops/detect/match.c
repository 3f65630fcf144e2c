/* match(regions, boxes, high=0.5, low=0.5, best=true): what each region is to find: [n, r, 5]. Of
 * the boxes the one that shares most with the region, by intersection over union (the first of
 * equals), if that is `high` or more; below `low` nothing; between them it does not count. So that
 * no box is without a region,
 *   best=true   a region that no other surpasses at some box finds what it shares most with, too
 *               (Faster R-CNN, RetinaNet)
 *   best=one    the first of those regions finds that box (SSD; of several boxes the last)
 *   best=false  boxes may be without
 * A box that shares nothing with any region is nobody's. Regions of no extent do not count.
 * Source: Ren et al. 2015, arXiv:1506.01497, section 3.1.2; Liu et al. 2016,
 * doi:10.1007/978-3-319-46448-0_2, section 2.2 */
#include "core/ops/detect/coder.h"
#include "core/ops/detect/lists.h"
#include "core/ops/parts/share.h"

#include <string.h>

enum { BEST_FALSE, BEST_TRUE, BEST_ONE };

struct match {
    double high, low;
    int best;
};

static const char *const best_words[] = {"false", "true", "one", NULL};

static const struct arg_spec specs[] = {
    {.name = "high",
     .kind = ARG_REAL,
     .offset = offsetof(struct match, high),
     .fallback = 0.5,
     .min = ARG_ABOVE_0,
     .max = 1,
     .help = "intersection over union from which on a region finds a box"},
    {.name = "low",
     .kind = ARG_REAL,
     .offset = offsetof(struct match, low),
     .fallback = 0.5,
     .min = 0,
     .max = 1,
     .help = "below it a region is background"},
    {.name = "best",
     .kind = ARG_WORD,
     .offset = offsetof(struct match, best),
     .fallback = BEST_TRUE,
     .words = best_words,
     .help = "the best regions of a box find it below `high`, too"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct match *a = args;

    (void)n_x;
    if (list_check("match", "regions", &x[0], BOX, err) ||
        list_check("match", "boxes", &x[1], TRUTH, err))
        return -1;
    if (a->low > a->high)
        return err_set(err, ERR_CONFIG, "match: low=%g is above high=%g", a->low, a->high);
    plan->y = (struct shape){3, {x->dim[0], x->dim[1], TRUTH}};
    /* of a region: its best box and what it shares with it; of a box: the most a region shares */
    plan->scratch_bytes = (size_t)(x[0].dim[0] * (2 * x[0].dim[1] + x[1].dim[1])) * sizeof(double);
    plan->flops = 15 * (double)(x[0].dim[0] * x[0].dim[1] * x[1].dim[1]);
    return 0;
}

/* What is known of one sample. */
struct pairs {
    const act *regions, *boxes;
    int64_t n_regions, n_boxes;
    double *shared; /* [n_regions] */
    double *which;  /* [n_regions] index of a box; -1: none */
    double *most;   /* [n_boxes] */
};

static struct pairs pairs_of(const struct op_call *c, int64_t sample) {
    const int64_t r = c->x[0].shape.dim[1], m = c->x[1].shape.dim[1];
    double *scratch = (double *)c->scratch + sample * (2 * r + m);

    return (struct pairs){.regions = c->x[0].data + sample * r * BOX,
                          .boxes = c->x[1].data + sample * m * TRUTH,
                          .n_regions = r,
                          .n_boxes = m,
                          .shared = scratch,
                          .which = scratch + r,
                          .most = scratch + 2 * r};
}

/* Let every region know its best box, and every box how much its best region shares with it. */
static void compare(const struct pairs *p) {
    for (int64_t i = 0; i < p->n_regions; i++)
        p->shared[i] = 0, p->which[i] = -1;
    for (int64_t j = 0; j < p->n_boxes; j++) {
        const act *box = p->boxes + j * TRUTH;
        double most = 0;

        for (int64_t i = 0; box[4] >= 0 && i < p->n_regions; i++) {
            const act *region = p->regions + i * BOX;

            if (region[0] >= box[2] || region[2] <= box[0] || region[1] >= box[3] ||
                region[3] <= box[1])
                continue;
            const double shared = box_iou(region, box);
            if (shared > p->shared[i])
                p->shared[i] = shared, p->which[i] = (double)j;
            most = shared > most ? shared : most;
        }
        p->most[j] = most;
    }
}

/* The best regions of each box are to find something, however little they share: more than any. */
static void keep_best(const struct pairs *p, int best) {
    for (int64_t j = 0; best != BEST_FALSE && j < p->n_boxes; j++) {
        const act *box = p->boxes + j * TRUTH;

        for (int64_t i = 0; p->most[j] > 0 && i < p->n_regions; i++) {
            if (p->shared[i] < p->most[j] || box_iou(p->regions + i * BOX, box) < p->most[j])
                continue;
            p->shared[i] = 2;
            if (best == BEST_ONE) {
                p->which[i] = (double)j;
                break;
            }
        }
    }
}

static void forward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct match *a = c->args;

    for (int64_t sample = begin; sample < end; sample++) {
        const struct pairs p = pairs_of(c, sample);
        act *y = c->y.data + sample * p.n_regions * TRUTH;

        compare(&p);
        keep_best(&p, a->best);
        for (int64_t i = 0; i < p.n_regions; i++, y += TRUTH) {
            const bool finds = p.which[i] >= 0 && p.shared[i] >= a->high;
            const bool ignored = p.shared[i] >= a->low && p.which[i] >= 0;

            if (finds) {
                memcpy(y, p.boxes + (int64_t)p.which[i] * TRUTH, TRUTH * sizeof *y);
                continue;
            }
            memset(y, 0, TRUTH * sizeof *y);
            y[4] = ignored || !box_is(p.regions + i * BOX) ? TARGET_IGNORED : TARGET_BACKGROUND;
        }
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0], forward_samples);
}

const struct op op_match = {
    .word = {"match", "what each region is to find of the boxes", sizeof(struct match), specs},
    .min_x = 2,
    .max_x = 2,
    .plan = plan,
    .forward = forward,
};
