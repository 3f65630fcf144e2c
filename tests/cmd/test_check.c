/* `dltrain check` says what training would, and leaves nothing behind. */
#include "printed.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void a_job_that_runs_is_ok_on_any_number_of_ranks(void **state) {
    char command[128], drawn[32];

    (void)state;
    program_write_job("check.ini", 4, "");
    expect_text("$DLTRAIN check check.ini", "ok       job        check.ini: 1 net of ");
    for (int ranks = 1; ranks <= 4; ranks++) {
        snprintf(command, sizeof command, "$MPIRUN -np %d $DLTRAIN check check.ini --steps 2",
                 ranks);
        expect_text(command, "ok       time       an epoch has ");
        snprintf(drawn, sizeof drawn, ": %d rank%s x ", ranks, ranks == 1 ? "" : "s");
        expect_text(command, drawn);
        expect_text(command, "       disk       a checkpoint takes ");
    }
    assert_int_equal(access("runs", F_OK), -1);
}

/* In the words of training, with its exit codes. */
static void what_training_refuses_is_refused(void **state) {
    (void)state;
    program_write_job("check.ini", 4, "");
    expect_text("$DLTRAIN check check.ini --set data.train=none.h5; test $? = 74",
                "refused  system     none.h5: No such file or directory in /");
    program_expect(78, "batch is 0, expected a whole number",
                   "$DLTRAIN check check.ini --set data.batch=0");
}

static void crowded_processors_and_a_short_walltime_are_warned_of(void **state) {
    (void)state;
    program_write_job("check.ini", 4, "");
    expect_text("$DLTRAIN check check.ini --steps 1 --set job.threads=500",
                "warning  processors on ");
    expect_text("$DLTRAIN check.ini --set job.threads=500 --set steps=1 --set name=crowd",
                "\nwarning: on ");
    assert_int_equal(system("rm -r runs"), 0);
    expect_text("SLURM_JOB_END_TIME=1000 $DLTRAIN check check.ini --steps 1",
                "warning  walltime   Slurm leaves ");
    expect_text("SLURM_JOB_END_TIME=$(($(date +%s) + 86400)) $DLTRAIN check check.ini --steps 1",
                "ok       walltime   Slurm leaves ");
}

static void programs_get_one_object(void **state) {
    char *text;
    json_t *all;

    (void)state;
    program_write_job("check.ini", 4, "");
    text = printed("$MPIRUN -np 2 $DLTRAIN check check.ini --json --steps 1");
    all = json_loads(text, 0, NULL);
    assert_non_null(all);
    assert_true(json_array_size(json_object_get(all, "findings")) >= 7);
    assert_true(json_number_value(json_object_get(all, "step_s")) > 0);
    assert_true(json_number_value(json_object_get(all, "rank_bytes")) > 0);
    assert_true(json_number_value(json_object_get(all, "saving_bytes")) > 0);
    assert_int_equal(json_integer_value(json_object_get(all, "exit")), 0);
    json_decref(all);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_that_runs_is_ok_on_any_number_of_ranks),
        cmocka_unit_test(what_training_refuses_is_refused),
        cmocka_unit_test(crowded_processors_and_a_short_walltime_are_warned_of),
        cmocka_unit_test(programs_get_one_object),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
