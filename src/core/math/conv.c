#include "core/math/conv.h"

#include "core/math/conv_parts.h"
#include "core/math/correlate.h"
#include "core/math/winograd.h"

#include <string.h>

static bool depthwise(const struct conv_shape *s) {
    return s->groups == s->c && s->groups == s->k && s->groups > 1;
}

static bool by_winograd(const struct conv_shape *s, enum winograd_direction direction) {
    return compute_mode_of(s->mode)->winograd && winograd_fits(s, direction);
}

double conv_flops(const struct conv_shape *s) {
    return 2.0 * (double)(s->n * s->out_h * s->out_w) * (double)(s->k * (s->c / s->groups)) *
           (double)(s->kernel_h * s->kernel_w);
}

static struct correlation forward_of(const struct conv_shape *s, int64_t group, bool add) {
    const int64_t c = s->c / s->groups, k = s->k / s->groups;

    return (struct correlation){
        .from = conv_patches(s, c),
        .h = {.dst = s->out_h, .dst_step = 1, .w_step = 1},
        .w = {.dst = s->out_w, .dst_step = 1, .w_step = 1},
        .c0 = group * c,
        .dst_c = s->k,
        .dst_n = s->out_h * s->out_w * s->k,
        .k0 = group * k,
        .k = k,
        .w_columns = s->kernel_w,
        .w_pixel = c * s->k,
        .w_c = s->k,
        .w_k = 1,
        .add = add,
    };
}

static int64_t gcd(int64_t a, int64_t b) {
    return b ? gcd(b, a % b) : a;
}

/* The pixels i of x with (i + pad) mod stride = phase read dy as a correlation with step 1:
 * dx[i] = sum of dy[(i + pad - t * dilation) / stride] * w[t] over the taps t that divide, the
 * last first. */
static void phase_of(int64_t x_len, int64_t dy_len, int64_t kernel, int64_t stride, int64_t pad,
                     int64_t dilation, int64_t phase, struct axis *axis, struct axis_map *map) {
    const int64_t between = stride / gcd(stride, dilation);
    const int64_t i0 = (phase + stride - pad % stride) % stride;
    int64_t last = -1;

    *axis = (struct axis){.src = dy_len, .step = 1, .tap_step = between * dilation / stride};
    if (i0 < x_len)
        axis->out = (x_len - i0 + stride - 1) / stride;
    for (int64_t t = 0; t < kernel && t < between && last < 0; t++)
        if ((i0 + pad - t * dilation) % stride == 0) { /* and so it does at each between-th after */
            axis->taps = (kernel - 1 - t) / between + 1;
            last = t + (axis->taps - 1) * between;
        }
    if (last >= 0)
        axis->first = (i0 + pad - last * dilation) / stride;
    *map = (struct axis_map){x_len, i0, stride, last, -between};
}

/* Returns false where no output sees these pixels. */
static bool backward_of(const struct conv_shape *s, int64_t group, int64_t phase_h, int64_t phase_w,
                        bool add, struct correlation *out) {
    const int64_t c = s->c / s->groups, k = s->k / s->groups;

    *out = (struct correlation){
        .from = {.n = s->n, .src_c = s->k, .src_n = s->out_h * s->out_w * s->k, .c = k},
        .c0 = group * k,
        .dst_c = s->c,
        .dst_n = conv_x_n(s),
        .k0 = group * c,
        .k = c,
        .w_columns = s->kernel_w,
        .w_pixel = c * s->k,
        .w_c = 1,
        .w_k = s->k,
        .add = add,
    };
    phase_of(s->h, s->out_h, s->kernel_h, s->stride_h, s->pad_h, s->dilation_h, phase_h,
             &out->from.h, &out->h);
    phase_of(s->w, s->out_w, s->kernel_w, s->stride_w, s->pad_w, s->dilation_w, phase_w,
             &out->from.w, &out->w);
    return out->from.h.out > 0 && out->from.w.out > 0 && out->from.h.taps > 0 &&
           out->from.w.taps > 0;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t correlations_bytes(const struct conv_shape *s) {
    const struct correlation forward = forward_of(s, 0, false);
    size_t most = correlate_scratch_bytes(&forward);
    struct correlation part;

    for (int64_t i = 0; i < s->stride_h; i++)
        for (int64_t j = 0; j < s->stride_w; j++)
            if (backward_of(s, 0, i, j, true, &part))
                most = larger(most, correlate_scratch_bytes(&part));
    return most;
}

size_t conv_scratch_bytes(const struct conv_shape *s) {
    size_t most;

    if (depthwise(s))
        return depthwise_scratch_bytes(s);
    most = larger(correlations_bytes(s),
                  pointwise(s) ? pointwise_scratch_bytes(s) : conv_weights_scratch_bytes(s));
    if (by_winograd(s, WINOGRAD_FORWARD) || by_winograd(s, WINOGRAD_DATA) ||
        by_winograd(s, WINOGRAD_WEIGHTS))
        most = larger(most, winograd_scratch_bytes(s));
    return most;
}

static void forward(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                    const real *bias, bool add, act *y, void *scratch) {
    if (depthwise(s)) {
        depthwise_forward(s, team, x, w, bias, add, y);
        return;
    }
    if (by_winograd(s, WINOGRAD_FORWARD)) {
        if (add)
            winograd_forward_add(s, team, x, w, y, scratch);
        else
            winograd_forward(s, team, x, w, bias, y, scratch);
        return;
    }
    for (int64_t g = 0; g < s->groups; g++) {
        const int64_t k0 = g * (s->k / s->groups);
        const struct correlation part = forward_of(s, g, add);

        correlate(&part, team, x, w + k0, bias ? bias + k0 : NULL, y, scratch);
    }
}

void conv_forward(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                  const real *bias, act *y, void *scratch) {
    forward(s, team, x, w, bias, false, y, scratch);
}

void conv_forward_add(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                      act *y, void *scratch) {
    forward(s, team, x, w, NULL, true, y, scratch);
}

/* Is there a pixel of x that no tap reads? */
static bool leaves_out(const struct conv_shape *s) {
    struct correlation part;

    for (int64_t i = 0; i < s->stride_h; i++)
        for (int64_t j = 0; j < s->stride_w; j++)
            if (!backward_of(s, 0, i, j, true, &part) && part.from.h.out * part.from.w.out > 0)
                return true;
    return false;
}

static void zero_images(const struct conv_shape *s, act *dx) {
    for (int64_t n = 0; n < s->n; n++)
        memset(dx + n * conv_x_n(s), 0, (size_t)(s->h * s->w * s->c) * sizeof *dx);
}

void conv_backward_data(const struct conv_shape *s, struct team *team, const act *dy, const real *w,
                        bool add, act *dx, void *scratch) {
    struct correlation part;

    if (depthwise(s)) {
        depthwise_backward_data(s, team, dy, w, add, dx);
        return;
    }
    if (covering(s)) {
        covering_backward_data(s, team, dy, w, add, dx);
        return;
    }
    if (by_winograd(s, WINOGRAD_DATA)) {
        winograd_backward_data(s, team, dy, w, add, dx, scratch);
        return;
    }
    if (!add && leaves_out(s)) {
        zero_images(s, dx);
        add = true;
    }
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t i = 0; i < s->stride_h; i++)
            for (int64_t j = 0; j < s->stride_w; j++)
                if (backward_of(s, g, i, j, add, &part))
                    correlate(&part, team, dy, w + g * (s->k / s->groups), NULL, dx, scratch);
}

void conv_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                           const act *dy, real *dw, void *scratch) {
    if (depthwise(s)) {
        depthwise_backward_weights(s, team, x, dy, dw, scratch);
        return;
    }
    if (pointwise(s)) {
        pointwise_backward_weights(s, team, x, dy, dw, scratch);
        return;
    }
    if (by_winograd(s, WINOGRAD_WEIGHTS)) {
        winograd_backward_weights(s, team, x, dy, dw, scratch);
        return;
    }
    for (int64_t g = 0; g < s->groups; g++)
        conv_weights_of_group(s, g, team, x, dy, dw, scratch);
}

/* Two levels of sums keep the rounding error of long batches small. */
enum { BIAS_COLS = 16, BIAS_ROWS = 256 };

struct bias_sum {
    int64_t rows, k;
    const act *dy;
    real *dbias;
};

static void sum_columns(void *context, int64_t begin, int64_t end) {
    const struct bias_sum *s = context;

    for (int64_t chunk = begin; chunk < end; chunk++) {
        const int64_t j0 = chunk * BIAS_COLS;
        const int64_t cols = s->k - j0 < BIAS_COLS ? s->k - j0 : BIAS_COLS;
        real total[BIAS_COLS] = {0};

        for (int64_t i0 = 0; i0 < s->rows; i0 += BIAS_ROWS) {
            const int64_t i1 = i0 + BIAS_ROWS < s->rows ? i0 + BIAS_ROWS : s->rows;
            real part[BIAS_COLS] = {0};

            for (int64_t i = i0; i < i1; i++)
                for (int64_t j = 0; j < cols; j++)
                    part[j] += s->dy[i * s->k + j0 + j];
            for (int64_t j = 0; j < cols; j++)
                total[j] += part[j];
        }
        for (int64_t j = 0; j < cols; j++)
            s->dbias[j0 + j] += total[j];
    }
}

void conv_backward_bias(int64_t rows, int64_t k, struct team *team, const act *dy, real *dbias) {
    struct bias_sum s = {rows, k, dy, dbias};

    team_run(team, (k + BIAS_COLS - 1) / BIAS_COLS, sum_columns, &s);
}
