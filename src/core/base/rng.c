#include "core/base/rng.h"

#include <math.h>
#include <string.h>

void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;

        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

static void block(uint64_t key, uint64_t counter, uint32_t high, uint32_t out[4]) {
    const uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), high, 0};
    const uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};

    rng_philox(c, k, out);
}

uint64_t rng_key(uint64_t seed, enum rng_purpose purpose, uint64_t a, uint64_t b) {
    const uint32_t c[4] = {(uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32)};
    const uint32_t k[2] = {(uint32_t)seed, (uint32_t)(seed >> 32) ^ ((uint32_t)purpose << 24)};
    uint32_t out[4];

    rng_philox(c, k, out);
    return (uint64_t)out[1] << 32 | out[0];
}

uint32_t rng_bits(uint64_t key, uint64_t i) {
    uint32_t out[4];

    block(key, i >> 2, 0, out);
    return out[i & 3];
}

enum { SPAN_BLOCKS = 16 }; /* side by side, which the compiler turns into vector code */

/* The words of blocks counter .. counter + SPAN_BLOCKS - 1: rng_philox of many at once. */
static void blocks(uint64_t key, uint64_t counter, uint32_t out[4 * SPAN_BLOCKS]) {
    uint32_t c0[SPAN_BLOCKS], c1[SPAN_BLOCKS], c2[SPAN_BLOCKS] = {0}, c3[SPAN_BLOCKS] = {0};
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);

    for (int i = 0; i < SPAN_BLOCKS; i++) {
        c0[i] = (uint32_t)(counter + (uint64_t)i);
        c1[i] = (uint32_t)((counter + (uint64_t)i) >> 32);
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < SPAN_BLOCKS; i++) {
            const uint64_t p0 = (uint64_t)0xD2511F53u * c0[i], p1 = (uint64_t)0xCD9E8D57u * c2[i];

            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c1[i] = (uint32_t)p1;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < SPAN_BLOCKS; i++)
        out[4 * i] = c0[i], out[4 * i + 1] = c1[i], out[4 * i + 2] = c2[i], out[4 * i + 3] = c3[i];
}

void rng_bits_span(uint64_t key, uint64_t first, uint32_t *out, int64_t len) {
    uint32_t some[4 * SPAN_BLOCKS];

    for (int64_t done = 0; done < len;) {
        const uint64_t at = first + (uint64_t)done;
        const int64_t skip = (int64_t)(at & 3), ready = 4 * SPAN_BLOCKS - skip;
        const int64_t n = len - done < ready ? len - done : ready;

        blocks(key, at >> 2, some);
        memcpy(out + done, some + skip, (size_t)n * sizeof *out);
        done += n;
    }
}

float rng_uniform(uint64_t key, uint64_t i) {
    return (float)(rng_bits(key, i) >> 8) * 0x1p-24f;
}

/* Above 0 and below 1. */
static double inside(uint32_t bits) {
    return ((double)bits + 0.5) * 0x1p-32;
}

static double normal(uint32_t a, uint32_t b) {
    return sqrt(-2 * log(inside(a))) * cos(6.283185307179586 * ((double)b * 0x1p-32));
}

float rng_normal(uint64_t key, uint64_t i) {
    uint32_t out[4];

    block(key, i, 1, out);
    return (float)normal(out[0], out[1]);
}

/* The logarithm of a gamma variate: of small shapes most are too small for a number. Try k of it is
 * block high + 2 k, of which a try takes three words; the fourth makes a shape below 1 of one
 * above, by u^(1 / shape). At least 95 of 100 tries succeed. */
static double log_gamma_variate(uint64_t key, uint64_t i, uint32_t high, double shape) {
    const double d = (shape < 1 ? shape + 1 : shape) - 1. / 3, c = 1 / sqrt(9 * d);
    uint32_t out[4];

    for (;; high += 2) {
        block(key, i, high, out);
        const double x = normal(out[0], out[1]), root = 1 + c * x, v = root * root * root;
        if (root > 0 && log(inside(out[2])) < x * x / 2 + d - d * v + d * log(v))
            return log(d * v) + (shape < 1 ? log(inside(out[3])) / shape : 0);
    }
}

double rng_beta(uint64_t key, uint64_t i, double a, double b) {
    const double x = log_gamma_variate(key, i, 3, a), y = log_gamma_variate(key, i, 4, b);

    return 1 / (1 + exp(y - x));
}

uint64_t rng_below(uint64_t key, uint64_t i, uint64_t n) {
    uint32_t out[4];

    block(key, i, 2, out);
    const uint64_t r = (uint64_t)out[1] << 32 | out[0];
    return (uint64_t)(((unsigned __int128)r * n) >> 64);
}
