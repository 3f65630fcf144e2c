#include "core/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { DRAWS = 200000 };

/* kat_vectors of Random123 1.09 (Salmon et al. 2011), the three lines philox4x32 10. */
static void philox_gives_the_published_vectors(void **state) {
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];

        rng_philox(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

/* Variance 1/12, fourth central moment 1/80: the variance of (u - 1/2)^2 is 1/80 - 1/144 = 1/180.
 * 5 standard errors. */
static void uniform_has_the_moments_of_its_distribution(void **state) {
    double mean = 0, var = 0;

    (void)state;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const double u = (double)rng_uniform(7, i);

        assert_true(u >= 0 && u < 1);
        mean += u / DRAWS;
        var += (u - 0.5) * (u - 0.5) / DRAWS;
    }
    assert_true(fabs(mean - 0.5) < 5 * sqrt(1 / 12.0 / DRAWS));
    assert_true(fabs(var - 1 / 12.0) < 5 * sqrt(1 / 180.0 / DRAWS));
}

/* Moments 0, 1, 0, 3; the variances of x, x^2, x^3, x^4 are 1, 2, 15, 96. */
static void normal_has_the_moments_of_its_distribution(void **state) {
    static const double expected[] = {0, 1, 0, 3}, variance[] = {1, 2, 15, 96};
    double moment[4] = {0};

    (void)state;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const double x = (double)rng_normal(7, i);

        assert_true(isfinite(x));
        for (int p = 0; p < 4; p++)
            moment[p] += pow(x, p + 1) / DRAWS;
    }
    for (int p = 0; p < 4; p++)
        assert_true(fabs(moment[p] - expected[p]) < 5 * sqrt(variance[p] / DRAWS));
}

static void neighbouring_draws_are_not_correlated(void **state) {
    double lag = 0;

    (void)state;
    for (uint64_t i = 0; i < DRAWS; i++)
        lag += (double)rng_normal(7, i) * (double)rng_normal(7, i + 1) / DRAWS;
    assert_true(fabs(lag) < 5 / sqrt(DRAWS));
}

/* Counts of a fair die have variance DRAWS * 1/6 * 5/6. */
static void below_is_uniform_over_its_range(void **state) {
    int count[6] = {0};

    (void)state;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const uint64_t r = rng_below(7, i, 6);

        assert_true(r < 6);
        count[r]++;
    }
    for (int r = 0; r < 6; r++)
        assert_true(fabs(count[r] - DRAWS / 6.0) < 5 * sqrt(DRAWS * 5 / 36.0));
}

static void below_reaches_beyond_32_bits(void **state) {
    const uint64_t n = (uint64_t)1 << 60;
    bool large = false;

    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(rng_below(7, i, 1), 0);
        assert_true(rng_below(7, i, n) < n);
        large |= rng_below(7, i, n) > n / 2;
    }
    assert_true(large);
}

/* Shares of draws below x beside the distribution function, which is x for (1, 1), 3 x^2 - 2 x^3
 * for (2, 2), 2/pi asin(sqrt(x)) for (1/2, 1/2), 1 - (1 - x)^5 (1 + 5 x) for (2, 5); for (0.2, 0.2)
 * the integral taken numerically. 5 standard errors. */
static void beta_has_its_distribution(void **state) {
    static const struct {
        double a, b, x, below;
    } known[] = {
        {1, 1, 0.25, 0.25},
        {1, 1, 0.9, 0.9},
        {2, 2, 0.1, 0.028},
        {2, 2, 0.75, 0.84375},
        {0.5, 0.5, 0.25, 1. / 3},
        {0.5, 0.5, 0.01, 0.06376856085851986},
        {2, 5, 0.2, 0.34464},
        {0.2, 0.2, 0.001, 0.1322012917},
        {0.2, 0.2, 0.1, 0.3366897784},
        {0.2, 0.2, 0.5, 0.5},
        {1e-3, 1e-3, 0.5, 0.5},
        {1e5, 1e5, 0.5, 0.5},
    };

    (void)state;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        int below = 0;
        for (uint64_t i = 0; i < DRAWS; i++) {
            const double v = rng_beta(7, i, known[k].a, known[k].b);
            assert_true(v >= 0 && v <= 1);
            below += v < known[k].x;
        }
        const double p = known[k].below, error = sqrt(p * (1 - p) / DRAWS);
        if (!(fabs((double)below / DRAWS - p) < 5 * error))
            fail_msg("Beta(%g, %g): %g are below %g, expected %g", known[k].a, known[k].b,
                     (double)below / DRAWS, known[k].x, p);
    }
}

static int ascending(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void every_purpose_and_place_has_a_key_of_its_own(void **state) {
    static uint64_t keys[4 * RNG_TEST * 20 * 20];
    size_t n = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++)
        for (int purpose = RNG_INIT; purpose <= RNG_TEST; purpose++)
            for (uint64_t a = 0; a < 20; a++)
                for (uint64_t b = 0; b < 20; b++)
                    keys[n++] = rng_key(seed, (enum rng_purpose)purpose, a, b);
    assert_int_equal(n, sizeof keys / sizeof *keys);
    qsort(keys, n, sizeof *keys, ascending);
    for (size_t i = 1; i < n; i++)
        assert_true(keys[i] != keys[i - 1]);
}

static void a_draw_does_not_depend_on_the_draws_before(void **state) {
    const float later = rng_uniform(3, 1000);

    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        rng_uniform(3, i);
    assert_true(rng_uniform(3, 1000) == later);
    assert_true(rng_uniform(4, 1000) != later);
}

/* Places around a block of 4 words, the number of blocks done at once and the 32-bit carry. */
static void a_span_holds_the_bits_of_single_draws(void **state) {
    (void)state;
    const uint64_t key = rng_key(3, RNG_TEST, 1, 2), firsts[] = {0, 3, 61, 0x3fffffffe, 1ull << 40};
    uint32_t span[201];

    for (int f = 0; f < 5; f++)
        for (int64_t len = 0; len <= 200; len += len < 8 ? 1 : 48) {
            span[len] = 7;
            rng_bits_span(key, firsts[f], span, len);
            for (int64_t i = 0; i < len; i++)
                assert_int_equal(span[i], rng_bits(key, firsts[f] + (uint64_t)i));
            assert_int_equal(span[len], 7);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_vectors),
        cmocka_unit_test(uniform_has_the_moments_of_its_distribution),
        cmocka_unit_test(normal_has_the_moments_of_its_distribution),
        cmocka_unit_test(neighbouring_draws_are_not_correlated),
        cmocka_unit_test(below_is_uniform_over_its_range),
        cmocka_unit_test(below_reaches_beyond_32_bits),
        cmocka_unit_test(beta_has_its_distribution),
        cmocka_unit_test(every_purpose_and_place_has_a_key_of_its_own),
        cmocka_unit_test(a_draw_does_not_depend_on_the_draws_before),
        cmocka_unit_test(a_span_holds_the_bits_of_single_draws),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
