/* Expected rates are PyTorch's, golden_schedule.h, or worked by hand. */
#include "core/learn/schedule.h"
#include "core/learn/golden_schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Arguments of one schedule, defaults and then what the test sets by name. */
struct made {
    struct applied applied;
    double args[16];
};

static struct made *make(struct made *m, const char *name, double lr) {
    const struct word *word = schedule_find(name);

    assert_non_null(word);
    assert_true(word->args_size <= sizeof m->args);
    m->applied = (struct applied){word, m->args};
    word_defaults(word, m->args);
    ((struct schedule_common *)(void *)m->args)->lr = lr;
    return m;
}

static void *spot(struct made *m, const char *name, enum arg_kind kind) {
    for (const struct arg_spec *a = m->applied.word->args; a->name; a++)
        if (!strcmp(a->name, name)) {
            assert_int_equal(a->kind, kind);
            return (char *)m->args + a->offset;
        }
    fail_msg("%s has no %s", m->applied.word->name, name);
    return NULL;
}

static void set(struct made *m, const char *name, double value) {
    *(double *)spot(m, name, ARG_REAL) = value;
}

/* In a job of 10 epochs of 10 updates. */
static double at(const struct made *m, double epoch) {
    return schedule_at(&m->applied, &(struct schedule_time){epoch, 0.1, 10, NULL, 0, false});
}

static void near(double found, double expected) {
    if (!(fabs(found - expected) <= 1e-12))
        fail_msg("found %.15g, expected %.15g", found, expected);
}

static void warmup_rises_to_the_whole_rate_with_its_last_update(void **state) {
    (void)state;
    struct made m;

    make(&m, "constant", 0.8);
    near(at(&m, 0), 0.8);
    set(&m, "warmup", 0.5); /* 5 updates of 0.1 epochs */
    near(at(&m, 0), 0.16);
    near(at(&m, 0.1), 0.32);
    near(at(&m, 0.3), 0.64);
    near(at(&m, 0.4), 0.8);
    near(at(&m, 7), 0.8);
}

static void step_cuts_at_whole_multiples(void **state) {
    (void)state;
    struct made m;

    make(&m, "step", 1);
    set(&m, "every", 3);
    near(at(&m, 0), 1);
    near(at(&m, 2.9), 1);
    near(at(&m, 3), 0.1);
    near(at(&m, 6), 0.01);
    set(&m, "every", 0.1); /* 0.3 / 0.1 is 2.9999999999999996 */
    near(at(&m, 0.3), 1e-3);
}

static void multistep_cuts_at_each_given_epoch(void **state) {
    (void)state;
    const double epochs[] = {2, 5.5};
    struct made m;

    make(&m, "multistep", 0.4);
    *(struct reals *)spot(&m, "at", ARG_REALS) = (struct reals){2, epochs};
    set(&m, "gamma", 0.5);
    near(at(&m, 1.9), 0.4);
    near(at(&m, 2), 0.2);
    near(at(&m, 5.4), 0.2);
    near(at(&m, 5.5), 0.1);
}

static void exponential_falls_after_warmup(void **state) {
    (void)state;
    struct made m;

    make(&m, "exponential", 0.5);
    set(&m, "gamma", 0.25);
    near(at(&m, 0.5), 0.25);
    near(at(&m, 2), 0.03125);
    set(&m, "warmup", 1);
    near(at(&m, 0.9), 0.5);
    near(at(&m, 2), 0.125);
}

static void all_but_plateau_are_those_of_pytorch(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof golden_schedules / sizeof *golden_schedules; k++) {
        const struct golden_schedule *g = &golden_schedules[k];
        struct made m;

        make(&m, g->name, g->lr);
        for (int i = 0; i < 4 && g->args[i].name; i++)
            set(&m, g->args[i].name, g->args[i].value);
        if (g->n_at)
            *(struct reals *)spot(&m, "at", ARG_REALS) = (struct reals){g->n_at, g->at};
        for (int i = 0; i < GOLDEN_UPDATES; i++) {
            const struct schedule_time t = {.epoch = (double)i / GOLDEN_PER_EPOCH,
                                            .step = 1.0 / GOLDEN_PER_EPOCH,
                                            .epochs = GOLDEN_EPOCHS};
            const double found = schedule_at(&m.applied, &t);
            if (!(fabs(found - g->rate[i]) <= 1e-12))
                fail_msg("case %zu, %s, update %d: found %.15g, expected %.15g", k, g->name, i,
                         found, g->rate[i]);
        }
    }
}

/* MLPerf counts one update more after the warm-up: its rate lies between ours of the same update
 * and of the next. */
static void poly_of_power_2_is_that_of_mlperf(void **state) {
    (void)state;
    const double step = 1.0 / GOLDEN_PER_EPOCH;
    struct made m;

    make(&m, "poly", 10.5);
    set(&m, "power", 2);
    set(&m, "warmup", 2);
    set(&m, "min", 1e-4);
    for (int i = 0; i < GOLDEN_UPDATES; i++) {
        const double theirs = golden_mlperf[i], epoch = (double)i / GOLDEN_PER_EPOCH;
        const double ours = schedule_at(
            &m.applied, &(struct schedule_time){epoch, step, GOLDEN_EPOCHS, NULL, 0, false});
        const double next = schedule_at(
            &m.applied, &(struct schedule_time){epoch + step, step, GOLDEN_EPOCHS, NULL, 0, false});
        if (epoch + step <= 2)
            near(ours, theirs);
        else if (!(theirs <= ours && theirs >= next))
            fail_msg("update %d: found %.15g, next %.15g, expected %.15g between", i, ours, next,
                     theirs);
    }
}

static void every_schedule_has_numbers_from_elsewhere(void **state) {
    (void)state;
    int n;
    const struct schedule *const *table = schedule_table(&n);

    for (int i = 0; i < n; i++) {
        bool found = table[i]->reads_measure; /* plateau, below */
        for (size_t k = 0; k < sizeof golden_schedules / sizeof *golden_schedules; k++)
            found = found || !strcmp(golden_schedules[k].name, table[i]->word.name);
        if (!found)
            fail_msg("golden_schedule.h has no %s", table[i]->word.name);
    }
}

static void poly_and_cosine_end_with_the_job(void **state) {
    (void)state;
    struct made m;

    make(&m, "poly", 0.2);
    near(at(&m, 10), 0);
    near(at(&m, 11), 0);
    make(&m, "cosine", 0.4);
    set(&m, "min", 0.01);
    near(at(&m, 10), 0.01);
    near(at(&m, 11), 0.01);
}

/* Begins at the top; has one update: no division by nothing. */
static void one_cycle_has_no_gap_at_its_ends(void **state) {
    (void)state;
    struct made m;

    make(&m, "one_cycle", 0.1);
    set(&m, "up", 0);
    near(schedule_at(&m.applied, &(struct schedule_time){0, 1, 1, NULL, 0, 0}), 0.1 / 25 / 1e4);
    set(&m, "up", 1);
    near(at(&m, 9.9), 0.1);
}

static double after(const struct made *m, const double *measure, int n, bool maximise) {
    return schedule_at(&m->applied, &(struct schedule_time){3, 0.1, 10, measure, n, maximise});
}

static void plateau_is_that_of_pytorch(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof golden_plateaus / sizeof *golden_plateaus; k++) {
        const struct golden_plateau *g = &golden_plateaus[k];
        struct made m;

        make(&m, "plateau", g->lr);
        set(&m, "factor", g->factor);
        *(int *)spot(&m, "patience", ARG_INT) = g->patience;
        set(&m, "min", g->min);
        set(&m, "threshold", g->threshold);
        near(after(&m, NULL, 0, g->maximise), g->lr);
        for (int i = 0; i < g->n; i++)
            near(after(&m, g->measure, i + 1, g->maximise), g->rate[i]);
    }
}

static void measures_that_are_not_numbers_are_no_better(void **state) {
    (void)state;
    const double loss[] = {1, NAN, NAN};
    struct made m;

    make(&m, "plateau", 0.1);
    *(int *)spot(&m, "patience", ARG_INT) = 1;
    near(after(&m, loss, 2, false), 0.1);
    near(after(&m, loss, 3, false), 0.01);
}

/* schedule_at relies on it. */
static void arguments_of_all_begin_alike(void **state) {
    (void)state;
    int n;
    const struct schedule *const *table = schedule_table(&n);

    for (int k = 0; k < n; k++) {
        struct made m;

        make(&m, table[k]->word.name, 0.7);
        near(*(double *)spot(&m, "lr", ARG_REAL), 0.7);
        assert_ptr_equal(spot(&m, "warmup", ARG_REAL),
                         &((struct schedule_common *)(void *)m.args)->warmup);
        assert_string_equal(table[k]->word.args[0].name, "lr");
    }
    assert_null(schedule_find("sawtooth"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warmup_rises_to_the_whole_rate_with_its_last_update),
        cmocka_unit_test(step_cuts_at_whole_multiples),
        cmocka_unit_test(multistep_cuts_at_each_given_epoch),
        cmocka_unit_test(exponential_falls_after_warmup),
        cmocka_unit_test(all_but_plateau_are_those_of_pytorch),
        cmocka_unit_test(poly_of_power_2_is_that_of_mlperf),
        cmocka_unit_test(every_schedule_has_numbers_from_elsewhere),
        cmocka_unit_test(poly_and_cosine_end_with_the_job),
        cmocka_unit_test(one_cycle_has_no_gap_at_its_ends),
        cmocka_unit_test(plateau_is_that_of_pytorch),
        cmocka_unit_test(measures_that_are_not_numbers_are_no_better),
        cmocka_unit_test(arguments_of_all_begin_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
