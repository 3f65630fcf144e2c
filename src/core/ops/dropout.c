/* dropout(x, p=0.5): in training each number is dropped with probability p and the others are
 * multiplied by 1 / (1 - p); identity otherwise. What is dropped follows from the key and the place
 * in the global batch, so that it depends neither on ranks nor threads and is drawn again in
 * backward. Source: Srivastava et al. 2014. */
#include "core/base/rng.h"
#include "core/ops/copy.h"

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

/* What element i of this rank is multiplied by. */
static inline act factor(const struct op_call *c, double p, act kept, int64_t i) {
    const int64_t place = c->first * shape_sample_len(&c->y.shape) + i;

    return (double)rng_uniform(c->key, (uint64_t)place) < p ? 0 : kept;
}

static act kept_factor(double p) {
    return p < 1 ? (act)(1 / (1 - p)) : 0;
}

static void forward_part(const struct op_call *c, int64_t begin, int64_t end) {
    const double p = ((const struct dropout *)c->args)->p;
    const act kept = kept_factor(p);

    for (int64_t i = begin; i < end; i++)
        c->y.data[i] = factor(c, p, kept, i) * c->x->data[i];
}

static void forward(const struct op_call *c) {
    if (c->training)
        share(c, shape_len(&c->y.shape), forward_part);
    else
        copy_forward(c);
}

static void backward_part(const struct op_call *c, int64_t begin, int64_t end) {
    const double p = ((const struct dropout *)c->args)->p;
    const act kept = kept_factor(p);
    const bool overwrite = c->dx->data == c->dy.data;

    for (int64_t i = begin; i < end; i++) {
        const act g = factor(c, p, kept, i) * c->dy.data[i];

        c->dx->data[i] = overwrite ? g : c->dx->data[i] + g;
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
    .in_place = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
