/* embedding(label, classes, channels): for each class index its row of the weights
 * [classes, channels], as torch.nn.Embedding: [n] -> [n, channels], [n, h, w] ->
 * [n, h, w, channels]. A negative index, which is no class, gives zeros. */
#include "core/ops/parts/indices.h"
#include "core/ops/parts/init.h"

struct embedding {
    int classes, channels;
    struct applied init;
};

static const struct arg_spec specs[] = {
    {.name = "classes",
     .kind = ARG_INT,
     .offset = offsetof(struct embedding, classes),
     .min = 1,
     .required = true,
     .help = "rows of the weights"},
    {.name = "channels",
     .kind = ARG_INT,
     .offset = offsetof(struct embedding, channels),
     .min = 1,
     .required = true,
     .help = "of the output"},
    {.name = "init",
     .kind = ARG_APPLIED,
     .offset = offsetof(struct embedding, init),
     .find = init_find,
     .at = init_word,
     .help = "of the weights; normal(std=1) when not given"},
    {0},
};

static const struct normal_args standard = {1};

static int64_t index_limit(const void *args) {
    return ((const struct embedding *)args)->classes;
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct embedding *a = args;

    (void)n_x;
    if (indices_plan("embedding", x, a->channels, plan, err))
        return -1;
    plan->w[0] = (struct op_param){
        .name = "weight",
        .shape = {2, {a->classes, a->channels}},
        .init = a->init.word ? a->init : (struct applied){&init_normal.word, &standard},
        .fan_in = 1,
        .fan_out = a->channels,
        .decay = true,
        .plain = true,
    };
    return 0;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->y.shape), classes = index_limit(c->args);

    for (int64_t row = begin; row < end; row++) {
        const int64_t class = index_at(c, row, classes);
        act *y = c->y.data + row * channels;

        for (int64_t ch = 0; ch < channels; ch++)
            y[ch] = class < 0 ? 0 : (act)c->w[0][class * channels + ch];
    }
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->x->shape), forward_rows);
}

/* Gradients of the classes from begin to end, in the order of the rows. */
static void backward_classes(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->y.shape), rows = shape_len(&c->x->shape);

    for (int64_t row = 0; row < rows; row++) {
        const int64_t class = index_at(c, row, index_limit(c->args));

        if (class < begin || class >= end)
            continue;
        const act *restrict dy = c->dy.data + row * channels;
        real *restrict dw = c->dw[0] + class * channels;
        for (int64_t ch = 0; ch < channels; ch++)
            dw[ch] += dy[ch];
    }
}

static void backward(const struct op_call *c) {
    if (c->dw[0])
        share(c, index_limit(c->args), backward_classes);
}

const struct op op_embedding = {
    .word = {"embedding", "a row of weights for each class index", sizeof(struct embedding), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.weights_x = 1,
    .meaning.index_x = 1,
    .meaning.index_limit = index_limit,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
