/* dropout(x, p=0.5): in training each number is dropped with probability p and the others are
 * multiplied by 1 / (1 - p); identity otherwise. What is dropped follows from the key and the place
 * in the global batch, so that it depends neither on ranks nor threads and is drawn again in
 * backward. Source: Srivastava et al. 2014. */
#include "core/base/rng.h"
#include "core/ops/parts/copy.h"

#include <math.h>

enum { STRETCH = 512 };

struct dropout {
    double p;
};

static const struct arg_spec specs[] = {
    {.name = "p",
     .kind = ARG_REAL,
     .offset = offsetof(struct dropout, p),
     .fallback = 0.5,
     .min = 0,
     .max = 1,
     .help = "probability to be dropped"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x, (void)err;
    plan->y = x[0];
    plan->flops = (double)shape_len(x);
    return 0;
}

static act kept_factor(double p) {
    return p < 1 ? (act)(1 / (1 - p)) : 0;
}

/* What elements i .. i + n - 1 of this rank are multiplied by, n <= STRETCH: 0 where the draw is
 * below p, as rng_uniform gives it: 24 bits. */
static void factors(const struct op_call *c, int64_t i, int64_t n, act *factor) {
    const double p = ((const struct dropout *)c->args)->p;
    const act kept = kept_factor(p);
    const uint32_t limit = (uint32_t)ceil(p * 0x1p24); /* draw < p where its 24 bits are below */
    const int64_t place = c->first * shape_sample_len(&c->y.shape) + i;
    uint32_t bits[STRETCH];

    rng_bits_span(c->key, (uint64_t)place, bits, n);
    for (int64_t k = 0; k < n; k++)
        factor[k] = (bits[k] >> 8) < limit ? 0 : kept;
}

static void forward_part(const struct op_call *c, int64_t begin, int64_t end) {
    act factor[STRETCH];

    for (int64_t i = begin; i < end; i += STRETCH) {
        const int64_t n = end - i < STRETCH ? end - i : STRETCH;

        factors(c, i, n, factor);
        for (int64_t k = 0; k < n; k++)
            c->y.data[i + k] = factor[k] * c->x->data[i + k];
    }
}

static void forward(const struct op_call *c) {
    if (c->training)
        share(c, shape_len(&c->y.shape), forward_part);
    else
        copy_forward(c);
}

static void backward_part(const struct op_call *c, int64_t begin, int64_t end) {
    const bool overwrite = c->dx->data == c->dy.data;
    act factor[STRETCH];

    for (int64_t i = begin; i < end; i += STRETCH) {
        const int64_t n = end - i < STRETCH ? end - i : STRETCH;

        factors(c, i, n, factor);
        for (int64_t k = 0; overwrite && k < n; k++)
            c->dx->data[i + k] *= factor[k];
        for (int64_t k = 0; c->dx_first && k < n; k++)
            c->dx->data[i + k] = factor[k] * c->dy.data[i + k];
        for (int64_t k = 0; !overwrite && !c->dx_first && k < n; k++)
            c->dx->data[i + k] += factor[k] * c->dy.data[i + k];
    }
}

static void backward(const struct op_call *c) {
    if (!c->training)
        copy_backward(c);
    else if (c->dx->data)
        share(c, shape_len(&c->y.shape), backward_part);
}

const struct op op_dropout = {
    .word = {"dropout", "numbers dropped at random in training", sizeof(struct dropout), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
