/* noise(shape, distribution=normal): random numbers [batch, shape...], normal with mean 0 and
 * deviation 1 or uniform in [-1, 1), which follow from the key and the place in the global batch.
 */
#include "core/base/rng.h"
#include "core/ops/parts/share.h"

enum { NORMAL, UNIFORM };

struct noise {
    struct ints shape;
    int distribution;
};

static const char *const distributions[] = {"normal", "uniform", NULL};

static const struct arg_spec specs[] = {
    {.name = "shape",
     .kind = ARG_INTS,
     .offset = offsetof(struct noise, shape),
     .min = 1,
     .max = 0,
     .required = true,
     .help = "of one sample, channels last"},
    {.name = "distribution",
     .kind = ARG_WORD,
     .offset = offsetof(struct noise, distribution),
     .fallback = NORMAL,
     .words = distributions,
     .help = "mean 0, deviation 1; or in [-1, 1)"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct ints *shape = &((const struct noise *)args)->shape;

    (void)x, (void)n_x, (void)err;
    plan->y = (struct shape){shape->n + 1, {plan->batch}};
    for (int i = 0; i < shape->n; i++)
        plan->y.dim[i + 1] = shape->v[i];
    return 0;
}

static void forward_part(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t first = c->first * shape_sample_len(&c->y.shape);
    const bool normal = ((const struct noise *)c->args)->distribution == NORMAL;

    for (int64_t i = begin; i < end; i++) {
        const uint64_t place = (uint64_t)(first + i);

        c->y.data[i] = normal ? rng_normal(c->key, place) : 2 * rng_uniform(c->key, place) - 1;
    }
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->y.shape), forward_part);
}

const struct op op_noise = {
    .word = {"noise", "random numbers, a fresh sample for each of the batch", sizeof(struct noise),
             specs},
    .plan = plan,
    .forward = forward,
};
