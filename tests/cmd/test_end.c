/* The time of a run ends: what does not fit is left to --resume. */
#include "printed.h"

#include <stdio.h>

/* Run it until its time ends; returns the steps that it says are done. */
static int steps_until_end(const char *name, const char *command) {
    struct program_run run = program_run(command, name);
    const char *said = strstr(run.err, "dltrain: the time ends at ");
    char saved[64];
    int steps = 0;

    if (run.code != 75 || !said || !(said = strstr(said, ": stopped after step ")) ||
        sscanf(said, ": stopped after step %d of", &steps) != 1)
        fail_msg("%s\nexit code %d\n%s%s", command, run.code, run.out, run.err);
    snprintf(saved, sizeof saved, ", saved in runs/%s/last.h5; the same", name);
    if (!strstr(said, saved) || !strstr(run.out, "the time ends at "))
        fail_msg("%s\n%s%s", command, run.out, run.err);
    program_release(&run);
    return steps;
}

/* A little later than where it was stopped, the weights are those of a run that was not. */
static void goes_on_to_the_same_bits(const char *name, const char *start, int steps) {
    program_expect(0, NULL, "%s job.ini --resume --set name=%s --set steps=%d", start, name,
                   steps + 5);
    program_expect(0, NULL, "%s job.ini --set name=%s_whole --set steps=%d", start, name,
                   steps + 5);
    program_expect(0, NULL, "$SAME runs/%s/last.h5 runs/%s_whole/last.h5", name, name);
}

static void a_run_stops_in_time_and_goes_on_to_the_same_bits(void **state) {
    /* at a rate that does not depend on the number of steps */
    static const char steady[] = "[step]\noptimizer = sgd(lr=0.02, momentum=0.9)\n"
                                 "[checkpoint]\nlast = never\n[validate]\nevery = 7 steps\n";
    int steps;

    (void)state;
    program_write_job("job.ini", 1000000, steady);
    steps = steps_until_end("one", "$DLTRAIN job.ini --set name=%s --end 2s");
    goes_on_to_the_same_bits("one", "$DLTRAIN", steps);
    steps = steps_until_end("two", "SLURM_JOB_END_TIME=$(($(date +%%s) + 2)) $MPIRUN -np 2 "
                                   "$DLTRAIN job.ini --set name=%s");
    goes_on_to_the_same_bits("two", "$MPIRUN -np 2 $DLTRAIN", steps);
    steps = steps_until_end("three", "SLURM_JOB_END_TIME=$(($(date +%%s) + 9999)) $MPIRUN -np 3 "
                                     "$DLTRAIN job.ini --set name=%s --end @$(($(date +%%s) + 2))");
    goes_on_to_the_same_bits("three", "$MPIRUN -np 3 $DLTRAIN", steps);
}

#define LONG " --set data.train=long.h5:train --set data.validate=long.h5:test --set data.batch=1"

/* A validation as long as thousands of steps, which is the last thing that the job owes. */
static void a_validation_that_does_not_fit_is_left_to_the_next_start(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN data synth long.h5 --train 24 --test 10000");
    program_write_job("job.ini", 10, "");
    const int steps = steps_until_end("owing", "$DLTRAIN job.ini --set name=%s --end 2s" LONG);
    assert_true(steps <= 10); /* fewer where it takes long to start */
    program_expect(0, NULL, "! grep -q validate runs/owing/metrics.jsonl");
    expect_text("$DLTRAIN job.ini --resume --set name=owing --end never" LONG,
                "ended after step 10");
    program_expect(0, NULL, "grep -q validate runs/owing/metrics.jsonl");
}

/* Each start does a step, so that however short its time is, the job comes to its end. */
static void the_shortest_time_suffices_for_a_step(void **state) {
    (void)state;
    program_write_job("job.ini", 3, "[checkpoint]\nlast = never\n");
    for (int step = 1; step < 3; step++)
        assert_int_equal(
            steps_until_end("short", "$DLTRAIN job.ini --resume --set name=%s --end 0.1s"), step);
    program_expect(0, NULL, "$DLTRAIN job.ini --resume --set name=short --end never");
    program_expect(0, NULL,
                   "for part in 1 2 3 4 5 6; do $DLTRAIN job.ini --resume --set name=parts "
                   "--set validate.every=1step --end 0.1s 2> said && exit 0; "
                   "grep -q \"the time ends at\" said || exit 1; done; exit 2");
}

static void a_run_that_ends_in_time_is_not_stopped(void **state) {
    (void)state;
    program_write_job("job.ini", 20, "");
    expect_text("$DLTRAIN job.ini --set name=done --end 100s", "ended after step 20: all");
}

/* Slurm may leave a job more than its limit. */
static void what_slurm_says_of_the_past_is_not_obeyed(void **state) {
    (void)state;
    program_write_job("job.ini", 5, "");
    expect_said(0, "warning: the time of the Slurm job ended at ",
                "SLURM_JOB_END_TIME=$(($(date +%s) - 500)) $DLTRAIN job.ini --set name=late");
    expect_said(
        0, "ended after step 5",
        "SLURM_JOB_END_TIME=$(($(date +%s) + 1)) $DLTRAIN job.ini --end never --set name=over");
}

static void a_time_that_is_none_is_refused(void **state) {
    (void)state;
    program_write_job("job.ini", 5, "");
    program_expect(64, "--end: found '25:00', expected a time as 18:00",
                   "$DLTRAIN job.ini --end 25:00");
    program_expect(64, "expected a time after ",
                   "$MPIRUN -np 2 $DLTRAIN job.ini --end 2020-01-01T00:00");
    program_expect(64, "without --resume, --until and --end",
                   "$DLTRAIN job.ini --dry-run 1 --end 1h");
    program_expect(0, NULL, "test ! -e runs/job");
}

/* The end is counted by a clock that nobody sets. */
static void a_clock_that_is_set_changes_nothing(void **state) {
    static const char set[] = "LD_PRELOAD=" CLOCK_LIBRARY " CLOCK_ONCE=runs/%s/metrics.jsonl ";
    char command[512];

    (void)state;
    program_write_job("job.ini", 1000000, "[checkpoint]\nlast = never\n");
    snprintf(command, sizeof command,
             "%s CLOCK_SHIFT=-86400 $DLTRAIN job.ini --set name=back --end 2s", set);
    steps_until_end("back", command);
    program_expect(0, NULL,
                   "LD_PRELOAD=" CLOCK_LIBRARY
                   " CLOCK_ONCE=runs/on/metrics.jsonl CLOCK_SHIFT=86400 "
                   "$DLTRAIN job.ini --set name=on --end 100s --set steps=50");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_stops_in_time_and_goes_on_to_the_same_bits),
        cmocka_unit_test(a_validation_that_does_not_fit_is_left_to_the_next_start),
        cmocka_unit_test(the_shortest_time_suffices_for_a_step),
        cmocka_unit_test(a_run_that_ends_in_time_is_not_stopped),
        cmocka_unit_test(what_slurm_says_of_the_past_is_not_obeyed),
        cmocka_unit_test(a_time_that_is_none_is_refused),
        cmocka_unit_test(a_clock_that_is_set_changes_nothing),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
