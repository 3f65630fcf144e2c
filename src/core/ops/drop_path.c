/* drop_path(x, p): in training each whole sample is dropped with probability p and the others are
 * multiplied by 1 / (1 - p); identity otherwise. What is dropped follows from the key and the
 * sample's place in the global batch. Put before the sum with the shortcut it is stochastic depth.
 * Source: Huang et al. 2016, arXiv:1603.09382 */
#include "core/base/rng.h"
#include "core/ops/parts/copy.h"

struct drop_path {
    double p;
};

static const struct arg_spec specs[] = {
    {.name = "p",
     .kind = ARG_REAL,
     .offset = offsetof(struct drop_path, p),
     .min = 0,
     .max = 1,
     .required = true,
     .help = "probability of a sample to be dropped"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x, (void)err;
    plan->y = x[0];
    plan->flops = (double)shape_len(x);
    return 0;
}

static act factor(const struct op_call *c, int64_t sample) {
    const double p = ((const struct drop_path *)c->args)->p;

    if ((double)rng_uniform(c->key, (uint64_t)(c->first + sample)) < p)
        return 0;
    return (act)(1 / (1 - p)); /* draws are below 1: p is too */
}

static void forward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t len = shape_sample_len(&c->y.shape);

    for (int64_t n = begin; n < end; n++) {
        const act scale = factor(c, n);

        for (int64_t i = n * len; i < (n + 1) * len; i++)
            c->y.data[i] = scale * c->x->data[i];
    }
}

static void forward(const struct op_call *c) {
    if (c->training)
        share(c, c->y.shape.dim[0], forward_samples);
    else
        copy_forward(c);
}

static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t len = shape_sample_len(&c->y.shape);
    const bool overwrite = c->dx->data == c->dy.data;

    for (int64_t n = begin; n < end; n++) {
        const act scale = factor(c, n);

        for (int64_t i = n * len; overwrite && i < (n + 1) * len; i++)
            c->dx->data[i] *= scale;
        for (int64_t i = n * len; c->dx_first && i < (n + 1) * len; i++)
            c->dx->data[i] = scale * c->dy.data[i];
        for (int64_t i = n * len; !overwrite && !c->dx_first && i < (n + 1) * len; i++)
            c->dx->data[i] += scale * c->dy.data[i];
    }
}

static void backward(const struct op_call *c) {
    if (!c->training)
        copy_backward(c);
    else if (c->dx->data)
        share(c, c->y.shape.dim[0], backward_samples);
}

const struct op op_drop_path = {
    .word = {"drop_path", "whole samples dropped at random in training", sizeof(struct drop_path),
             specs},
    .min_x = 1,
    .max_x = 1,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
