#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ROWS = 40 };

/* Of each sample 10 rows that find something, 25 of background, 5 ignored. */
static void fill(act *target, int samples) {
    for (int i = 0; i < samples * ROWS; i++) {
        const int k = i % ROWS;

        for (int j = 0; j < 4; j++)
            target[i * 5 + j] = k + j;
        target[i * 5 + 4] = k % 4 == 0 ? 3 : k % 8 == 1 ? -2 : -1;
    }
}

static struct op_case of(const char *with, const act *target, int samples, int64_t first,
                         uint64_t key) {
    return (struct op_case){
        "sample",           .with = with,   .n_x = 1,  .x = {{3, {samples, ROWS, 5}}},
        .x_data = {target}, .first = first, .key = key};
}

/* How many rows of y there are of each kind; all others are as they were. */
static void counts(const act *y, const act *target, int *positive, int *background) {
    *positive = *background = 0;
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < 4; j++)
            assert_true(y[i * 5 + j] == target[i * 5 + j]);
        assert_true(y[i * 5 + 4] == target[i * 5 + 4] || y[i * 5 + 4] == -2);
        *positive += y[i * 5 + 4] == 3;
        *background += y[i * 5 + 4] == -1;
    }
}

static void check_counts(const char *with, int positive, int background) {
    act target[2 * ROWS * 5];
    struct shape shape;
    int p, b;

    fill(target, 2);
    const struct op_case c = of(with, target, 2, 0, 5);
    act *y = forward_of(&c, &shape);
    for (int i = 0; i < 2; i++) {
        counts(y + i * ROWS * 5, target, &p, &b);
        assert_int_equal(p, positive);
        assert_int_equal(b, background);
    }
    free(y);
}

/* Background fills what positives leave, and no more than there is. */
static void as_many_remain_as_are_asked_for(void **state) {
    (void)state;
    check_counts("8, positive=0.25", 2, 6);
    check_counts("16, positive=0.75", 10, 6);
    check_counts("32, positive=0.25", 8, 24);
    check_counts("1000", 10, 25);
    check_counts("8, positive=0", 0, 8);
}

/* A sample's draws follow from its place in the batch, whoever computes it. */
static void draws_follow_from_the_place_in_the_batch(void **state) {
    act target[2 * ROWS * 5];
    struct shape shape;

    (void)state;
    fill(target, 2);
    const struct op_case both = of("8", target, 2, 6, 9), second = of("8", target, 1, 7, 9);
    act *a = forward_of(&both, &shape), *b = forward_of(&second, &shape);
    assert_memory_equal(a + ROWS * 5, b, ROWS * 5 * sizeof *a);
    assert_memory_not_equal(a, b, ROWS * 5 * sizeof *a);
    free(a), free(b);
}

/* In 2000 steps each of 35 rows is drawn 8 / 10 or 8 / 25 of half the time: within 5 standard
 * deviations. */
static void all_rows_are_as_likely(void **state) {
    enum { STEPS = 2000 };
    act target[ROWS * 5];
    int n[ROWS] = {0};
    struct shape shape;

    (void)state;
    fill(target, 1);
    for (int step = 0; step < STEPS; step++) {
        const struct op_case c = of("8", target, 1, 0, 100 + (uint64_t)step);
        act *y = forward_of(&c, &shape);

        for (int i = 0; i < ROWS; i++)
            n[i] += y[i * 5 + 4] >= -1;
        free(y);
    }
    for (int i = 0; i < ROWS; i++) {
        const double p = target[i * 5 + 4] >= 0 ? 0.4 : target[i * 5 + 4] == -1 ? 4 / 25.0 : 0;
        const double off = n[i] - STEPS * p;

        assert_true(off * off <= 25 * STEPS * p * (1 - p));
    }
}

static void what_is_no_target_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"sample", .n_x = 1, .x = {{3, {2, 8, 4}}}},
                  "sample: targets are 2x8x4, expected a list with 5 numbers a row");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_remain_as_are_asked_for),
        cmocka_unit_test(draws_follow_from_the_place_in_the_batch),
        cmocka_unit_test(all_rows_are_as_likely),
        cmocka_unit_test(what_is_no_target_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
