/* mask_overlap(found_masks, masks[, crowd], least=0.5): y [n, k, m], intersection over union of
 * masks found [n, k, h, w], which are where they are `least` or more, with those of boxes
 * [n, m, h, w], which are where they are above 0.5. For a crowd [n, m] the share of what was found
 * that lies in it. */
#include "core/ops/op.h"
#include "core/ops/parts/share.h"

struct mask_overlap {
    double least;
};

enum { BITS = 64 };

static const struct arg_spec specs[] = {
    {.name = "least",
     .kind = ARG_REAL,
     .offset = offsetof(struct mask_overlap, least),
     .fallback = 0.5,
     .min = -1e30,
     .max = 1e30,
     .help = "of a number in a mask found, where the mask is"},
    {0},
};

static int64_t pixels(const struct shape *x) {
    return x->dim[2] * x->dim[3];
}

static int64_t words(const struct shape *x) {
    return (pixels(x) + BITS - 1) / BITS;
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[2][SHAPE_TEXT];

    (void)args;
    if (x[0].rank != 4 || x[1].rank != 4 || x[0].dim[0] != x[1].dim[0] ||
        x[0].dim[2] != x[1].dim[2] || x[0].dim[3] != x[1].dim[3])
        return err_set(err, ERR_CONFIG,
                       "mask_overlap: masks found are %s and those of boxes %s, expected a list of "
                       "pictures each, of one height and width",
                       shape_text(&x[0], text[0]), shape_text(&x[1], text[1]));
    if (n_x > 2 && shape_len(&x[2]) != 1 && shape_len(&x[2]) != x[1].dim[0] * x[1].dim[1])
        return err_set(err, ERR_CONFIG,
                       "mask_overlap: crowd is %s, expected a number for each mask of %s",
                       shape_text(&x[2], text[0]), shape_text(&x[1], text[1]));
    plan->y = (struct shape){3, {x[0].dim[0], x[0].dim[1], x[1].dim[1]}};
    plan->scratch_bytes =
        (size_t)(x[0].dim[0] * (x[0].dim[1] + x[1].dim[1]) * words(x)) * sizeof(uint64_t);
    plan->flops = (double)shape_len(&plan->y) * (double)words(x) * 4;
    return 0;
}

/* Bits of one mask; returns how many are set. */
static int64_t pack(const act *mask, int64_t len, double least, bool beyond, uint64_t *to) {
    int64_t n = 0;

    for (int64_t i = 0; i < len; i++) {
        const bool is = beyond ? (double)mask[i] > least : (double)mask[i] >= least;

        if (i % BITS == 0)
            to[i / BITS] = 0;
        to[i / BITS] |= (uint64_t)is << (i % BITS);
        n += is;
    }
    return n;
}

static int64_t shared(const uint64_t *a, const uint64_t *b, int64_t n) {
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += __builtin_popcountll(a[i] & b[i]);
    return sum;
}

static bool is_crowd(const struct op_call *c, int64_t at) {
    return c->n_x > 2 && c->x[2].shape.rank > 1 && c->x[2].data[at] > 0;
}

static void samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct mask_overlap *a = c->args;
    const struct shape *x = &c->x[0].shape;
    const int64_t k = x->dim[1], m = c->x[1].shape.dim[1], len = pixels(x), n = words(x);

    for (int64_t i = begin; i < end; i++) {
        uint64_t *found = (uint64_t *)c->scratch + i * (k + m) * n, *truth = found + k * n;

        for (int64_t t = 0; t < m; t++)
            pack(c->x[1].data + (i * m + t) * len, len, 0.5, true, truth + t * n);
        for (int64_t f = 0; f < k; f++) {
            const int64_t area =
                pack(c->x[0].data + (i * k + f) * len, len, a->least, false, found + f * n);

            for (int64_t t = 0; t < m; t++) {
                const int64_t both = shared(found + f * n, truth + t * n, n);
                const int64_t all = is_crowd(c, i * m + t)
                                        ? area
                                        : area + shared(truth + t * n, truth + t * n, n) - both;
                c->y.data[(i * k + f) * m + t] = (act)(all ? (double)both / (double)all : 0);
            }
        }
    }
}

static void forward(const struct op_call *c) {
    share(c, c->x[0].shape.dim[0], samples);
}

const struct op op_mask_overlap = {
    .word = {"mask_overlap", "intersection over union of masks found with masks of boxes",
             sizeof(struct mask_overlap), specs},
    .min_x = 2,
    .max_x = 3,
    .plan = plan,
    .forward = forward,
};
