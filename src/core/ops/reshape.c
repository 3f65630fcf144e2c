/* reshape(x, shape): each sample in another shape: [n, ...] -> [n, shape...], the same numbers in
 * the same order; one element of shape may be -1 and is worked out. */
#include "core/ops/parts/copy.h"

struct reshape {
    struct ints shape;
};

static const struct arg_spec specs[] = {
    {.name = "shape",
     .kind = ARG_INTS,
     .offset = offsetof(struct reshape, shape),
     .min = -1,
     .max = -2,
     .required = true,
     .help = "of one sample, channels last; one may be -1"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct ints *shape = &((const struct reshape *)args)->shape;
    struct shape wanted = {shape->n, {0}}, sample = {x->rank - 1, {0}};
    char from[SHAPE_TEXT], to[SHAPE_TEXT];
    int64_t known = 1;
    int n_free = 0;

    (void)n_x;
    for (int i = 1; i < x->rank; i++)
        sample.dim[i - 1] = x->dim[i];
    plan->y = (struct shape){shape->n + 1, {x->dim[0]}};
    for (int i = 0; i < shape->n; i++) {
        wanted.dim[i] = plan->y.dim[i + 1] = shape->v[i];
        n_free += shape->v[i] == -1;
        known *= shape->v[i] == -1 ? 1 : shape->v[i];
        if (!shape->v[i])
            return err_set(err, ERR_CONFIG, "reshape: %s holds a 0", shape_text(&wanted, to));
    }
    shape_text(&wanted, to);
    if (n_free > 1)
        return err_set(err, ERR_CONFIG, "reshape: %s holds -1 %d times, expected once at most", to,
                       n_free);
    if (n_free ? shape_sample_len(x) % known : shape_sample_len(x) != known)
        return err_set(err, ERR_CONFIG, "reshape: samples are %s (%lld numbers), not %s",
                       sample.rank ? shape_text(&sample, from) : "one number",
                       (long long)shape_sample_len(x), to);
    for (int i = 1; i < plan->y.rank; i++)
        if (plan->y.dim[i] == -1)
            plan->y.dim[i] = shape_sample_len(x) / known;
    return 0;
}

const struct op op_reshape = {
    .word = {"reshape", "each sample in another shape", sizeof(struct reshape), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .plan = plan,
    .forward = copy_forward,
    .backward = copy_backward,
};
