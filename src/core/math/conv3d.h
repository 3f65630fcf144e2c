/* conv3d.h - convolution of volumes [n, d, h, w, c] with weights [kernel_d, kernel_h, kernel_w,
 * c / groups, k], as sums over depth of the convolutions of slices. Of images, d = kernel_d = 1,
 * it is the convolution of conv.h itself. */
#pragma once
#include "core/math/conv.h"

struct conv3d {
    struct conv_shape slice; /* all but depth; x_n is 0 */
    int64_t d, out_d, kernel_d, stride_d;
    int64_t pad_d; /* slices of zeros before the first; as many as are read after the last */
    int64_t dilation_d;
};

/* As those of conv.h. */
double conv3d_flops(const struct conv3d *s);
size_t conv3d_scratch_bytes(const struct conv3d *s);
void conv3d_forward(const struct conv3d *s, struct team *team, const act *x, const real *w,
                    const real *bias, act *y, void *scratch);
void conv3d_forward_add(const struct conv3d *s, struct team *team, const act *x, const real *w,
                        act *y, void *scratch);
void conv3d_backward_data(const struct conv3d *s, struct team *team, const act *dy, const real *w,
                          bool add, act *dx, void *scratch);
void conv3d_backward_weights(const struct conv3d *s, struct team *team, const act *x, const act *dy,
                             real *dw, void *scratch);

/* y[i][j] = bias[j] for i < rows, or 0 where bias is NULL; y is [rows, k]. */
void conv_fill(int64_t rows, int64_t k, struct team *team, const real *bias, act *y);
