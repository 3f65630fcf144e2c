#include "core/math/conv3d.h"

#include <string.h>

/* Slices that one tap joins: y[first_y + i] sees x[first_x + i * stride_d], i < slice.n. */
struct conv3d_piece {
    struct conv_shape slice;
    int64_t x, y, w; /* elements from the beginning of each */
};

/* Nothing is summed over depth: every slice is an image of a larger batch. */
static bool flat(const struct conv3d *s) {
    return s->kernel_d == 1 && s->stride_d == 1 && s->pad_d == 0 && s->out_d == s->d;
}

static struct conv_shape flat_shape(const struct conv3d *s) {
    struct conv_shape slices = s->slice;

    slices.n *= s->d;
    return slices;
}

/* The slices that tap t joins in sample n. */
static struct conv3d_piece piece_of(const struct conv3d *s, int64_t n, int64_t t) {
    const int64_t x_len = s->slice.h * s->slice.w * s->slice.c;
    const int64_t y_len = s->slice.out_h * s->slice.out_w * s->slice.k;
    const int64_t w_len =
        s->slice.kernel_h * s->slice.kernel_w * s->slice.c / s->slice.groups * s->slice.k;
    const int64_t shift = t * s->dilation_d - s->pad_d;
    const int64_t begin = shift < 0 ? (-shift + s->stride_d - 1) / s->stride_d : 0;
    const int64_t last = s->d > shift ? (s->d - shift + s->stride_d - 1) / s->stride_d : 0;
    const int64_t end = last < s->out_d ? last : s->out_d;
    struct conv3d_piece p = {.slice = s->slice};

    p.slice.n = end > begin ? end - begin : 0;
    p.slice.x_n = s->stride_d * x_len;
    p.x = (n * s->d + begin * s->stride_d + shift) * x_len;
    p.y = (n * s->out_d + begin) * y_len;
    p.w = t * w_len;
    return p;
}

double conv3d_flops(const struct conv3d *s) {
    return conv_flops(&s->slice) * (double)(s->out_d * s->kernel_d);
}

size_t conv3d_scratch_bytes(const struct conv3d *s) {
    const struct conv_shape slices = flat_shape(s);
    size_t most = 0;

    if (flat(s))
        return conv_scratch_bytes(&slices);
    for (int64_t t = 0; t < s->kernel_d; t++) {
        const struct conv3d_piece p = piece_of(s, 0, t);

        if (p.slice.n && conv_scratch_bytes(&p.slice) > most)
            most = conv_scratch_bytes(&p.slice);
    }
    return most;
}

void conv3d_forward(const struct conv3d *s, struct team *team, const act *x, const real *w,
                    const real *bias, act *y, void *scratch) {
    const struct conv_shape slices = flat_shape(s);

    if (flat(s)) {
        conv_forward(&slices, team, x, w, bias, y, scratch);
        return;
    }
    conv_fill(s->slice.n * s->out_d * s->slice.out_h * s->slice.out_w, s->slice.k, team, bias, y);
    conv3d_forward_add(s, team, x, w, y, scratch);
}

void conv3d_forward_add(const struct conv3d *s, struct team *team, const act *x, const real *w,
                        act *y, void *scratch) {
    const struct conv_shape slices = flat_shape(s);

    if (flat(s)) {
        conv_forward_add(&slices, team, x, w, y, scratch);
        return;
    }
    for (int64_t i = 0; i < s->slice.n * s->kernel_d; i++) {
        const struct conv3d_piece p = piece_of(s, i / s->kernel_d, i % s->kernel_d);

        if (p.slice.n)
            conv_forward_add(&p.slice, team, x + p.x, w + p.w, y + p.y, scratch);
    }
}

void conv3d_backward_data(const struct conv3d *s, struct team *team, const act *dy, const real *w,
                          bool add, act *dx, void *scratch) {
    const struct conv_shape slices = flat_shape(s);

    if (flat(s)) {
        conv_backward_data(&slices, team, dy, w, add, dx, scratch);
        return;
    }
    if (!add)
        conv_fill(s->slice.n * s->d * s->slice.h * s->slice.w, s->slice.c, team, NULL, dx);
    for (int64_t i = 0; i < s->slice.n * s->kernel_d; i++) {
        const struct conv3d_piece p = piece_of(s, i / s->kernel_d, i % s->kernel_d);

        if (p.slice.n)
            conv_backward_data(&p.slice, team, dy + p.y, w + p.w, true, dx + p.x, scratch);
    }
}

void conv3d_backward_weights(const struct conv3d *s, struct team *team, const act *x, const act *dy,
                             real *dw, void *scratch) {
    const struct conv_shape slices = flat_shape(s);

    if (flat(s)) {
        conv_backward_weights(&slices, team, x, dy, dw, scratch);
        return;
    }
    for (int64_t i = 0; i < s->slice.n * s->kernel_d; i++) {
        const struct conv3d_piece p = piece_of(s, i / s->kernel_d, i % s->kernel_d);

        if (p.slice.n)
            conv_backward_weights(&p.slice, team, x + p.x, dy + p.y, dw + p.w, scratch);
    }
}

struct fill {
    int64_t k;
    const real *bias;
    act *y;
};

static void fill_rows(void *context, int64_t begin, int64_t end) {
    const struct fill *f = context;

    if (!f->bias) {
        memset(f->y + begin * f->k, 0, (size_t)((end - begin) * f->k) * sizeof(act));
        return;
    }
    for (int64_t i = begin; i < end; i++)
        for (int64_t j = 0; j < f->k; j++)
            f->y[i * f->k + j] = f->bias[j];
}

void conv_fill(int64_t rows, int64_t k, struct team *team, const real *bias, act *y) {
    struct fill f = {k, bias, y};

    team_run(team, rows, fill_rows, &f);
}
