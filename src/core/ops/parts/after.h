/* after.h - one pass over the output [rows, channels] of a product, or over its gradient. */
#pragma once
#include "core/base/parallel.h"
#include "core/ops/parts/then.h"

struct after {
    struct team *team;
    int64_t rows, channels;
    struct then then;
    void *scratch; /* after_scratch_bytes */
};

size_t after_scratch_bytes(int64_t rows, int64_t channels);

/* y = then(y + other); other may be NULL. */
void after_forward(const struct after *a, const act *other, act *y);

/* With g the gradient before `then`, by y: dother += g (or = g: put), dbias += sums of g over rows,
 * and dy becomes g scale. NULL: no dother, no dbias, scale 1. Reads no y where nothing follows. */
void after_backward(const struct after *a, const act *y, const real *scale, act *dy, bool put,
                    act *dother, real *dbias);
