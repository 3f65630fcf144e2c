/* What a sweep draws, compares and lets go on, without running anything. */
#include "cmd/find.h"
#include "cmd/sweep.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { DRAWS = 400 };

static void values_are_cut_at_commas_outside_of_brackets(void **state) {
    struct sweep s = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(
        sweep_read_grid(&s, "step.optimizer=sgd(lr=0.1, momentum=0.9),adam(lr=1)", &err), 0);
    assert_int_equal(s.axis[0].n, 2);
    assert_string_equal(s.axis[0].value[0], "sgd(lr=0.1, momentum=0.9)");
    assert_string_equal(s.axis[0].value[1], "adam(lr=1)");
    pool_release(&s.pool);
}

static void wrong_settings_are_refused(void **state) {
    static const char *const grids[] = {"lr", "lr=", "=3", "lr=1,,2", "lr=1,"};
    static const char *const randoms[] = {
        "lr=3",           "lr=log(1)",  "lr=log(0,1)", "lr=uniform(2,1)", "lr=int(1,2.5)",
        "lr=normal(0,1)", "lr=log(1,2", "lr=choice()", "lr=uniform(a,b)", "lr=log(-1,1)",
    };

    (void)state;
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
        struct sweep s = {0};
        struct err err = {0};
        if (!sweep_read_grid(&s, grids[i], &err) || err.kind != ERR_USAGE)
            fail_msg("%s is not refused", grids[i]);
        pool_release(&s.pool);
    }
    for (size_t i = 0; i < sizeof randoms / sizeof *randoms; i++) {
        struct sweep s = {0};
        struct err err = {0};
        if (!sweep_read_random(&s, randoms[i], &err) || err.kind != ERR_USAGE)
            fail_msg("%s is not refused", randoms[i]);
        pool_release(&s.pool);
    }
}

static int below(const double *v, double limit) {
    int n = 0;

    for (int i = 0; i < DRAWS; i++)
        n += v[i] < limit;
    return n;
}

/* The quarters of a distribution have a quarter of the draws each, within five deviations. */
static void draws_have_their_distributions(void **state) {
    static const struct {
        const char *text;
        double quarter[3];
    } cases[] = {
        {"a=uniform(1,5)", {2, 3, 4}},
        {"a=log(1e-4,1)", {1e-3, 1e-2, 1e-1}},
        {"a=int(0,7)", {2, 4, 6}},
        {"a=choice(0,1,2,3)", {1, 2, 3}},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct sweep s = {0};
        struct err err = {0};
        double v[DRAWS];

        assert_int_equal(sweep_read_random(&s, cases[k].text, &err), 0);
        for (int i = 0; i < DRAWS; i++)
            v[i] = atof(sweep_draw(&s, 0, 7, i));
        for (int q = 0; q < 3; q++)
            if (abs(below(v, cases[k].quarter[q]) - (q + 1) * DRAWS / 4) > 50)
                fail_msg("%s: %d of %d are below %g", cases[k].text, below(v, cases[k].quarter[q]),
                         DRAWS, cases[k].quarter[q]);
        pool_release(&s.pool);
    }
}

static void a_draw_is_a_function_of_seed_setting_and_configuration(void **state) {
    struct sweep s = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(sweep_read_random(&s, "a=uniform(0,1)", &err), 0);
    assert_int_equal(sweep_read_random(&s, "b=uniform(0,1)", &err), 0);
    assert_string_equal(sweep_draw(&s, 0, 1, 5), sweep_draw(&s, 0, 1, 5));
    assert_string_not_equal(sweep_draw(&s, 0, 1, 5), sweep_draw(&s, 0, 2, 5));
    assert_string_not_equal(sweep_draw(&s, 0, 1, 5), sweep_draw(&s, 0, 1, 6));
    assert_string_not_equal(sweep_draw(&s, 0, 1, 5), sweep_draw(&s, 1, 1, 5));
    pool_release(&s.pool);
}

static void near(double found, double expected) {
    if (!(fabs(found - expected) < 1e-9))
        fail_msg("found %.12g, expected %.12g", found, expected);
}

/* Worked by hand: deviations 1.5, 0.5, 0.5, 1.5, their squares 5, over n - 1 = 3. */
static void spread_is_that_of_a_sample(void **state) {
    const double v[] = {1, 2, (double)NAN, 3, 4}, one = 7;
    const struct sweep_spread s = sweep_spread_of(v, 5), single = sweep_spread_of(&one, 1);

    (void)state;
    assert_int_equal(s.n, 4);
    near(s.mean, 2.5);
    near(s.deviation, sqrt(5.0 / 3));
    near(s.error, sqrt(5.0 / 12));
    near(s.least, 1);
    near(s.most, 4);
    near(single.mean, 7);
    assert_true(isnan(single.deviation));
}

/* scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) of its documentation: 0.82078... */
static void rank_correlation_counts_ties_by_their_mean(void **state) {
    const double x[] = {1, 2, 3, 4, 5}, y[] = {5, 6, 7, 8, 7}, same[] = {1, 1, 1, 1, 1};
    const double falling[] = {100, 10, 1, 0.1, 0.01};

    (void)state;
    near(sweep_rank_correlation(x, y, 5), 0.8207826816681233);
    near(sweep_rank_correlation(x, falling, 5), -1);
    assert_true(isnan(sweep_rank_correlation(x, same, 5)));
    assert_true(isnan(sweep_rank_correlation(x, y, 2)));
}

/* --- halving --- */

enum { TRIALS = 9 };

/* Nine configurations of one trial each on three rungs. */
static void fill(struct sweep *s, struct sweep_trial trial[TRIALS]) {
    *s = (struct sweep){.trial = trial,
                        .n = TRIALS,
                        .n_configs = TRIALS,
                        .n_rungs = 3,
                        .eta = 3,
                        .maximise = true,
                        .rung = {1, 3, 0}};
    for (int i = 0; i < TRIALS; i++) {
        trial[i] = (struct sweep_trial){.config = i};
        for (int r = 0; r < SWEEP_MOST_RUNGS; r++)
            trial[i].result.at_rung[r] = (double)NAN;
    }
}

static void complete(struct sweep *s, int trial, int rung, double best) {
    struct sweep_result *r = &s->trial[trial].result;

    r->state = SWEEP_COMPLETE;
    r->rung = rung;
    r->best = r->at_rung[rung] = best;
}

static void the_best_third_goes_on_when_all_have_ended(void **state) {
    static const double best[TRIALS] = {0.1, 0.9, 0.3, 0.8, 0.2, 0.7, 0.7, 0.4, 0.5};
    struct sweep_trial trial[TRIALS];
    bool busy[TRIALS] = {false};
    struct sweep s;
    int rung;

    (void)state;
    fill(&s, trial);
    for (int i = 0; i < TRIALS; i++) {
        assert_int_equal(sweep_next(&s, busy, &rung), i);
        assert_int_equal(rung, 0);
        if (i == TRIALS - 1) { /* the last one still runs: nobody goes on */
            busy[i] = true;
            assert_int_equal(sweep_next(&s, busy, &rung), -1);
            busy[i] = false;
        }
        complete(&s, i, 0, best[i]);
    }
    assert_int_equal(sweep_next(&s, busy, &rung), 1);
    assert_int_equal(rung, 1);
    complete(&s, 1, 1, 0.91);
    assert_int_equal(sweep_next(&s, busy, &rung), 3);
    complete(&s, 3, 1, 0.95);
    assert_int_equal(sweep_next(&s, busy, &rung), 5); /* as good as 6, and before it */
    complete(&s, 5, 1, 0.7);
    assert_int_equal(sweep_next(&s, busy, &rung), 3);
    assert_int_equal(rung, 2);
    complete(&s, 3, 2, 0.97);
    assert_int_equal(sweep_next(&s, busy, &rung), -1);
}

static void one_that_failed_goes_nowhere_and_holds_nobody_up(void **state) {
    struct sweep_trial trial[TRIALS];
    bool busy[TRIALS] = {false};
    struct sweep s;
    int rung;

    (void)state;
    fill(&s, trial);
    s.maximise = false;
    for (int i = 0; i < TRIALS; i++)
        complete(&s, i, 0, i);
    trial[0].result.state = SWEEP_FAILED;
    trial[0].result.at_rung[0] = (double)NAN;
    assert_int_equal(sweep_next(&s, busy, &rung), 1);
    assert_int_equal(rung, 1);
}

/* Trials 0, 1, 2 are seeds of one configuration, and so on: their mean decides. */
static void seeds_of_a_configuration_go_on_together(void **state) {
    static const double best[TRIALS] = {0.9, 0.1, 0.1, 0.5, 0.5, 0.5, 0.4, 0.4, 0.4};
    struct sweep_trial trial[TRIALS];
    bool busy[TRIALS] = {false}, alive[TRIALS];
    struct sweep s;
    int rung;

    (void)state;
    fill(&s, trial);
    s.n_configs = 3;
    for (int i = 0; i < TRIALS; i++) {
        trial[i].config = i / 3;
        complete(&s, i, 0, best[i]);
    }
    sweep_contenders(&s, 1, alive);
    assert_false(alive[0]);
    assert_true(alive[1]);
    assert_false(alive[2]);
    assert_int_equal(sweep_next(&s, busy, &rung), 3);
}

/* --- find-lr, find-batch --- */

/* The loss falls by the logarithm of the rate between 1e-4 and 1e-1, fastest in the middle of them,
 * and rises after. */
static void the_steepest_descent_is_found(void **state) {
    struct find_curve c = {0};
    struct err err = {0};
    enum { POINTS = 121 };

    (void)state;
    assert_int_equal(find_curve_init(&c, POINTS, &err), 0);
    for (int i = 0; i < POINTS; i++) {
        const double decades = -6 + 7.0 * i / (POINTS - 1), lr = pow(10, decades);
        const double loss = 2 - tanh(2 * (decades + 2.5)) + (decades > -1 ? decades + 1 : 0);
        if (find_curve_add(&c, lr, loss))
            break;
    }
    find_curve_judge(&c);
    assert_true(c.steepest >= 0);
    assert_true(c.lr[c.steepest] > 1e-3 &&
                c.lr[c.steepest] < 3e-2); /* 3.2e-3, and the lag of means */
    assert_true(c.lr[c.least] > 0.05 && c.lr[c.least] < 1);
    find_curve_release(&c);
}

static void an_exploding_loss_ends_the_search(void **state) {
    struct find_curve c = {0};
    struct err err = {0};
    int i = 0;

    (void)state;
    assert_int_equal(find_curve_init(&c, 100, &err), 0);
    for (; i < 100 && !find_curve_add(&c, pow(1.1, i), i < 40 ? 1 : 1000); i++)
        ;
    assert_int_equal(i, 40);
    assert_true(c.diverged);
    find_curve_judge(&c);
    assert_int_equal(c.steepest, -1); /* it never fell */
    find_curve_release(&c);
}

static void the_smallest_batch_that_is_fast_enough_is_suggested(void **state) {
    const struct find_rate rates[] = {{.batch = 1, .rate = 10},
                                      {.batch = 2, .rate = 94},
                                      {.batch = 4, .rate = 96},
                                      {.batch = 8, .rate = 100},
                                      {.batch = 16, .rate = 90}};

    (void)state;
    assert_int_equal(find_rate_enough(rates, 5), 2);
    assert_int_equal(find_rate_enough(rates, 0), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_cut_at_commas_outside_of_brackets),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(draws_have_their_distributions),
        cmocka_unit_test(a_draw_is_a_function_of_seed_setting_and_configuration),
        cmocka_unit_test(spread_is_that_of_a_sample),
        cmocka_unit_test(rank_correlation_counts_ties_by_their_mean),
        cmocka_unit_test(the_best_third_goes_on_when_all_have_ended),
        cmocka_unit_test(one_that_failed_goes_nowhere_and_holds_nobody_up),
        cmocka_unit_test(seeds_of_a_configuration_go_on_together),
        cmocka_unit_test(the_steepest_descent_is_found),
        cmocka_unit_test(an_exploding_loss_ends_the_search),
        cmocka_unit_test(the_smallest_batch_that_is_fast_enough_is_suggested),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
