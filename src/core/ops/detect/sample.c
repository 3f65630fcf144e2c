/* sample(target, n=256, positive=0.5): the target with all rows ignored but n of each sample, drawn
 * at random among those that count: of those that find a box n * positive at most, of background
 * what then remains to n. Other draws in every step; they follow from the place in the global
 * batch. No gradient. Source: Girshick 2015, doi:10.1109/ICCV.2015.169, section 2.3 */
#include "core/base/rng.h"
#include "core/ops/detect/ranked.h"
#include "core/ops/detect/terms.h"

#include <string.h>

struct sampling {
    int n;
    double positive;
};

static const struct arg_spec specs[] = {
    {.name = "n",
     .kind = ARG_INT,
     .offset = offsetof(struct sampling, n),
     .fallback = 256,
     .min = 1,
     .max = 1 << 24,
     .help = "rows of each sample that still count, at most"},
    {.name = "positive",
     .kind = ARG_REAL,
     .offset = offsetof(struct sampling, positive),
     .fallback = 0.5,
     .min = 0,
     .max = 1,
     .help = "share of those that find a box, at most"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    if (list_check("sample", "targets", &x[0], TRUTH, err))
        return -1;
    plan->y = x[0];
    plan->scratch_bytes = (size_t)(x[0].dim[0] * x[0].dim[1]) * sizeof(struct ranked);
    plan->flops = (double)shape_len(&x[0]);
    return 0;
}

/* Leave `most` of a sample's positives, or of its background, as they are; how many. */
static int64_t draw(const struct op_call *c, int64_t sample, bool positive, int64_t most,
                    struct ranked *heap) {
    const int64_t rows = c->y.shape.dim[1];
    const uint64_t place = (uint64_t)(c->first + sample) * (uint64_t)rows;
    const act *target = c->x->data + sample * rows * TRUTH;
    act *y = c->y.data + sample * rows * TRUTH;
    int64_t n = 0;

    for (int64_t i = 0; i < rows; i++)
        if (terms_counts(target + i * TRUTH) && terms_positive(target + i * TRUTH) == positive)
            ranked_offer(
                heap, &n, most,
                (struct ranked){(act)rng_uniform(c->key, place + (uint64_t)i), (int32_t)i});
    for (int64_t i = 0; i < n; i++)
        y[heap[i].at * TRUTH + 4] = target[heap[i].at * TRUTH + 4];
    return n;
}

static void forward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct sampling *a = c->args;
    const int64_t rows = c->y.shape.dim[1];

    for (int64_t sample = begin; sample < end; sample++) {
        act *y = c->y.data + sample * rows * TRUTH;
        struct ranked *heap = (struct ranked *)c->scratch + sample * rows;

        memcpy(y, c->x->data + sample * rows * TRUTH, (size_t)(rows * TRUTH) * sizeof *y);
        for (int64_t i = 0; i < rows; i++)
            y[i * TRUTH + 4] = TARGET_IGNORED;
        const int64_t positives = draw(c, sample, true, (int64_t)(a->n * a->positive), heap);
        draw(c, sample, false, a->n - positives, heap);
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0], forward_samples);
}

const struct op op_sample = {
    .word = {"sample", "the target with all rows ignored but some, drawn at random",
             sizeof(struct sampling), specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
};
