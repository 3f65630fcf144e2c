/* clip.h - gradients kept within bounds before they move the weights. */
#pragma once
#include "core/base/parallel.h"
#include "core/base/tensor.h"

#include <stdint.h>

/* The sum of the squares of v[len], in double. Added up in pieces that depend on len alone, so that
 * the bits do not depend on the team. The norm over several spans is the square root of the
 * sum over them. */
double clip_sum_squares(const real *v, int64_t len, struct team *team);

/* What to multiply gradients of that norm by, so that it becomes at most max_norm:
 * min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. max_norm > 0. A norm that
 * is not finite gives 0 or nan: check it first. */
double clip_scale(double norm, double max_norm);

/* Every element of v[len] times scale, then into [-limit, limit], in place. limit > 0. */
void clip_values(real *v, int64_t len, double scale, double limit, struct team *team);
