/* conv_parts.h - what conv.c is made of; for src/core/math only. */
#pragma once
#include "core/math/conv.h"
#include "core/math/patch.h"

static inline int64_t conv_x_n(const struct conv_shape *s) {
    return s->x_n ? s->x_n : s->h * s->w * s->c;
}

/* The windows of the forward pass over c channels at a time; not yet cut. */
static inline struct patches conv_patches(const struct conv_shape *s, int64_t c) {
    return (struct patches){
        .h = {s->h, s->out_h, s->stride_h, -s->pad_h, s->kernel_h, s->dilation_h},
        .w = {s->w, s->out_w, s->stride_w, -s->pad_w, s->kernel_w, s->dilation_w},
        .n = s->n,
        .src_c = s->c,
        .src_n = conv_x_n(s),
        .c = c,
    };
}

/* The gradient of the weights of one group. */
size_t conv_weights_scratch_bytes(const struct conv_shape *s);
void conv_weights_of_group(const struct conv_shape *s, int64_t group, struct team *team,
                           const act *x, const act *dy, real *dw, void *scratch);

/* One filter per channel: groups = c = k. add: to y, without bias, or to dx. */
size_t depthwise_scratch_bytes(const struct conv_shape *s);
void depthwise_forward(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                       const real *bias, bool add, act *y);
void depthwise_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                             const real *w, bool add, act *dx);
void depthwise_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                                const act *dy, real *dw, void *scratch);

/* One tap, step 1, many channels. */
bool pointwise(const struct conv_shape *s);
size_t pointwise_scratch_bytes(const struct conv_shape *s);
void pointwise_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                                const act *dy, real *dw, void *scratch);

/* The kernel covers all of the image, so that there is one output: as windows of the gradient, 15
 * of 16 pixels of a 4x4 kernel would be padding. */
bool covering(const struct conv_shape *s);
void covering_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                            const real *w, bool add, act *dx);
