/* What rank 0 decides after each step. */
#include "io/scratch.h"
#include "core/learn/optim.h"
#include "train/control.h"

#include <math.h>

/* A job, its schedules, and how far it is. */
struct run {
    struct job job;
    struct applied schedule[JOB_MAX_STEPS];
    struct progress progress;
    struct control control;
};

static const char classify[] = "[step]\nloss = a\ntrain = a\noptimizer = sgd(lr=%s)\n"
                               "[validate]\ntop1 = accuracy(a, label)\nbest = top1\n%s";

static void begin(struct run *run, int64_t steps_per_epoch, const char *lr, const char *more) {
    const char *path = in_scratch("control.ini");
    struct err err = {0};
    char text[1024];

    *run = (struct run){0};
    snprintf(text, sizeof text, classify, lr, more);
    write_bytes(path, text, strlen(text));
    if (job_read(&run->job, path, NULL, 0, &err))
        fail_msg("%s", err.msg);
    run->schedule[0] = *optim_schedule(&run->job.step[0].optimizer, "lr");
    run->progress = (struct progress){
        .steps_per_epoch = steps_per_epoch,
        .total_steps = control_total_steps(&run->job, steps_per_epoch),
        .maximise = true,
    };
}

static void end(struct run *run) {
    progress_release(&run->progress);
    job_release(&run->job);
}

static const struct control *decide(struct run *run, int64_t step) {
    run->progress.step = step;
    control_plan(&run->job, &run->progress, run->schedule, 1, &run->control);
    return &run->control;
}

static void measure(struct run *run, double value) {
    struct err err = {0};

    assert_int_equal(progress_add(&run->progress, run->progress.n_measures + 1, value, &err), 0);
}

static void near(double found, double expected) {
    if (!(fabs(found - expected) <= 1e-12))
        fail_msg("found %.15g, expected %.15g", found, expected);
}

static int64_t total(const char *length, int64_t steps_per_epoch) {
    struct run run;

    begin(&run, steps_per_epoch, "1", length);
    const int64_t steps = run.progress.total_steps;
    end(&run);
    return steps;
}

static void the_length_is_rounded_to_whole_steps(void **state) {
    (void)state;
    assert_int_equal(total("[job]\nepochs = 3\n", 7), 21);
    assert_int_equal(total("[job]\nepochs = 0.5\n", 7), 4);  /* 3.5 */
    assert_int_equal(total("[job]\nepochs = 0.1\n", 33), 3); /* 3.3 */
    assert_int_equal(total("[job]\nepochs = 0.01\n", 7), 1); /* never none */
    assert_int_equal(total("[job]\nsteps = 12\n", 7), 12);
    assert_int_equal(total("[job]\nepochs = 3\nsteps = 12\n", 7), 12); /* as with --set steps=12 */
}

/* The steps after which the job of `n` steps validates, as "3 6 10". */
static void expect_validations(const char *every, int64_t steps_per_epoch, int n,
                               const char *expected) {
    char text[128] = "", more[128];
    struct run run;
    size_t used = 0;

    snprintf(more, sizeof more, "every = %s\n[job]\nsteps = %d\n", every, n);
    begin(&run, steps_per_epoch, "1", more);
    for (int step = 0; step <= n; step++)
        if (decide(&run, step)->validate)
            used +=
                (size_t)snprintf(text + used, sizeof text - used, "%s%d", used ? " " : "", step);
    assert_string_equal(text, expected);
    end(&run);
}

static void periods_may_be_fractions_of_epochs(void **state) {
    (void)state;
    expect_validations("1 epoch", 4, 12, "4 8 12");
    expect_validations("0.5 epochs", 4, 8, "2 4 6 8");
    expect_validations("0.25 epochs", 10, 12, "3 5 8 10 12"); /* 2.5, 5, 7.5, 10; the end */
    expect_validations("2.5 epochs", 2, 11, "5 10 11");
    expect_validations("0.14 epochs", 50, 15, "7 14 15"); /* 0.14 * 50 is a little more than 7 */
    expect_validations("0.1 epochs", 30, 10, "3 6 9 10");
    expect_validations("0.01 epochs", 10, 3, "1 2 3"); /* more than once a step is once */
    expect_validations("3 steps", 10, 10, "3 6 9 10");
    expect_validations("never", 10, 10, "10"); /* the last result is always known */
}

static void without_a_validation_nothing_validates(void **state) {
    struct run run;

    (void)state;
    begin(&run, 4, "1", "[job]\nsteps = 4\n");
    run.job.validate = NULL;
    for (int step = 0; step <= 4; step++)
        assert_false(decide(&run, step)->validate);
    end(&run);
}

static void what_is_validated_is_not_validated_again(void **state) {
    struct run run;

    (void)state;
    begin(&run, 4, "1", "[job]\nepochs = 2\n");
    assert_true(decide(&run, 4)->validate);
    run.progress.validated = true;
    assert_false(decide(&run, 4)->validate);
    end(&run);
}

static void checkpoints_follow_their_periods_and_the_end(void **state) {
    struct run run;

    (void)state;
    begin(&run, 4, "1", "[job]\nsteps = 7\n[checkpoint]\nlast = 1 epoch\nevery = 3 steps\n");
    assert_false(decide(&run, 0)->save_last);
    assert_true(!decide(&run, 3)->save_last && run.control.save_every);
    assert_true(decide(&run, 4)->save_last && !run.control.save_every);
    assert_true(decide(&run, 6)->save_every);
    assert_false(run.control.finish);
    assert_true(decide(&run, 7)->finish && run.control.save_last && !run.control.save_every);
    end(&run);
}

static void a_request_to_stop_saves(void **state) {
    struct run run;

    (void)state;
    begin(&run, 4, "1", "[job]\nsteps = 8\n[checkpoint]\nlast = never\n");
    decide(&run, 4);
    assert_true(run.control.validate);
    control_stop(&run.control, CONTROL_NO_STOP);
    assert_true(run.control.validate && !run.control.stop && !run.control.save_last);
    control_stop(&run.control, CONTROL_ASKED);
    assert_true(run.control.stop == CONTROL_ASKED && run.control.save_last);
    assert_true(!run.control.finish && !run.control.validate);
    decide(&run, 8);
    control_stop(&run.control, CONTROL_ASKED); /* nothing is left to resume */
    assert_true(run.control.finish && !run.control.stop);
    end(&run);
}

/* What is left of the job is its last validation. */
static void the_end_of_the_time_leaves_a_validation_to_a_later_start(void **state) {
    struct run run;

    (void)state;
    begin(&run, 4, "1", "[job]\nsteps = 8\n[checkpoint]\nlast = never\n");
    decide(&run, 8);
    assert_true(run.control.finish && run.control.validate);
    control_stop(&run.control, CONTROL_TIME);
    assert_true(run.control.stop == CONTROL_TIME && run.control.save_last);
    assert_true(!run.control.finish && !run.control.validate);
    control_stop(&run.control, CONTROL_ASKED); /* the first reason is the one that is said */
    assert_int_equal(run.control.stop, CONTROL_TIME);
    end(&run);
}

/* It validates and saves there, and goes on with the rates of the whole length. */
static void a_run_that_is_to_end_earlier_keeps_its_schedule(void **state) {
    struct run run;

    (void)state;
    begin(&run, 4, "poly(1, power=1)", "[job]\nepochs = 4\n[checkpoint]\nlast = never\n");
    control_begin(&run.progress, &run.job, 4, 1.5);
    assert_int_equal(run.progress.total_steps, 16);
    assert_int_equal(decide(&run, 5)->finish, CONTROL_GOES_ON);
    near(decide(&run, 4)->lr[0], 0.75);
    assert_int_equal(decide(&run, 6)->finish, CONTROL_UNTIL);
    assert_true(run.control.validate && run.control.save_last);
    run.progress.validated = true;
    assert_int_equal(control_finished(&run.job, &run.progress), CONTROL_UNTIL);
    control_begin(&run.progress, &run.job, 4, 0);
    assert_int_equal(control_finished(&run.job, &run.progress), CONTROL_GOES_ON);
    control_begin(&run.progress, &run.job, 4, 100); /* beyond its end it ends at that */
    run.progress.validated = false;
    assert_int_equal(decide(&run, 16)->finish, CONTROL_LENGTH);
    end(&run);
}

/* As the sum over ranks carries it: others add 0. */
static void a_plan_survives_being_numbers(void **state) {
    struct run run;
    struct control back;
    double numbers[CONTROL_NUMBERS];

    (void)state;
    begin(&run, 4, "0.1", "[job]\nsteps = 8\n[checkpoint]\nevery = 4 steps\n");
    run.progress.step = 4;
    control_plan(&run.job, &run.progress, run.schedule, 1, &run.control);
    control_pack(&run.control, numbers);
    control_unpack(numbers, &back);
    assert_true(back.lr[0] == 0.1 && back.lr[1] == 0);
    assert_true(back.validate && back.save_last && back.save_every && !back.finish && !back.stop);
    run.progress.step = 8;
    control_plan(&run.job, &run.progress, run.schedule, 1, &run.control);
    control_pack(&run.control, numbers);
    control_unpack(numbers, &back);
    assert_int_equal(back.finish, CONTROL_LENGTH);
    control_stop(&run.control, CONTROL_TIME);
    control_pack(&run.control, numbers);
    control_unpack(numbers, &back);
    assert_true(back.stop == CONTROL_TIME && !back.finish);
    run.progress.step = 3;
    control_plan(&run.job, &run.progress, run.schedule, 1, &run.control);
    control_pack(&run.control, numbers);
    control_unpack(numbers, &back);
    assert_false(back.validate || back.save_last || back.save_every || back.finish);
    end(&run);
}

static void patience_counts_validations_since_the_best(void **state) {
    struct run run;

    (void)state;
    begin(&run, 1, "1", "patience = 2\n[job]\nepochs = 100\n");
    run.progress.validated = true;
    measure(&run, 0.5);
    assert_false(decide(&run, 1)->finish);
    measure(&run, 0.5); /* as good is no better */
    assert_false(decide(&run, 2)->finish);
    measure(&run, 0.6);
    assert_int_equal(progress_best(&run.progress), 2);
    assert_false(decide(&run, 3)->finish);
    measure(&run, (double)NAN); /* never the best */
    assert_false(decide(&run, 4)->finish);
    measure(&run, 0.55);
    assert_true(decide(&run, 5)->finish);
    assert_true(run.control.save_last);
    run.progress.validated = false; /* only a validation can end it */
    assert_false(decide(&run, 6)->finish);
    end(&run);
}

static void a_loss_is_best_when_it_is_least(void **state) {
    struct run run;

    (void)state;
    begin(&run, 1, "1", "patience = 1\n[job]\nepochs = 100\n");
    run.progress.maximise = false;
    run.progress.validated = true;
    assert_int_equal(progress_best(&run.progress), -1);
    measure(&run, 2);
    measure(&run, 1.5);
    assert_int_equal(progress_best(&run.progress), 1);
    assert_false(decide(&run, 2)->finish);
    measure(&run, 1.75);
    assert_true(decide(&run, 3)->finish);
    end(&run);
}

static void what_is_no_number_is_never_the_best_and_tries_patience(void **state) {
    struct run run;

    (void)state;
    begin(&run, 1, "1", "patience = 2\n[job]\nepochs = 100\n");
    run.progress.validated = true;
    measure(&run, (double)NAN);
    assert_int_equal(progress_best(&run.progress), -1);
    assert_int_equal(decide(&run, 1)->finish, CONTROL_GOES_ON);
    measure(&run, -HUGE_VAL);
    assert_int_equal(progress_best(&run.progress), -1);
    assert_int_equal(decide(&run, 2)->finish, CONTROL_PATIENCE);
    assert_int_equal(control_finished(&run.job, &run.progress), CONTROL_PATIENCE);
    measure(&run, HUGE_VAL); /* of a perfect picture's signal to noise */
    assert_int_equal(progress_best(&run.progress), 2);
    run.progress.maximise = false;
    assert_int_equal(progress_best(&run.progress), 1);
    end(&run);
}

static void a_job_is_finished_only_when_nothing_is_owed(void **state) {
    struct run run;

    (void)state;
    begin(&run, 4, "1", "[job]\nsteps = 8\n");
    run.progress.step = 8;
    assert_int_equal(control_finished(&run.job, &run.progress), CONTROL_GOES_ON);
    run.progress.validated = true;
    assert_int_equal(control_finished(&run.job, &run.progress), CONTROL_LENGTH);
    run.progress.step = 7;
    assert_int_equal(control_finished(&run.job, &run.progress), CONTROL_GOES_ON);
    end(&run);
}

/* 8 steps an epoch, half an epoch of warm-up: step k begins after k updates. */
static void the_rate_rises_while_it_warms_up(void **state) {
    struct run run;

    (void)state;
    begin(&run, 8, "constant(0.4, warmup=0.5)", "[job]\nepochs = 2\n");
    near(decide(&run, 0)->lr[0], 0.1);
    near(decide(&run, 1)->lr[0], 0.2);
    near(decide(&run, 3)->lr[0], 0.4);
    near(decide(&run, 4)->lr[0], 0.4);
    end(&run);
}

static void a_cosine_ends_with_the_job(void **state) {
    struct run run;

    (void)state;
    begin(&run, 8, "cosine(0.4)", "[job]\nsteps = 32\n");
    near(decide(&run, 0)->lr[0], 0.4);
    near(decide(&run, 16)->lr[0], 0.2);
    near(decide(&run, 32)->lr[0], 0);
    end(&run);
}

/* More than 1 measure in a row that is not better cuts the rate to a tenth. */
static void a_plateau_cuts_the_rate_by_its_history(void **state) {
    static const double top1[] = {0.3, 0.4, 0.35, 0.4, 0.6, 0.5, 0.6};
    static const double lr[] = {1, 1, 1, 0.1, 0.1, 0.1, 0.01};
    struct run run;

    (void)state;
    begin(&run, 1, "plateau(1, patience=1)", "[job]\nepochs = 100\n");
    near(decide(&run, 0)->lr[0], 1);
    for (int i = 0; i < 7; i++) {
        measure(&run, top1[i]);
        near(decide(&run, i + 1)->lr[0], lr[i]);
    }
    end(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_length_is_rounded_to_whole_steps),
        cmocka_unit_test(periods_may_be_fractions_of_epochs),
        cmocka_unit_test(without_a_validation_nothing_validates),
        cmocka_unit_test(what_is_validated_is_not_validated_again),
        cmocka_unit_test(checkpoints_follow_their_periods_and_the_end),
        cmocka_unit_test(a_request_to_stop_saves),
        cmocka_unit_test(the_end_of_the_time_leaves_a_validation_to_a_later_start),
        cmocka_unit_test(a_run_that_is_to_end_earlier_keeps_its_schedule),
        cmocka_unit_test(a_plan_survives_being_numbers),
        cmocka_unit_test(patience_counts_validations_since_the_best),
        cmocka_unit_test(a_loss_is_best_when_it_is_least),
        cmocka_unit_test(what_is_no_number_is_never_the_best_and_tries_patience),
        cmocka_unit_test(a_job_is_finished_only_when_nothing_is_owed),
        cmocka_unit_test(the_rate_rises_while_it_warms_up),
        cmocka_unit_test(a_cosine_ends_with_the_job),
        cmocka_unit_test(a_plateau_cuts_the_rate_by_its_history),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
