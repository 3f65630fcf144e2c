/* Convolution with one filter per channel: memory-bound, so plain loops over channels. */
#include "core/math/conv_parts.h"

enum { CHANNELS = 64, SLICE = 16 };

struct work {
    const struct conv_shape *s;
    const act *from;
    const real *w, *bias;
    bool add;
    act *to;
    const act *dy;
    real *dw;
};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Output rows [begin, end), counted over the batch. */
static void forward_rows(void *context, int64_t begin, int64_t end) {
    const struct work *work = context;
    const struct conv_shape *s = work->s;

    for (int64_t row = begin; row < end; row++)
        for (int64_t j = 0; j < s->out_w; j++)
            for (int64_t c0 = 0; c0 < s->c; c0 += CHANNELS) {
                const int64_t n_c = least(CHANNELS, s->c - c0);
                const act *x = work->from + row / s->out_h * conv_x_n(s) + c0;
                act *y = work->to + (row * s->out_w + j) * s->c + c0;
                real sum[CHANNELS] = {0};

                for (int64_t c = 0; (work->bias || work->add) && c < n_c; c++)
                    sum[c] = work->add ? y[c] : work->bias[c0 + c];
                for (int64_t t = 0; t < s->kernel_h * s->kernel_w; t++) {
                    const int64_t h =
                        row % s->out_h * s->stride_h - s->pad_h + t / s->kernel_w * s->dilation_h;
                    const int64_t w = j * s->stride_w - s->pad_w + t % s->kernel_w * s->dilation_w;
                    const real *tap = work->w + t * s->c + c0;

                    if (h < 0 || h >= s->h || w < 0 || w >= s->w)
                        continue;
                    for (int64_t c = 0; c < n_c; c++)
                        sum[c] += x[(h * s->w + w) * s->c + c] * tap[c];
                }
                for (int64_t c = 0; c < n_c; c++)
                    y[c] = sum[c];
            }
}

/* The output that reads pixel i through tap t, or -1. */
static int64_t output_of(int64_t i, int64_t t, int64_t pad, int64_t dilation, int64_t stride,
                         int64_t out) {
    const int64_t o = i + pad - t * dilation;

    return o < 0 || o % stride || o / stride >= out ? -1 : o / stride;
}

/* Input rows [begin, end), counted over the batch. */
static void backward_rows(void *context, int64_t begin, int64_t end) {
    const struct work *work = context;
    const struct conv_shape *s = work->s;

    for (int64_t row = begin; row < end; row++)
        for (int64_t j = 0; j < s->w; j++) {
            const act *dy = work->from + row / s->h * s->out_h * s->out_w * s->c;
            act *dx = work->to + row / s->h * conv_x_n(s) + (row % s->h * s->w + j) * s->c;

            for (int64_t a = 0; a < s->kernel_h; a++) {
                const int64_t h =
                    output_of(row % s->h, a, s->pad_h, s->dilation_h, s->stride_h, s->out_h);

                for (int64_t b = 0; h >= 0 && b < s->kernel_w; b++) {
                    const int64_t w =
                        output_of(j, b, s->pad_w, s->dilation_w, s->stride_w, s->out_w);
                    const real *tap = work->w + (a * s->kernel_w + b) * s->c;

                    for (int64_t c = 0; w >= 0 && c < s->c; c++)
                        dx[c] += dy[(h * s->out_w + w) * s->c + c] * tap[c];
                }
            }
        }
}

/* Outputs [*begin, *end) of an axis whose tap t stays inside the input. */
static void inside(int64_t len, int64_t out, int64_t t, int64_t pad, int64_t dilation,
                   int64_t stride, int64_t *begin, int64_t *end) {
    const int64_t shift = t * dilation - pad;

    *begin = shift < 0 ? (-shift + stride - 1) / stride : 0;
    *end = len > shift ? least((len - shift + stride - 1) / stride, out) : 0;
}

/* Channel slices [begin, end) of the weights' gradient. */
static void weights_slices(void *context, int64_t begin, int64_t end) {
    const struct work *work = context;
    const struct conv_shape *s = work->s;

    for (int64_t u = begin * s->kernel_h * s->kernel_w; u < end * s->kernel_h * s->kernel_w; u++) {
        const int64_t t = u % (s->kernel_h * s->kernel_w);
        const int64_t c0 = u / (s->kernel_h * s->kernel_w) * SLICE, n_c = least(SLICE, s->c - c0);
        const int64_t shift_h = t / s->kernel_w * s->dilation_h - s->pad_h;
        const int64_t shift_w = t % s->kernel_w * s->dilation_w - s->pad_w;
        int64_t i0, i1, j0, j1;

        inside(s->h, s->out_h, t / s->kernel_w, s->pad_h, s->dilation_h, s->stride_h, &i0, &i1);
        inside(s->w, s->out_w, t % s->kernel_w, s->pad_w, s->dilation_w, s->stride_w, &j0, &j1);
        for (int64_t n = 0; n < s->n; n++) {
            real sum[SLICE] = {0};

            for (int64_t i = i0; i < i1; i++)
                for (int64_t j = j0; j < j1; j++) {
                    const int64_t h = i * s->stride_h + shift_h, w = j * s->stride_w + shift_w;
                    const act *x = work->from + n * conv_x_n(s) + (h * s->w + w) * s->c + c0;
                    const act *dy = work->dy + ((n * s->out_h + i) * s->out_w + j) * s->c + c0;

                    for (int64_t c = 0; c < n_c; c++)
                        sum[c] += x[c] * dy[c];
                }
            for (int64_t c = 0; c < n_c; c++)
                work->dw[t * s->c + c0 + c] += sum[c];
        }
    }
}

void depthwise_forward(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                       const real *bias, bool add, act *y) {
    struct work work = {.s = s, .from = x, .w = w, .bias = bias, .add = add, .to = y};

    team_run(team, s->n * s->out_h, forward_rows, &work);
}

void depthwise_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                             const real *w, act *dx) {
    struct work work = {.s = s, .from = dy, .w = w, .to = dx};

    team_run(team, s->n * s->h, backward_rows, &work);
}

void depthwise_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                                const act *dy, real *dw) {
    struct work work = {.s = s, .from = x, .dy = dy, .dw = dw};

    team_run(team, (s->c + SLICE - 1) / SLICE, weights_slices, &work);
}
