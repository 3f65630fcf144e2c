/* What numbers are like, worked by hand, on any number of threads. */
#include "train/tensor_stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct tensor_stats stats_of(const float *v, int64_t n, int64_t channels, int threads) {
    struct stats_room *room = stats_room_new(channels);
    struct tensor_stats out;
    struct team *team = NULL;
    struct err err = {0};

    assert_non_null(room);
    assert_int_equal(team_new(&team, threads, &err), 0);
    tensor_stats_of(v, n, channels, room, team, &out);
    team_free(team);
    stats_room_free(room);
    return out;
}

#define expect(a, b) assert_true(fabs((double)(a) - (double)(b)) < 1e-12)

static void numbers_are_counted_in_equal_bins(void **state) {
    static const float v[] = {-1, -1, 0, 0.5f, 1, 3};
    const struct tensor_stats s = stats_of(v, 6, 0, 1);

    (void)state;
    expect(s.min, -1);
    expect(s.max, 3);
    expect(s.mean, 2.5 / 6);
    expect(s.std, sqrt(12.25 / 6 - 2.5 / 6 * 2.5 / 6));
    expect(s.zeros, 1 / 6.0);
    assert_true(s.n == 6 && s.not_finite == 0 && isnan(s.dead));
    /* bins of 4 / 64: -1 in 0, 0 in 16, 0.5 in 24, 1 in 32, 3 in the last */
    assert_true(s.counts[0] == 2 && s.counts[16] == 1 && s.counts[24] == 1 && s.counts[32] == 1 &&
                s.counts[63] == 1);
}

static void what_is_not_finite_is_counted_apart(void **state) {
    static const float v[] = {NAN, 2, INFINITY, 4, -INFINITY}, none[] = {NAN, NAN};
    const struct tensor_stats s = stats_of(v, 5, 0, 1), t = stats_of(none, 2, 0, 1);

    (void)state;
    assert_int_equal(s.not_finite, 3);
    expect(s.min, 2);
    expect(s.max, 4);
    expect(s.mean, 3);
    assert_true(s.counts[0] == 1 && s.counts[63] == 1);
    assert_true(t.not_finite == 2 && isnan(t.min) && isnan(t.mean));
}

/* Of 4 channels one is 0 throughout; another, in all but the last row. */
static void dead_channels_are_those_that_are_0_everywhere(void **state) {
    float v[100 * 4];
    struct tensor_stats s;

    (void)state;
    for (int i = 0; i < 100; i++)
        memcpy(v + 4 * i, ((float[]){1, 0, i == 99, (float)(i % 2)}), 4 * sizeof *v);
    s = stats_of(v, 400, 4, 2);
    expect(s.dead, 0.25);
    v[0] = -1; /* then 0 is nothing special */
    s = stats_of(v, 400, 4, 2);
    assert_true(isnan(s.dead));
}

static void equal_numbers_are_in_one_bin(void **state) {
    static const float v[] = {0.1f, 0.1f, 0.1f};
    const struct tensor_stats s = stats_of(v, 3, 0, 1);

    (void)state;
    assert_int_equal(s.counts[0], 3);
    expect(s.std, 0);
}

static void threads_change_nothing(void **state) {
    static float v[5000];
    struct tensor_stats one, four;

    (void)state;
    for (int i = 0; i < 5000; i++)
        v[i] = (float)sin(i) * 3;
    one = stats_of(v, 5000, 5, 1);
    four = stats_of(v, 5000, 5, 4);
    assert_memory_equal(one.counts, four.counts, sizeof one.counts);
    assert_memory_equal(&one.mean, &four.mean, sizeof one.mean);
    assert_memory_equal(&one.std, &four.std, sizeof one.std);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_counted_in_equal_bins),
        cmocka_unit_test(what_is_not_finite_is_counted_apart),
        cmocka_unit_test(dead_channels_are_those_that_are_0_everywhere),
        cmocka_unit_test(equal_numbers_are_in_one_bin),
        cmocka_unit_test(threads_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
