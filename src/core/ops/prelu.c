/* prelu(x, init=0.25, shared=false): y = x for x > 0, else weight * x, with a trained weight for
 * each channel, or one for all. Source: He et al. 2015, doi:10.1109/ICCV.2015.123 */
#include "core/ops/parts/act_math.h"
#include "core/ops/parts/columns.h"
#include "core/ops/parts/init.h"

static const char *const answers[] = {"false", "true", NULL};

struct prelu {
    struct applied init;
    int shared;
};

static const struct arg_spec specs[] = {
    {.name = "init",
     .kind = ARG_APPLIED,
     .offset = offsetof(struct prelu, init),
     .find = init_find,
     .at = init_word,
     .help = "of the weights; 0.25 when not given"},
    {.name = "shared",
     .kind = ARG_WORD,
     .offset = offsetof(struct prelu, shared),
     .fallback = 0,
     .words = answers,
     .help = "true: one weight for all channels"},
    {0},
};

static const struct constant_args quarter = {0.25};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct prelu *a = args;
    const int64_t channels = shape_channels(x);
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank < 2)
        return err_set(err, ERR_CONFIG, "prelu: x is %s, expected samples with channels",
                       shape_text(x, text));
    plan->y = x[0];
    plan->w[0] = (struct op_param){
        .name = "weight",
        .shape = {1, {a->shared ? 1 : channels}},
        .init = a->init.word ? a->init : (struct applied){&init_constant.word, &quarter},
        .fan_in = 1,
        .fan_out = 1,
    };
    plan->scratch_bytes = columns_bytes(shape_len(x) / channels, channels);
    plan->flops = (double)shape_len(x);
    return 0;
}

static int64_t rows_of(const struct op_call *c) {
    return shape_len(&c->y.shape) / shape_channels(&c->y.shape);
}

/* The step from one channel's weight to the next. */
static int64_t step_of(const struct op_call *c) {
    return ((const struct prelu *)c->args)->shared ? 0 : 1;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->y.shape), step = step_of(c);
    const real *w = c->w[0];

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x->data + row * channels;
        act *y = c->y.data + row * channels;

        for (int64_t ch = 0; ch < channels; ch++)
            y[ch] = (x[ch] < 0 ? 0 : x[ch]) + (act)w[ch * step] * (x[ch] < 0 ? x[ch] : 0);
    }
}

static void forward(const struct op_call *c) {
    share(c, rows_of(c), forward_rows);
}

static void add_slopes(const struct op_call *c, int64_t begin, int64_t end, real *restrict sums) {
    const int64_t channels = shape_channels(&c->y.shape);

    for (int64_t row = begin; row < end; row++) {
        const act *restrict x = c->x->data + row * channels;
        const act *restrict dy = c->dy.data + row * channels;

        for (int64_t ch = 0; ch < channels; ch++)
            sums[ch] += dy[ch] * act_choose(x[ch] < 0, x[ch], 0);
    }
}

static double sum_of_slopes(const struct op_call *c, int64_t begin, int64_t end) {
    double sum = 0;

    for (int64_t i = begin; i < end; i++)
        sum += (double)(c->dy.data[i] * act_choose(c->x->data[i] < 0, c->x->data[i], 0));
    return sum;
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->y.shape), step = step_of(c);
    const bool overwrite = c->dx->data == c->dy.data;
    const real *w = c->w[0];

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x->data + row * channels, *dy = c->dy.data + row * channels;
        act *dx = c->dx->data + row * channels;

        for (int64_t ch = 0; overwrite && ch < channels; ch++)
            dx[ch] *= act_choose(x[ch] > 0, 1, (act)w[ch * step]);
        for (int64_t ch = 0; !overwrite && ch < channels; ch++)
            dx[ch] += dy[ch] * act_choose(x[ch] > 0, 1, (act)w[ch * step]);
    }
}

static void backward(const struct op_call *c) {
    if (c->dw[0] && step_of(c)) /* first, as dx may overwrite dy */
        columns_add(c, rows_of(c), shape_channels(&c->y.shape), 1, add_slopes, &c->dw[0]);
    else if (c->dw[0])
        c->dw[0][0] += (real)share_sum(c, shape_len(&c->y.shape), sum_of_slopes);
    if (c->dx->data)
        share(c, rows_of(c), backward_rows);
}

const struct op op_prelu = {
    .word = {"prelu", "x, or a trained weight times x where x is negative", sizeof(struct prelu),
             specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.in_place = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
