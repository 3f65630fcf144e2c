/* rows.h - sums and maxima over the channels of one pixel. Many partial results side by side, which
 * the compiler keeps in vector registers; always in the same order. */
#pragma once
#include "core/ops/parts/act_math.h"

enum { ROW_LANES = 16 };

/* The largest of x[n], n >= 1; NaN only where x[0] or all are. */
static inline act row_max(const act *x, int64_t n) {
    act lanes[ROW_LANES], max = x[0];
    int64_t j = 0;

    for (int l = 0; l < ROW_LANES; l++)
        lanes[l] = x[0];
    for (; j + ROW_LANES <= n; j += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++)
            lanes[l] = x[j + l] > lanes[l] ? x[j + l] : lanes[l];
    for (; j < n; j++)
        max = x[j] > max ? x[j] : max;
    for (int l = 0; l < ROW_LANES; l++)
        max = lanes[l] > max ? lanes[l] : max;
    return max;
}

/* The sum of exp(x[j] - max). */
static inline real row_sum_exp(const act *x, int64_t n, act max) {
    real lanes[ROW_LANES] = {0}, sum = 0;
    int64_t j = 0;

    for (; j + ROW_LANES <= n; j += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++)
            lanes[l] += act_exp(x[j + l] - max);
    for (; j < n; j++)
        sum += act_exp(x[j] - max);
    for (int l = 0; l < ROW_LANES; l++)
        sum += lanes[l];
    return sum;
}

/* Softmax of x[n] is exp(x[j] - *max) / *sum. A single score stands beside a 0, so that it is the
 * sigmoid. */
static inline void row_softmax_parts(const act *x, int64_t n, real *max, real *sum) {
    const bool alone = n == 1;
    const act largest = alone && x[0] < 0 ? 0 : row_max(x, n);

    *max = largest;
    *sum = row_sum_exp(x, n, largest) + (alone ? act_exp(-largest) : 0);
}
