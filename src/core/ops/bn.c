/* bn(x, momentum=0.1, eps=1e-5, sync=none, init=1): batch normalisation of each channel over
 * samples and pixels of this rank, or of several (sync). y = (x - mean) / sqrt(var + eps) * weight
 * + bias In training mean and (biased) variance are the batch's, and the running ones move towards
 * them by momentum, the variance made unbiased; otherwise the running ones are used. A batch of one
 * pixel has variance 0 and so gives bias: it tells nothing, and the running ones stay. Source:
 * Ioffe & Szegedy 2015, arXiv:1502.03167 */
#include "core/ops/bn.h"
#include "core/ops/parts/init.h"

#include <math.h>

enum { SYNC_NONE, SYNC_ALL, SYNC_HOST };
static const char *const syncs[] = {"none", "all", "host", NULL};

static const struct arg_spec specs[] = {
    {.name = "momentum",
     .kind = ARG_REAL,
     .offset = offsetof(struct bn, momentum),
     .fallback = 0.1,
     .min = 0,
     .max = 1,
     .help = "how far running statistics move to the batch's"},
    {.name = "eps",
     .kind = ARG_REAL,
     .offset = offsetof(struct bn, eps),
     .fallback = 1e-5,
     .min = 1e-12,
     .max = 1,
     .help = "added to the variance"},
    {.name = "sync",
     .kind = ARG_INTS_OR_WORD,
     .offset = offsetof(struct bn, sync),
     .fallback = SYNC_NONE,
     .min = 2,
     .max = 0,
     .words = syncs,
     .help = "ranks whose samples are one batch: those of a host, or N ranks each"},
    {.name = "init",
     .kind = ARG_APPLIED,
     .offset = offsetof(struct bn, init),
     .find = init_find,
     .at = init_word,
     .help = "of the scale; 1 when not given"},
    {0},
};

static const struct constant_args one = {1};

struct norm bn_norm(const struct bn *a, const struct shape *x) {
    return (struct norm){.n_sets = 1, .n_groups = shape_channels(x), .eps = a->eps};
}

static struct ranks_group group_of(const struct bn *a) {
    if (a->sync.n)
        return (struct ranks_group){RANKS_EVERY, a->sync.v[0]};
    return (struct ranks_group){a->sync.v[0] == SYNC_ALL    ? RANKS_ALL
                                : a->sync.v[0] == SYNC_HOST ? RANKS_HOST
                                                            : RANKS_NONE,
                                0};
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct norm norm = bn_norm(args, x);
    const struct shape channels = {1, {shape_channels(x)}};
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank < 2)
        return err_set(err, ERR_CONFIG, "bn: x is %s, expected samples with channels",
                       shape_text(x, text));
    if (((const struct bn *)args)->sync.n > 1)
        return err_set(err, ERR_CONFIG, "bn: sync is a list, expected none, all, host or a number");
    norm_plan(&norm, x, true, plan);
    if (((const struct bn *)args)->init.word)
        plan->w[0].init = ((const struct bn *)args)->init;
    plan->ranks = group_of(args);
    plan->normalised = shape_sample_len(x) / shape_channels(x);
    plan->state[0] =
        (struct op_param){.name = "running_mean", .shape = channels, .fan_in = 1, .fan_out = 1};
    plan->state[1] = (struct op_param){.name = "running_var",
                                       .shape = channels,
                                       .init = {&init_constant.word, &one},
                                       .fan_in = 1,
                                       .fan_out = 1};
    return 0;
}

static void move_running(const struct bn *a, const struct op_call *c, int64_t channels) {
    const struct norm norm = bn_norm(a, &c->x->shape);
    const double rows = *norm_rows_saved(&norm, c);
    const real *mean = c->saved, *var = mean + 2 * channels;
    real *running_mean = c->state[0], *running_var = c->state[1];

    for (int64_t ch = 0; rows > 1 && ch < channels; ch++) {
        const double unbiased = (double)var[ch] * (rows / (rows - 1));

        running_mean[ch] += (real)(a->momentum * ((double)mean[ch] - (double)running_mean[ch]));
        running_var[ch] += (real)(a->momentum * (unbiased - (double)running_var[ch]));
    }
}

static void take_running(const struct bn *a, const struct op_call *c, int64_t channels) {
    real *saved = c->saved;

    for (int64_t ch = 0; ch < channels; ch++) {
        saved[ch] = c->state[0][ch];
        saved[channels + ch] = (real)(1 / sqrt((double)c->state[1][ch] + a->eps));
    }
}

void bn_statistics(const struct bn *a, const struct op_call *c) {
    const struct norm norm = bn_norm(a, &c->x->shape);

    if (c->training) {
        norm_statistics(&norm, c);
        move_running(a, c, norm.n_groups);
    } else {
        take_running(a, c, norm.n_groups);
    }
}

static void forward(const struct op_call *c) {
    const struct norm norm = bn_norm(c->args, &c->x->shape);

    bn_statistics(c->args, c);
    norm_forward(&norm, c);
}

static void backward(const struct op_call *c) {
    const struct norm norm = bn_norm(c->args, &c->x->shape);

    norm_backward(&norm, c, !c->training);
}

const struct op op_bn = {
    .word = {"bn", "batch normalisation of each channel", sizeof(struct bn), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.in_place = true,
    .memory.overwrites = 1,
    .meaning.cancels_bias = true,
    .fusion.role = FUSION_NORM,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
