/* counted.h - the inputs of tests/golden/convolutions.py: v[i] = ((i * step) % 17 - 8) / 4. */
#pragma once
#include "core/base/tensor.h"

static inline const real *counted(real *v, int64_t len, int64_t step) {
    for (int64_t i = 0; i < len; i++)
        v[i] = (real)(i * step % 17 - 8) / 4;
    return v;
}
