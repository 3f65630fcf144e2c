/* act_math.h - exp, expm1 and tanh in the precision of activations. In float without branches or
 * calls, so that loops over them become vector code: 3 units in the last place, where the library's
 * calls take 10 to 40 times as long. */
#pragma once
#include "core/base/tensor.h"

#include <math.h>
#include <string.h>

/* c ? a : b without a branch; compilers give up on loops that work out a only where c holds. */
static inline float choose_float(bool c, float a, float b) {
    const uint32_t mask = (uint32_t)0 - (uint32_t)c;
    uint32_t bits_a, bits_b;

    memcpy(&bits_a, &a, sizeof a);
    memcpy(&bits_b, &b, sizeof b);
    bits_a = (bits_a & mask) | (bits_b & ~mask);
    memcpy(&a, &bits_a, sizeof a);
    return a;
}

/* x = n ln 2 + r, |r| <= ln 2 / 2. Returns exp(r) - 1; *scale is 2^n. x is brought into
 * [-88, 88] first, at whose lower end 2^n is 0; NaN stays NaN. Source: the polynomial of Cephes,
 * expf.c (Moshier 1989). */
static inline float exp_float_parts(float x, float *scale) {
    const float magic = 12582912.f; /* 1.5 * 2^23: adding it rounds to whole numbers */
    x = choose_float(x < -88.f, -88.f, x);
    x = choose_float(x > 88.f, 88.f, x);
    const float shifted = x * 1.44269504f + magic, n = shifted - magic;
    const float r = x - n * 0.693359375f - n * -2.12194440e-4f;
    uint32_t bits;

    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127) << 23; /* the low bits of shifted are n */
    memcpy(scale, &bits, sizeof bits);
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
}

/* exp(x); 0 below -87.7 and exp(88) above 88. */
static inline float exp_float(float x) {
    float scale;
    const float q = exp_float_parts(x, &scale);

    return scale * q + scale;
}

/* exp(x) - 1 for x <= 88, without cancellation near 0. */
static inline float expm1_float(float x) {
    float scale;
    const float q = exp_float_parts(x, &scale);

    return scale * q + (scale - 1);
}

/* Source of the polynomial for |x| < 0.625: Cephes, tanhf.c. */
static inline float tanh_float(float x) {
    const float size = choose_float(x < 0, -x, x), e = exp_float(-2 * size), z = x * x;
    const float far = (1 - e) / (1 + e);
    float p = -5.70498872745e-3f;

    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    return choose_float(size < 0.625f, p * z * x + x, choose_float(x < 0, -far, far));
}

#ifdef CORE_DOUBLE
static inline act act_choose(bool c, act a, act b) {
    return c ? a : b;
}
static inline act act_exp(act x) {
    return exp(x);
}
static inline act act_expm1(act x) {
    return expm1(x);
}
static inline act act_tanh(act x) {
    return tanh(x);
}
#else
static inline act act_choose(bool c, act a, act b) {
    return choose_float(c, a, b);
}
static inline act act_exp(act x) {
    return exp_float(x);
}
static inline act act_expm1(act x) {
    return expm1_float(x);
}
static inline act act_tanh(act x) {
    return tanh_float(x);
}
#endif
