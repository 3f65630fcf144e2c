/* Expected rates: worked by hand, or where so said from tests/golden/optimizers.py, which follows
 * the PyTorch documentation. */
#include "core/learn/schedule.h"

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

static void poly_ends_with_the_job(void **state) {
    (void)state;
    struct made m;

    make(&m, "poly", 0.2);
    set(&m, "warmup", 2); /* golden: 8 epochs from there */
    near(at(&m, 2), 0.2);
    near(at(&m, 3), 0.177352470851441);
    near(at(&m, 6), 0.107177346253629);
    near(at(&m, 9), 0.0307786103336229);
    near(at(&m, 10), 0);
    near(at(&m, 11), 0);
}

static void cosine_ends_at_its_minimum(void **state) {
    (void)state;
    struct made m;

    make(&m, "cosine", 0.4);
    set(&m, "min", 0.01);
    near(at(&m, 5), 0.205);
    set(&m, "warmup", 2);
    near(at(&m, 0), 0.02); /* one of 20 updates of the warm-up */
    near(at(&m, 2), 0.4);
    near(at(&m, 3), 0.385156508839701); /* golden */
    near(at(&m, 5), 0.279623269311193);
    near(at(&m, 9), 0.0248434911602991);
    near(at(&m, 10), 0.01);
}

static void one_cycle_follows_pytorch(void **state) {
    (void)state;
    const int update[] = {0, 3, 5, 6, 13, 19};
    const double expected[] = {
        0.004, 0.0668328157299975, 0.1, 0.0987464006235087, 0.0388741978063711, 4e-07};
    struct made m;

    make(&m, "one_cycle", 0.1);
    for (int i = 0; i < 6; i++)
        near(schedule_at(&m.applied, &(struct schedule_time){update[i] * 0.5, 0.5, 10, NULL, 0, 0}),
             expected[i]);
    set(&m, "up", 0); /* begins at the top; one update: no division by nothing */
    near(schedule_at(&m.applied, &(struct schedule_time){0, 1, 1, NULL, 0, 0}), 0.1 / 25 / 1e4);
    set(&m, "up", 1);
    near(at(&m, 9.9), 0.1);
}

static double after(const struct made *m, const double *measure, int n, bool maximise) {
    return schedule_at(&m->applied, &(struct schedule_time){3, 0.1, 10, measure, n, maximise});
}

static void plateau_follows_pytorch(void **state) {
    (void)state;
    const double loss[] = {1, 0.9, 0.89995, 0.95, 0.91, 0.5, 0.6, 0.6, 0.6, 0.6};
    const double rate[] = {0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.002, 0.002, 0.002};
    const double top1[] = {0.1, 0.2, 0.2, 0.2, 0.3}, rate1[] = {0.1, 0.1, 0.1, 0.05, 0.05};
    struct made m;

    make(&m, "plateau", 0.1);
    near(after(&m, NULL, 0, false), 0.1);
    *(int *)spot(&m, "patience", ARG_INT) = 1;
    set(&m, "min", 2e-3);
    for (int i = 0; i < 10; i++)
        near(after(&m, loss, i + 1, false), rate[i]);
    set(&m, "factor", 0.5);
    for (int i = 0; i < 5; i++)
        near(after(&m, top1, i + 1, true), rate1[i]);
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

/* schedule_at and the optimisers rely on it. */
static void arguments_of_all_begin_alike(void **state) {
    (void)state;
    int n;
    const struct schedule *const *table = schedule_table(&n);

    assert_int_equal(n, 8);
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
        cmocka_unit_test(poly_ends_with_the_job),
        cmocka_unit_test(cosine_ends_at_its_minimum),
        cmocka_unit_test(one_cycle_follows_pytorch),
        cmocka_unit_test(plateau_follows_pytorch),
        cmocka_unit_test(measures_that_are_not_numbers_are_no_better),
        cmocka_unit_test(arguments_of_all_begin_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
