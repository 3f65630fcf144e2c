/* torchvision_image.h - the image of tests/golden/augment.py, and its two sums. */
#pragma once
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { GOLDEN_FLOATS = 4096 };

static inline unsigned char golden_byte(int64_t i, int divisor) {
    return (unsigned char)((i * 37 + (i / 7) * 11 + 5) % 256 / divisor);
}

static inline void golden_image(float *v, int64_t len, int divisor) {
    for (int64_t i = 0; i < len; i++)
        v[i] = (float)golden_byte(i, divisor) / 255;
}

static inline void golden_check(const float *v, int64_t len, double sum, double weighted) {
    double found = 0, found_weighted = 0;

    for (int64_t i = 0; i < len; i++) {
        found += (double)v[i];
        found_weighted += (double)v[i] * (double)(7 * i % 13);
    }
    if (fabs(found - sum) > 1e-3 || fabs(found_weighted - weighted) > 1e-2)
        fail_msg("the sums are %.5f and %.5f, expected %.5f and %.5f", found, found_weighted, sum,
                 weighted);
}
