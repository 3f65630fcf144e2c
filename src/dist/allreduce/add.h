/* add.h - what all sums do that send numbers as they are. */
#pragma once
#include "core/base/tensor.h"

#include <stdint.h>

/* v[len] += more[len]. */
static inline void add(real *restrict v, const real *restrict more, int64_t len) {
    for (int64_t i = 0; i < len; i++)
        v[i] += more[i];
}
