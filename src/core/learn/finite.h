/* finite.h - are all numbers of a span finite? */
#pragma once
#include "core/base/parallel.h"
#include "core/base/tensor.h"

#include <stdint.h>

/* The first of v[len] that is nan or infinite, or -1; by all threads. Cost: one pass. */
int64_t finite_first(const real *v, int64_t len, struct team *team);
