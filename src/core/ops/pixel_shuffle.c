/* pixel_shuffle(x, scale): blocks of scale^2 channels become squares of scale x scale pixels:
 * [n, h, w, c scale^2] -> [n, h scale, w scale, c]; channel (ch scale + i) scale + j goes to
 * row i and column j of its square in channel ch, as torch.nn.PixelShuffle.
 * Source: Shi et al. 2016, arXiv:1609.05158 */
#include "core/ops/parts/share.h"

struct pixel_shuffle {
    int scale;
};

static const struct arg_spec specs[] = {
    {.name = "scale",
     .kind = ARG_INT,
     .offset = offsetof(struct pixel_shuffle, scale),
     .min = 1,
     .max = 1024,
     .required = true,
     .help = "times as high and wide"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int64_t scale = ((const struct pixel_shuffle *)args)->scale;
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank != 4 || x->dim[3] % (scale * scale))
        return err_set(err, ERR_CONFIG,
                       "pixel_shuffle: x is %s, expected images whose channels are a multiple of "
                       "%lld",
                       shape_text(x, text), (long long)(scale * scale));
    plan->y = (struct shape){
        4, {x->dim[0], x->dim[1] * scale, x->dim[2] * scale, x->dim[3] / (scale * scale)}};
    return 0;
}

/* Where channel 0 of y's pixel is in x; the next channel is scale^2 further. */
static int64_t place(const struct op_call *c, int64_t row, int64_t col) {
    const struct shape *x = &c->x->shape;
    const int64_t scale = ((const struct pixel_shuffle *)c->args)->scale;

    return (row / scale * x->dim[2] + col / scale) * x->dim[3] + row % scale * scale + col % scale;
}

/* Rows of y over all samples. */
static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t scale = ((const struct pixel_shuffle *)c->args)->scale, step = scale * scale;
    const int64_t width = c->y.shape.dim[2], channels = c->y.shape.dim[3];

    for (int64_t row = begin; row < end; row++)
        for (int64_t col = 0; col < width; col++) {
            const act *restrict x = c->x->data + place(c, row, col);
            act *restrict y = c->y.data + (row * width + col) * channels;

            for (int64_t ch = 0; ch < channels; ch++)
                y[ch] = x[ch * step];
        }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0] * c->y.shape.dim[1], forward_rows);
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t scale = ((const struct pixel_shuffle *)c->args)->scale, step = scale * scale;
    const int64_t width = c->y.shape.dim[2], channels = c->y.shape.dim[3];

    for (int64_t row = begin; row < end; row++)
        for (int64_t col = 0; col < width; col++) {
            const act *restrict dy = c->dy.data + (row * width + col) * channels;
            act *restrict dx = c->dx->data + place(c, row, col);

            for (int64_t ch = 0; ch < channels; ch++)
                dx[ch * step] = (c->dx_first ? 0 : dx[ch * step]) + dy[ch];
        }
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->y.shape.dim[0] * c->y.shape.dim[1], backward_rows);
}

const struct op op_pixel_shuffle = {
    .word = {"pixel_shuffle", "channels made into squares of pixels", sizeof(struct pixel_shuffle),
             specs},
    .min_x = 1,
    .max_x = 1,
    .memory.overwrites = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
