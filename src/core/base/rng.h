/* rng.h - randomness without state: every draw is a function of a key and an element index.
 * A key is made of (seed, purpose, a, b), for example (seed, RNG_AUGMENT, epoch, sample), so
 * that nothing needs a checkpoint and nothing depends on the number of ranks or threads.
 * Source: Philox4x32-10, Salmon et al. 2011, doi:10.1145/2063384.2063405 */
#pragma once
#include <stdint.h>

enum rng_purpose {
    RNG_INIT = 1, /* a: network, b: parameter */
    RNG_SHUFFLE,  /* a: epoch */
    RNG_AUGMENT,  /* a: epoch, b: sample */
    RNG_OPERATOR, /* a: step, b: node */
    RNG_SYNTH,    /* a: split, b: sample */
    RNG_TEST,
    RNG_SPLIT,    /* a: class + 1 */
    RNG_POWERSGD, /* a: vector, b: its first element of the matrix */
    RNG_SWEEP,    /* a: setting; element: configuration */
    RNG_REGIONS,  /* a: sample */
};

/* One block of four words: counter and key to out. */
void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* A key of its own for each (seed, purpose, a, b). */
uint64_t rng_key(uint64_t seed, enum rng_purpose purpose, uint64_t a, uint64_t b);

/* 32 random bits of element i. */
uint32_t rng_bits(uint64_t key, uint64_t i);

/* rng_bits(key, first + i) into out[i] for 0 <= i < len, several times as fast. */
void rng_bits_span(uint64_t key, uint64_t first, uint32_t *out, int64_t len);

/* Uniform in [0, 1), 24 bits. */
float rng_uniform(uint64_t key, uint64_t i);

/* Standard normal (Box-Muller). */
float rng_normal(uint64_t key, uint64_t i);

/* Beta(a, b), from 0 to 1; a and b above 0, however small.
 * Source: quotients of gamma variates, those by Marsaglia & Tsang 2000, doi:10.1145/358407.358414
 */
double rng_beta(uint64_t key, uint64_t i, double a, double b);

/* Uniform integer in [0, n), n > 0, by 64-bit multiplication (bias below n / 2^64). */
uint64_t rng_below(uint64_t key, uint64_t i, uint64_t n);
