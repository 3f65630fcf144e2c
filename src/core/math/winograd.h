/* winograd.h - convolution by 3x3 filters with a quarter of the multiplications: F(4x4, 3x3) of
 * Lavin & Gray 2015, arXiv:1509.09308. Signatures and meaning are those of conv.h. Results differ
 * from direct sums by rounding (1e-6 of their norm in float), and do not depend on the number of
 * threads. */
#pragma once
#include "core/math/conv.h"

enum winograd_direction { WINOGRAD_FORWARD, WINOGRAD_DATA, WINOGRAD_WEIGHTS };

/* Whether these functions compute it: 3x3, stride 1, dilation 1, one group, pad 0 to 2. */
bool winograd_possible(const struct conv_shape *s);

/* Whether they are also faster than direct sums, by measurements that do not depend on the batch,
 * so that a network computes the same in batches of any size. */
bool winograd_fits(const struct conv_shape *s, enum winograd_direction direction);

/* Scratch that any of the functions needs, whatever the number of threads. */
size_t winograd_scratch_bytes(const struct conv_shape *s);

void winograd_forward(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                      const real *bias, act *y, void *scratch);
void winograd_forward_add(const struct conv_shape *s, struct team *team, const act *x,
                          const real *w, act *y, void *scratch);
void winograd_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                            const real *w, bool add, act *dx, void *scratch);
void winograd_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                               const act *dy, real *dw, void *scratch);
