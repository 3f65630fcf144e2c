/* peak_kernels.h - struct isa's peak(). */
#pragma once
#include "core/math/isa/vec.h"

/* Independent sums, so that no multiply-add waits for another: 2 units of 4 to 6 cycles. */
enum { PEAK_SUMS = 12 };

static double peak(int64_t rounds) {
    vec sum[PEAK_SUMS], half = (vec){0} + (real)0.5, one = (vec){0} + (real)1;
    real last[VEC_LEN];

    for (int i = 0; i < PEAK_SUMS; i++)
        sum[i] = (vec){0} + (real)i;
    for (int64_t k = 0; k < rounds; k++)
        for (int i = 0; i < PEAK_SUMS; i++)
            sum[i] = sum[i] * half + one; /* tends to 2: never out of range */
    for (int i = 1; i < PEAK_SUMS; i++)
        sum[0] += sum[i];
    store(last, sum[0]);
    /* Never less than 0, which the compiler does not know. */
    return last[0] < 0 ? 0 : 2.0 * PEAK_SUMS * VEC_LEN * (double)rounds;
}
