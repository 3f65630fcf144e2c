/* conv.h - two-dimensional convolution, forward and both gradients. Images are [n, h, w, c],
 * weights [kernel_h, kernel_w, c / groups, k]. Results do not depend on the number of threads. */
#pragma once
#include "core/base/mode.h"
#include "core/base/parallel.h"
#include "core/base/tensor.h"

struct conv_shape {
    int64_t n, h, w, c;      /* input */
    int64_t out_h, out_w, k; /* output */
    int64_t kernel_h, kernel_w, stride_h, stride_w;
    int64_t pad_h, pad_w; /* rows of zeros above, columns on the left; as many as are read at
                           * the other ends */
    int64_t dilation_h, dilation_w, groups; /* groups divides c and k */
    int64_t x_n; /* elements from one sample of the input to the next; 0: h * w * c */
    const struct compute_mode *mode; /* borrowed; NULL: the usual one */
};

/* Multiply-adds, counted as 2, of the forward pass without bias. */
double conv_flops(const struct conv_shape *s);

/* Scratch that any of the functions needs, whatever the number of threads. */
size_t conv_scratch_bytes(const struct conv_shape *s);

/* y = x * w + bias.
 *   bias     [k], or NULL for none
 *   scratch  conv_scratch_bytes, 64-byte aligned */
void conv_forward(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                  const real *bias, act *y, void *scratch);

/* y += x * w. */
void conv_forward_add(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                      act *y, void *scratch);

/* dx (+)= dy * w, transposed. add: to dx, in place of overwriting it. */
void conv_backward_data(const struct conv_shape *s, struct team *team, const act *dy, const real *w,
                        bool add, act *dx, void *scratch);

/* dw += x * dy. */
void conv_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                           const act *dy, real *dw, void *scratch);

/* dbias[j] += sum of dy[i][j] over i < rows; dy is [rows, k]. */
void conv_backward_bias(int64_t rows, int64_t k, struct team *team, const act *dy, real *dbias);
