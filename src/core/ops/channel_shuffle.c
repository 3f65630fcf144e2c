/* channel_shuffle(x, groups): channels in `groups` groups dealt out in turn, so that the next
 * grouped convolution sees all of them: channel i of group g goes to place i * groups + g.
 * Source: Zhang et al. 2018, arXiv:1707.01083 */
#include "core/ops/parts/share.h"

struct channel_shuffle {
    int groups;
};

static const struct arg_spec specs[] = {
    {.name = "groups",
     .kind = ARG_INT,
     .offset = offsetof(struct channel_shuffle, groups),
     .min = 1,
     .required = true,
     .help = "of channels; divides their number"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int groups = ((const struct channel_shuffle *)args)->groups;
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank < 2 || shape_channels(x) % groups)
        return err_set(err, ERR_CONFIG,
                       "channel_shuffle: x is %s, expected channels in %d equal groups",
                       shape_text(x, text), groups);
    plan->y = x[0];
    return 0;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->y.shape);
    const int64_t groups = ((const struct channel_shuffle *)c->args)->groups;
    const int64_t in_group = channels / groups;

    for (int64_t row = begin; row < end; row++) {
        const act *restrict x = c->x->data + row * channels;
        act *restrict y = c->y.data + row * channels;

        for (int64_t g = 0; g < groups; g++)
            for (int64_t i = 0; i < in_group; i++)
                y[i * groups + g] = x[g * in_group + i];
    }
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->y.shape) / shape_channels(&c->y.shape), forward_rows);
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->y.shape);
    const int64_t groups = ((const struct channel_shuffle *)c->args)->groups;
    const int64_t in_group = channels / groups;

    for (int64_t row = begin; row < end; row++) {
        const act *restrict dy = c->dy.data + row * channels;
        act *restrict dx = c->dx->data + row * channels;

        for (int64_t g = 0; g < groups; g++)
            for (int64_t i = 0; i < in_group; i++)
                dx[g * in_group + i] += dy[i * groups + g];
    }
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, shape_len(&c->y.shape) / shape_channels(&c->y.shape), backward_rows);
}

const struct op op_channel_shuffle = {
    .word = {"channel_shuffle", "channels of all groups dealt out in turn",
             sizeof(struct channel_shuffle), specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
