/* layout.h - weights in the order of PyTorch and in ours.
 *
 *   torch[o][i][spatial ...] = ours[spatial ...][i][o]
 *
 * for every weight of two dimensions or more: o and i are the first two of PyTorch's and the last
 * two of ours, whatever they mean (conv: outputs, inputs of a group; conv_transpose: inputs,
 * outputs of a group; linear: outputs, inputs). Vectors are the same in both. */
#pragma once
#include "core/base/tensor.h"

/* The shape in PyTorch of a weight of ours, and the other way round. */
struct shape layout_to_torch(const struct shape *ours);
struct shape layout_from_torch(const struct shape *torch);

/* The numbers in the other order: in[shape_len], out[shape_len], which must not overlap.
 *   ours, torch  the shape of `in` */
void layout_write_torch(const struct shape *ours, const float *in, float *out);
void layout_read_torch(const struct shape *torch, const float *in, float *out);
