/* act_math.h - exp, expm1, tanh, log, log1p and the normal distribution in the precision of
 * activations. In float without branches or calls, so that loops over them become vector code: 3
 * units in the last place, where the library's calls take 10 to 40 times as long. */
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

/* log(1 + z) for sqrt(1/2) <= 1 + z < sqrt(2). Source: the polynomial of Cephes, logf.c. */
static inline float log1p_float_near(float z) {
    float p = 7.0376836292e-2f;
    p = p * z - 1.1514610310e-1f;
    p = p * z + 1.1676998740e-1f;
    p = p * z - 1.2420140846e-1f;
    p = p * z + 1.4249322787e-1f;
    p = p * z - 1.6668057665e-1f;
    p = p * z + 2.0000714765e-1f;
    p = p * z - 2.4999993993e-1f;
    p = p * z + 3.3333331174e-1f;
    return p * z * (z * z) - 0.5f * (z * z) + z;
}

/* log(x); -infinity at 0, NaN below. */
static inline float log_float(float x) {
    const bool tiny = x < 0x1p-126f; /* denormal: no leading 1 */
    const float y = x * choose_float(tiny, 0x1p23f, 1);
    uint32_t bits;
    float m;

    memcpy(&bits, &y, sizeof bits);
    /* y = 2^n m: m begins with the bits of sqrt(1/2), 0x3f3504f3 */
    const int32_t n = (int32_t)((bits + (0x3f800000u - 0x3f3504f3u)) >> 23) - 127;
    bits -= (uint32_t)n << 23;
    memcpy(&m, &bits, sizeof m);
    const float whole = (float)n - choose_float(tiny, 23, 0);
    const float log = (log1p_float_near(m - 1) + whole * -2.12194440e-4f) + whole * 0.693359375f;
    const float usual = choose_float(x < INFINITY, log, x); /* infinity and NaN stay */
    return choose_float(x > 0, usual, choose_float(x < 0, NAN, choose_float(x == 0, -INFINITY, x)));
}

/* log(1 + x) for 0 <= x <= 1. */
static inline float log1p_unit_float(float x) {
    const bool far = x > 0.41421356f;
    const float near = log1p_float_near(choose_float(far, (x - 1) * 0.5f, x));

    return near + choose_float(far, 0.693147181f, 0);
}

/* The standard normal distribution P(X < x), from its tail exp(-x^2 / 2) R(|x|); *density is
 * exp(-x^2 / 2) / sqrt(2 pi). R is fitted in 1 / (1 + 0.3 |x|) to 4e-9 of itself (tests/golden/
 * normal_tail.py). */
static inline float normal_float(float x, float *density) {
    const float size = choose_float(x < 0, -x, x), e = exp_float(-0.5f * x * x);
    const float t = 1 / (1 + 0.3f * size);
    float p = -0.0206129483f;

    p = p * t + 0.112376428f;
    p = p * t - 0.228069048f;
    p = p * t + 0.191583749f;
    p = p * t - 0.0792490535f;
    p = p * t + 0.0960587512f;
    p = p * t + 0.0784252607f;
    p = p * t + 0.110227392f;
    p = p * t + 0.119572833f;
    p = p * t + 0.119686635f;
    *density = e * 0.398942280f;
    const float tail = p * t * e;
    return choose_float(x < 0, tail, 1 - tail);
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
static inline act act_log(act x) {
    return log(x);
}
static inline act act_log1p_unit(act x) {
    return log1p(x);
}
static inline act act_normal(act x, act *density) {
    *density = exp(-0.5 * x * x) * 0.398942280401432678;
    return 0.5 * erfc(x * -0.707106781186547524);
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
static inline act act_log(act x) {
    return log_float(x);
}
static inline act act_log1p_unit(act x) {
    return log1p_unit_float(x);
}
static inline act act_normal(act x, act *density) {
    return normal_float(x, density);
}
#endif
