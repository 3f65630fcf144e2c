/* copy.h - operators that hand their numbers on unchanged: reshape, detach. */
#pragma once
#include "core/ops/parts/share.h"

/* y = x; nothing to do where they are the same memory. */
void copy_forward(const struct op_call *c);

/* dx += dy, or dx = dy where it holds nothing yet; nothing to do where they are the same memory. */
void copy_backward(const struct op_call *c);
