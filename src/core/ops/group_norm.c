/* group_norm(x, groups=32, eps=1e-5): each sample normalised by mean and variance of each group of
 * channels over its pixels, in training and evaluation alike, as torch.nn.GroupNorm.
 * Source: Wu & He 2018, arXiv:1803.08494 */
#include "core/ops/parts/norm.h"

struct group_norm {
    int groups;
    double eps;
};

static const struct arg_spec specs[] = {
    {.name = "groups",
     .kind = ARG_INT,
     .offset = offsetof(struct group_norm, groups),
     .fallback = 32,
     .min = 1,
     .help = "of channels; divides their number"},
    {.name = "eps",
     .kind = ARG_REAL,
     .offset = offsetof(struct group_norm, eps),
     .fallback = 1e-5,
     .min = 1e-12,
     .max = 1,
     .help = "added to the variance"},
    {0},
};

static struct norm norm_of(const void *args, const struct shape *x) {
    const struct group_norm *a = args;

    return (struct norm){.n_sets = x->dim[0], .n_groups = a->groups, .eps = a->eps};
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct norm norm = norm_of(args, x);
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank < 2 || shape_channels(x) % norm.n_groups)
        return err_set(err, ERR_CONFIG,
                       "group_norm: x is %s, expected channels in %lld equal groups",
                       shape_text(x, text), (long long)norm.n_groups);
    if (shape_sample_len(x) == norm.n_groups)
        return norm_refuse("group_norm", "a group of a sample", x, err);
    norm_plan(&norm, x, true, plan);
    return 0;
}

static void forward(const struct op_call *c) {
    const struct norm norm = norm_of(c->args, &c->x->shape);

    norm_statistics(&norm, c);
    norm_forward(&norm, c);
}

static void backward(const struct op_call *c) {
    const struct norm norm = norm_of(c->args, &c->x->shape);

    norm_backward(&norm, c, false);
}

const struct op op_group_norm = {
    .word = {"group_norm", "each sample normalised over pixels and groups of channels",
             sizeof(struct group_norm), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.in_place = true,
    .memory.overwrites = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
