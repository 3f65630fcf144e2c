#include "core/learn/clip.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* 1^2 + ... + n^2 = n (n + 1) (2n + 1) / 6, exact in double. */
static void squares_are_summed_at_every_length(void **state) {
    (void)state;
    const int64_t lengths[] = {0, 1, 2, 15, 16, 17, 255, 256, 257, 4096, 10007};
    real *v = malloc(10007 * sizeof *v);

    assert_non_null(v);
    for (int64_t i = 0; i < 10007; i++)
        v[i] = (real)(i % 2 ? -(i + 1) : i + 1);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        const int64_t n = lengths[k];

        assert_true(clip_sum_squares(v, n, NULL) == (double)(n * (n + 1) * (2 * n + 1) / 6));
    }
    free(v);
}

static void threads_do_not_change_the_bits(void **state) {
    (void)state;
    enum { N = 100003 };
    struct err err = {0};
    struct team *team;
    real *v = malloc(N * sizeof *v);

    assert_non_null(v);
    for (int64_t i = 0; i < N; i++)
        v[i] = (real)1 / (real)(i + 3);
    const double one = clip_sum_squares(v, N, NULL);
    for (int threads = 2; threads <= 5; threads++) {
        assert_int_equal(team_new(&team, threads, &err), 0);
        const double many = clip_sum_squares(v, N, team);
        assert_memory_equal(&one, &many, sizeof one);
        team_free(team);
    }
    free(v);
}

/* A vector (3, 4) has norm 5. */
static void long_gradients_are_brought_to_the_norm(void **state) {
    (void)state;
    const real v[] = {3, 4};
    const double norm = sqrt(clip_sum_squares(v, 2, NULL));

    assert_true(norm == 5);
    assert_true(fabs(clip_scale(norm, 1) - 1 / 5.000001) < 1e-15);
    assert_true(clip_scale(norm, 6) == 1);
    assert_true(clip_scale(0, 1) == 1);
    assert_true(isnan(clip_scale(NAN, 1)));
    assert_true(clip_scale(INFINITY, 1) == 0);
}

static void values_are_scaled_and_then_bounded(void **state) {
    (void)state;
    real v[] = {-8, -1, 0, 0.5, 3, NAN};
    const real expected[] = {-2, -0.5, 0, 0.25, 1.5};

    clip_values(v, 6, 0.5, 2, NULL);
    assert_memory_equal(v, expected, sizeof expected);
    assert_true(isnan(v[5])); /* stays visible */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squares_are_summed_at_every_length),
        cmocka_unit_test(threads_do_not_change_the_bits),
        cmocka_unit_test(long_gradients_are_brought_to_the_norm),
        cmocka_unit_test(values_are_scaled_and_then_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
