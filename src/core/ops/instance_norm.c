/* instance_norm(x, affine=false, eps=1e-5): each channel of each sample normalised by its mean and
 * variance over pixels, in training and evaluation alike, as torch.nn.InstanceNorm2d; with weight
 * and bias where affine. Source: Ulyanov et al. 2016, arXiv:1607.08022 */
#include "core/ops/parts/norm.h"

static const char *const answers[] = {"false", "true", NULL};

struct instance_norm {
    int affine;
    double eps;
};

static const struct arg_spec specs[] = {
    {.name = "affine",
     .kind = ARG_WORD,
     .offset = offsetof(struct instance_norm, affine),
     .fallback = 0,
     .words = answers,
     .help = "true: with weight and bias"},
    {.name = "eps",
     .kind = ARG_REAL,
     .offset = offsetof(struct instance_norm, eps),
     .fallback = 1e-5,
     .min = 1e-12,
     .max = 1,
     .help = "added to the variance"},
    {0},
};

static struct norm norm_of(const void *args, const struct shape *x) {
    return (struct norm){.n_sets = x->dim[0],
                         .n_groups = shape_channels(x),
                         .eps = ((const struct instance_norm *)args)->eps};
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct norm norm = norm_of(args, x);
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank < 3)
        return err_set(err, ERR_CONFIG,
                       "instance_norm: x is %s, expected images (samples x height x width x "
                       "channels)",
                       shape_text(x, text));
    if (shape_sample_len(x) == shape_channels(x))
        return norm_refuse("instance_norm", "a channel of a sample", x, err);
    norm_plan(&norm, x, ((const struct instance_norm *)args)->affine, plan);
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

const struct op op_instance_norm = {
    .word = {"instance_norm", "each channel of each sample normalised over pixels",
             sizeof(struct instance_norm), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.in_place = true,
    .memory.overwrites = 1,
    .meaning.cancels_bias = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
