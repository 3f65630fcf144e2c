#include "core/ops/parts/init.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LEN = 100000 };

static real w[LEN];

struct moments {
    double mean, std, largest;
};

static struct moments drawn(const struct init *init, const void *args, int64_t fan_in,
                            int64_t fan_out) {
    const struct applied applied = {&init->word, args};
    struct moments m = {0};

    init_fill(&applied, fan_in, fan_out, 42, w, LEN);
    for (int i = 0; i < LEN; i++) {
        m.mean += (double)w[i] / LEN;
        m.std += (double)w[i] * (double)w[i] / LEN;
        m.largest = fmax(m.largest, fabs((double)w[i]));
    }
    m.std = sqrt(m.std - m.mean * m.mean);
    return m;
}

/* 5 standard errors: std / sqrt(LEN) of the mean; at most std / sqrt(2 LEN) of the deviation. */
static void assert_moments(struct moments m, double std) {
    assert_true(fabs(m.mean) < 5 * std / sqrt(LEN));
    assert_true(fabs(m.std - std) < 5 * std / sqrt(2.0 * LEN));
}

static void no_word_means_zeros(void **state) {
    (void)state;
    const struct applied none = {NULL, NULL}, zeros = {&init_zeros.word, NULL};

    for (int i = 0; i < 5; i++)
        w[i] = 7;
    init_fill(&none, 1, 1, 1, w, 4);
    assert_true(w[0] == 0 && w[3] == 0 && w[4] == 7);
    init_fill(&zeros, 1, 1, 1, w, 5);
    assert_true(w[4] == 0);
}

static void constant_is_everywhere(void **state) {
    (void)state;
    const struct constant_args args = {-2.5};
    const struct moments m = drawn(&init_constant, &args, 1, 1);

    assert_true(w[0] == -2.5 && w[LEN - 1] == -2.5);
    assert_true(m.largest == 2.5);
}

static void normal_has_the_deviation_asked_for(void **state) {
    (void)state;
    const struct normal_args args = {0.02};
    const struct moments m = drawn(&init_normal, &args, 3, 5);

    assert_moments(m, 0.02);
    assert_true(m.largest > 3.5 * 0.02); /* 1 in 2149 lies beyond 3.5 deviations */
}

static void uniform_fills_its_interval_and_stays_inside(void **state) {
    (void)state;
    const struct uniform_args args = {0.3};
    const struct moments m = drawn(&init_uniform, &args, 3, 5);

    assert_moments(m, 0.3 / sqrt(3.0)); /* variance of a uniform draw: width^2 / 12 */
    assert_true(m.largest <= 0.3 && m.largest > 0.2999);
}

/* Glorot & Bengio 2010, equation 16: limits sqrt(6 / (fan_in + fan_out)) = 0.5 for 9 + 15. */
static void xavier_uniform_has_the_limits_of_the_paper(void **state) {
    (void)state;
    const struct xavier_args args = {INIT_UNIFORM};
    const struct moments m = drawn(&init_xavier, &args, 9, 15);

    assert_true(m.largest <= 0.5 && m.largest > 0.4999);
    assert_moments(m, 0.5 / sqrt(3.0));
}

static void xavier_normal_has_the_same_variance(void **state) {
    (void)state;
    const struct xavier_args args = {INIT_NORMAL};

    assert_moments(drawn(&init_xavier, &args, 9, 41), 0.2); /* sqrt(2 / 50) */
}

static void kaiming_follows_the_fan_asked_for(void **state) {
    (void)state;
    const struct kaiming_args in = {INIT_NORMAL, INIT_FAN_IN, 0};
    const struct kaiming_args out = {INIT_NORMAL, INIT_FAN_OUT, 0};

    assert_moments(drawn(&init_kaiming, &in, 50, 200), 0.2); /* sqrt(2 / 50) */
    assert_moments(drawn(&init_kaiming, &out, 50, 200), 0.1);
}

/* PyTorch's default for convolutions, kaiming_uniform_(a=sqrt(5)), has the limit 1 / sqrt(fan). */
static void kaiming_uniform_with_slope_root_5_is_one_over_root_fan(void **state) {
    (void)state;
    const struct kaiming_args args = {INIT_UNIFORM, INIT_FAN_IN, sqrt(5.0)};
    const struct moments m = drawn(&init_kaiming, &args, 16, 1);

    assert_true(m.largest <= 0.25 && m.largest > 0.2499);
}

static void draws_are_a_function_of_key_and_element(void **state) {
    (void)state;
    const struct normal_args args = {1};
    const struct applied normal = {&init_normal.word, &args};
    real other[8];

    init_fill(&normal, 1, 1, 42, w, 16);
    init_fill(&normal, 1, 1, 42, other, 8);
    assert_memory_equal(w, other, sizeof other);
    init_fill(&normal, 1, 1, 43, other, 8);
    assert_true(other[0] != w[0] && other[7] != w[7]);
}

static void words_are_found_by_name(void **state) {
    (void)state;
    int n;
    const struct init *const *table = init_table(&n);

    assert_int_equal(n, 6);
    for (int i = 0; i < n; i++)
        assert_ptr_equal(init_find(table[i]->word.name), &table[i]->word);
    assert_null(init_find("orthogonal"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_word_means_zeros),
        cmocka_unit_test(constant_is_everywhere),
        cmocka_unit_test(normal_has_the_deviation_asked_for),
        cmocka_unit_test(uniform_fills_its_interval_and_stays_inside),
        cmocka_unit_test(xavier_uniform_has_the_limits_of_the_paper),
        cmocka_unit_test(xavier_normal_has_the_same_variance),
        cmocka_unit_test(kaiming_follows_the_fan_asked_for),
        cmocka_unit_test(kaiming_uniform_with_slope_root_5_is_one_over_root_fan),
        cmocka_unit_test(draws_are_a_function_of_key_and_element),
        cmocka_unit_test(words_are_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
