/* Who is slow, by numbers that ranks might tell, and how often it is said. */
#include "train/stragglers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 8, STEPS = 50, STEP_MS = 70 };

static const char *const hosts[MOST] = {"a", "a", "b", "b", "c", "c", "d", "d"};
static const char *const apart[MOST] = {"a", "b", "c", "d", "e", "f", "g", "h"};

/* Ranks of steps in which all end together, after STEP_MS. */
struct ranks {
    struct straggler_time time[MOST];
    int n;
    const char *const *host;
};

/* Milliseconds of a step. */
static struct straggler_time of_rank(double data, double compute, double rest) {
    const double s = STEPS / 1e3;

    return (struct straggler_time){
        {s * data, s * compute, s * rest}, s * (STEP_MS - data - compute - rest), 16 * STEPS};
}

static struct ranks even(int n, const char *const *host) {
    struct ranks r = {.n = n, .host = host};

    for (int i = 0; i < n; i++) /* within some percent of each other */
        r.time[i] = of_rank(0.7, 30.6 + 0.4 * (i % 3), 0);
    return r;
}

static struct straggler_window window(const struct ranks *r, int64_t to) {
    return (struct straggler_window){r->time, r->host, r->n, to - STEPS, to, STEPS};
}

static struct straggler find(const struct ranks *r) {
    const struct straggler_window w = window(r, STEPS);
    double room[2 * MOST];

    return straggler_find(&w, 0.2, room);
}

static void nobody_is_named_where_all_are_even(void **state) {
    (void)state;
    for (int n = 1; n <= MOST; n++) {
        const struct ranks r = even(n, apart);
        assert_int_equal(find(&r).rank, -1);
    }
}

static void the_slow_one_is_named_with_its_part(void **state) {
    (void)state;
    for (int n = 2; n <= MOST; n++)
        for (int i = 0; i < n; i++) {
            struct ranks r = even(n, apart);
            r.time[i] = of_rank(0.8, 41.2, 0);
            struct straggler s = find(&r);
            assert_int_equal(s.rank, i);
            assert_int_equal(s.part, STRAGGLER_COMPUTE);
            assert_true(s.slower > 0.25 && s.slower < 0.40);
            assert_true(!s.host && s.others == 0);
            r.time[i] = of_rank(12, 30.6, 0);
            s = find(&r);
            assert_int_equal(s.rank, i);
            assert_int_equal(s.part, STRAGGLER_DATA);
            r.time[i] = of_rank(0.7, 30.6, 9);
            assert_int_equal(find(&r).part, STRAGGLER_ELSE);
        }
}

/* Two of four: the median is that of the two which are not. */
static void half_of_the_ranks_may_be_slow(void **state) {
    struct ranks r = even(4, apart);

    (void)state;
    r.time[1] = of_rank(0.8, 41.2, 0);
    r.time[2] = of_rank(0.8, 44, 0);
    const struct straggler s = find(&r);
    assert_int_equal(s.rank, 2);
    assert_int_equal(s.others, 1);
}

static void a_slow_host_is_one(void **state) {
    struct ranks r = even(8, hosts);

    (void)state;
    r.time[4] = of_rank(0.7, 44, 0);
    r.time[5] = of_rank(0.7, 40, 0);
    struct straggler s = find(&r);
    assert_true(s.host);
    assert_int_equal(s.rank, 4);
    assert_int_equal(s.others, 0);
    assert_true(fabs(s.own[STRAGGLER_COMPUTE] - STEPS * 0.042) < 1e-9);
    r.time[1] = of_rank(0.7, 39, 0);
    s = find(&r);
    assert_true(s.host && s.others == 1);
    r.time[5] = of_rank(0.7, 31, 0);
    assert_false(find(&r).host);
}

/* What an operator waits for others is waiting: who computes long and waits as long as others, as
 * where processors are shared by turns, holds nobody up. */
static void who_waits_as_others_do_is_not_blamed(void **state) {
    struct ranks r = even(4, apart);

    (void)state;
    r.time[3].part[STRAGGLER_COMPUTE] *= 1.4;
    assert_int_equal(find(&r).rank, -1);
    r.time[3].wait_s -= 0.4 * 30.6 * STEPS / 1e3;
    assert_int_equal(find(&r).rank, 3);
}

/* A batch of 9 over 4 ranks, 3, 2, 2 and 2; and of 1. */
static void more_samples_take_longer(void **state) {
    struct ranks r = even(4, apart);

    (void)state;
    for (int i = 0; i < 4; i++)
        r.time[i].samples = i ? 2 : 3;
    r.time[0].part[STRAGGLER_COMPUTE] *= 1.4, r.time[0].wait_s = 0;
    assert_int_equal(find(&r).rank, -1);
    r.time[0].part[STRAGGLER_COMPUTE] *= 1.35;
    assert_int_equal(find(&r).rank, 0);
    for (int i = 0; i < 4; i++)
        r.time[i].samples = i ? 0 : 1;
    assert_int_equal(find(&r).rank, -1);
}

/* --- what is said --- */

static const char *add(struct stragglers *s, const struct ranks *r, int64_t to, bool *warns) {
    static char text[STRAGGLER_TEXT];
    const struct straggler_window w = window(r, to);
    double room[2 * MOST];

    *warns = stragglers_add(s, &w, room, text);
    return text;
}

static void it_is_said_once_and_when_it_changes(void **state) {
    const struct ranks good = even(8, apart);
    struct ranks bad = good;
    struct stragglers s = {0};
    bool warns;

    (void)state;
    bad.time[5] = of_rank(0.8, 41.2, 0);
    assert_string_equal(add(&s, &good, 50, &warns), "");
    assert_string_equal(add(&s, &bad, 100, &warns), "");
    assert_string_equal(add(&s, &good, 150, &warns), ""); /* a moment is nothing */
    assert_string_equal(add(&s, &bad, 800, &warns), "");
    assert_string_equal(add(&s, &bad, 850, &warns),
                        "rank 5 on f is 32 % slower than the median over steps 800 to 850: waiting "
                        "for data 0.8 ms, computing 41.2 ms (median 0.7 and 31.0); it computes "
                        "slowly, and others wait for it");
    assert_true(warns);
    for (int64_t to = 900; to < 2000; to += STEPS)
        assert_string_equal(add(&s, &bad, to, &warns), "");
    bad.time[5] = of_rank(12, 30.6, 0);
    assert_string_equal(add(&s, &bad, 2000, &warns), "");
    assert_non_null(strstr(add(&s, &bad, 2050, &warns), "; its data comes late, and others"));
    assert_true(warns);
    assert_string_equal(add(&s, &good, 2100, &warns), "");
    assert_string_equal(add(&s, &good, 2150, &warns),
                        "rank 5 on f is no longer slower than others over steps 2100 to 2150");
    assert_false(warns);
}

static void of_two_ranks_one_is_beside_the_other(void **state) {
    struct ranks r = even(2, hosts);
    struct stragglers s = {0};
    bool warns;

    (void)state;
    r.time[0] = of_rank(0.7, 30.6, 9);
    add(&s, &r, 50, &warns);
    assert_string_equal(add(&s, &r, 100, &warns),
                        "rank 0 on a is 27 % slower than the other over steps 50 to 100: waiting "
                        "for data 0.7 ms, computing 30.6 ms (the other 0.7 and 30.6); it is slow "
                        "between steps, 9.0 ms (0.0), and others wait for it");
}

static void a_host_and_others_are_one_line(void **state) {
    struct ranks r = even(8, hosts);
    struct stragglers s = {0};
    bool warns;

    (void)state;
    for (int i = 4; i < 7; i++)
        r.time[i] = of_rank(0.7, i < 6 ? 44 : 40, 0);
    add(&s, &r, 50, &warns);
    const char *text = add(&s, &r, 100, &warns);
    assert_memory_equal(text, "host c (2 ranks) is 4", 21);
    assert_non_null(strstr(text, "others wait for it; 1 more rank is slow, too"));
}

/* A rank that is slow now and then, in a run of 20000 windows. */
static void a_long_run_has_few_lines(void **state) {
    const struct ranks good = even(4, apart);
    struct ranks bad = good;
    struct stragglers s = {0};
    int lines = 0;
    bool warns;

    (void)state;
    bad.time[2] = of_rank(0.8, 41.2, 0);
    for (int64_t i = 1; i <= 20000; i++)
        lines += add(&s, i / 4 % 2 ? &bad : &good, STEPS * i, &warns)[0] != 0;
    assert_true(lines > 8 && lines < 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_named_where_all_are_even),
        cmocka_unit_test(the_slow_one_is_named_with_its_part),
        cmocka_unit_test(half_of_the_ranks_may_be_slow),
        cmocka_unit_test(a_slow_host_is_one),
        cmocka_unit_test(who_waits_as_others_do_is_not_blamed),
        cmocka_unit_test(more_samples_take_longer),
        cmocka_unit_test(it_is_said_once_and_when_it_changes),
        cmocka_unit_test(of_two_ranks_one_is_beside_the_other),
        cmocka_unit_test(a_host_and_others_are_one_line),
        cmocka_unit_test(a_long_run_has_few_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
