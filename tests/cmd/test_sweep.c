/* Sweeps as their user runs them. */
#include "printed.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

/* Epochs of 10 steps. */
static void write_job(const char *epochs) {
    program_write_job("base.ini", 1, "");
    char *text = program_read("base.ini"), *steps = strstr(text, "steps = 1");

    assert_non_null(steps);
    *steps = 0;
    program_write("job.ini", "%sepochs = %s%s", text, epochs, steps + strlen("steps = 1"));
    free(text);
}

static json_t *shown(const char *folder) {
    char command[160];

    snprintf(command, sizeof command, "$DLTRAIN sweep --show %s --json", folder);
    char *text = printed(command);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    free(text);
    return json;
}

/* How many trials are in that state? */
static int in_state(const char *folder, const char *state) {
    json_t *all = shown(folder), *config, *trial;
    size_t i, k;
    int n = 0;

    json_array_foreach(json_object_get(all, "configs"), i, config) {
        json_array_foreach(json_object_get(config, "trials"), k, trial) {
            n += !strcmp(json_string_value(json_object_get(trial, "state")), state);
        }
    }
    json_decref(all);
    return n;
}

/* Settings, job and seed of a trial are those of a run that is begun by hand: so are its bits. */
static void a_trial_is_the_run_with_its_settings(void **state) {
    (void)state;
    write_job("1");
    program_expect(0, NULL,
                   "$DLTRAIN sweep job.ini --grid lr=0.02,0.05 --grid data.batch=20,40 --name grid "
                   "--jobs 2");
    assert_int_equal(in_state("runs/grid", "complete"), 4);
    program_expect(0, NULL, "$DLTRAIN job.ini --set lr=0.05 --set data.batch=20 --set name=alone");
    program_expect(0, NULL, "$SAME runs/grid/trial_0003/last.h5 runs/alone/last.h5");
    expect_text("$DLTRAIN sweep --show runs/grid --csv | head -n 1",
                "trial,config,state,top1,epoch,epochs,seconds,seed,fold,lr,data.batch,message");
    expect_text("$DLTRAIN sweep --show runs/grid", "rank correlation with the measure: lr ");
    program_expect(64, "holds a sweep", "$DLTRAIN sweep job.ini --grid lr=1 --name grid");
}

static void a_trial_that_fails_is_kept_and_the_others_go_on(void **state) {
    (void)state;
    write_job("1");
    program_expect(0, NULL, "$DLTRAIN sweep job.ini --grid lr=1e30,0.05 --name fails");
    assert_int_equal(in_state("runs/fails", "failed"), 1);
    assert_int_equal(in_state("runs/fails", "complete"), 1);
    expect_text("$DLTRAIN sweep --show runs/fails", "trial_0001 failed: step 2: the loss is");
    expect_text("$DLTRAIN sweep --resume runs/fails; grep -c . runs/fails/results.jsonl", "\n2\n");
    expect_text("$DLTRAIN sweep --resume runs/fails --retry", "trial_0001 begins");
    program_expect(65, "all 1 trials failed, the first: step 2: the loss is",
                   "$DLTRAIN sweep job.ini --grid lr=1e30 --name none");
}

/* Rungs end early by the schedule of the whole length, and the survivor ends as a run that was
 * never stopped. */
static void halving_goes_on_from_where_it_was(void **state) {
    (void)state;
    write_job("3");
    program_expect(0, NULL,
                   "$DLTRAIN sweep job.ini --grid lr=0.02,0.05,0.1 --halving --eta 3 --min-epochs "
                   "1 --name halved --jobs 2");
    expect_text("grep -c rung.:0 runs/halved/results.jsonl", "3\n");
    expect_text("grep -c rung.:1 runs/halved/results.jsonl", "1\n");
    program_expect(0, NULL,
                   "k=$(grep rung.:1 runs/halved/results.jsonl | grep -o [1-3] | head -n 1); "
                   "set -- 0 0.02 0.05 0.1; shift $k; "
                   "$DLTRAIN job.ini --set lr=$1 --set name=whole > whole.log && "
                   "$SAME runs/halved/trial_000$k/last.h5 runs/whole/last.h5");
    program_expect(64, "counts epochs, and",
                   "$DLTRAIN sweep base.ini --grid lr=1,2 --halving --name x");
}

static void stopped_it_saves_and_goes_on_to_the_same_bits(void **state) {
    (void)state;
    write_job("40");
    program_expect(
        75, "dltrain sweep --resume runs/stopped goes on",
        "$DLTRAIN sweep job.ini --grid lr=0.02,0.05 --jobs 2 --name stopped & pid=$!; "
        "until grep -q loss runs/stopped/trial_0001/metrics.jsonl 2> /dev/null && "
        "grep -q loss runs/stopped/trial_0002/metrics.jsonl 2> /dev/null; do sleep 0.05; "
        "done; kill -TERM $pid; wait $pid");
    assert_int_equal(in_state("runs/stopped", "stopped"), 2);
    program_expect(0, NULL, "$DLTRAIN sweep --resume runs/stopped");
    assert_int_equal(in_state("runs/stopped", "complete"), 2);
    program_expect(0, NULL, "$DLTRAIN job.ini --set lr=0.05 --set name=straight");
    program_expect(0, NULL, "$SAME runs/stopped/trial_0002/last.h5 runs/straight/last.h5");
}

/* Whatever ends the sweep: its trials save and end, and the next one can take them over. */
static void a_killed_sweep_leaves_no_process_behind(void **state) {
    (void)state;
    write_job("2000");
    expect_text("$DLTRAIN sweep job.ini --grid lr=0.02 --name killed > killed.log & pid=$!; "
                "until grep -q loss runs/killed/trial_0001/metrics.jsonl 2> /dev/null; do sleep "
                "0.05; done; trial=$(cat /proc/$pid/task/$pid/children); "
                "kill -KILL $pid; while kill -0 $trial 2> /dev/null; do sleep 0.05; done; "
                "tail -n 1 runs/killed/trial_0001/output.log",
                "stopped on request after step");
    expect_said(75, "dltrain sweep --resume runs/killed goes on",
                "$DLTRAIN sweep --resume runs/killed & pid=$!; sleep 1; kill $pid; wait $pid");
}

static void two_sweeps_never_run_the_same_trial(void **state) {
    (void)state;
    write_job("2");
    free(printed("$DLTRAIN sweep job.ini --grid lr=0.01,0.02,0.03,0.04 --name shared --plan"));
    free(printed("$DLTRAIN sweep --resume runs/shared > one.log 2>&1 & "
                 "$DLTRAIN sweep --resume runs/shared > two.log 2>&1; wait; true"));
    assert_int_equal(in_state("runs/shared", "complete"), 4);
    expect_text("cat one.log two.log | grep -c begins", "4\n");
    expect_text("grep -c . runs/shared/results.jsonl", "4\n");
    expect_text("grep -q what.is.left one.log && grep -q what.is.left two.log || echo fine",
                "fine\n"); /* nothing is, when the last one ends */
}

static void seeds_and_folds_are_averaged(void **state) {
    (void)state;
    write_job("1");
    expect_text("$DLTRAIN sweep job.ini --kfold 3 --seeds 2 --name folds --jobs 2",
                "shapes.h5:train is cut into 3 folds");
    json_t *all = shown("runs/folds");
    const json_t *config = json_array_get(json_object_get(all, "configs"), 0), *trial;
    double sum = 0;
    size_t i;

    assert_int_equal(json_integer_value(json_object_get(config, "n")), 6);
    json_array_foreach(json_object_get(config, "trials"), i, trial) {
        sum += json_number_value(json_object_get(trial, "best"));
    }
    assert_true(sum > 0);
    assert_true(fabs(json_number_value(json_object_get(config, "mean")) - sum / 6) < 1e-6);
    json_decref(all);
    expect_text("grep -h \"validate = .*fold\" runs/folds/trial_000*/job.ini | sort | uniq -c",
                "2 validate = runs/folds/folds.h5:fold2");
    expect_text("grep \"train = \" runs/folds/trial_0003/job.ini",
                "runs/folds/folds.h5:fold1 + runs/folds/folds.h5:fold3");
    expect_text("grep ^seed runs/folds/trial_0002/job.ini", "= 2");
}

/* What is left of many folds is longer than a line of a job. */
static void many_folds_are_trained(void **state) {
    (void)state;
    write_job("0.1");
    program_expect(0, NULL, "$DLTRAIN sweep job.ini --kfold 12 --name many --plan");
    program_expect(0, NULL, "$DLTRAIN sweep --trial 12 runs/many");
    expect_text("cat runs/many/trial_0012/job.ini", "runs/many/folds.h5:fold11\n");
    program_expect(0, NULL, "$DLTRAIN runs/many/trial_0012/job.ini --resume");
}

/* As Slurm would run it, up to the end of its time. */
static void a_task_of_an_array_runs_one_trial(void **state) {
    (void)state;
    write_job("300");
    expect_text("$DLTRAIN sweep job.ini --grid lr=0.01,0.02 --name array --slurm-array --jobs 3 "
                "--sbatch \"--time=1:00:00 --partition=long\"",
                "sbatch runs/array/sweep.sbatch");
    expect_text("grep SBATCH runs/array/sweep.sbatch", "#SBATCH --array=1-2%3\n");
    expect_text("grep SBATCH runs/array/sweep.sbatch", "#SBATCH --partition=long\n");
    program_write("scontrol", "#!/bin/sh\necho scontrol $*\n");
    program_write("squeue", "#!/bin/sh\ndate -d \"+3 seconds\" +%%FT%%T\n");
    free(printed("chmod +x scontrol squeue"));
    expect_said(75, "scontrol requeue 7_2",
                "export PATH=$PWD:$PATH SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=2 SLURM_NTASKS=4; "
                "SLURM_JOB_ID=9 bash runs/array/sweep.sbatch");
    assert_int_equal(in_state("runs/array", "stopped"), 1);
    assert_int_equal(in_state("runs/array", "waiting"), 1);
}

/* What would have no time is not begun. */
static void a_sweep_ends_with_its_time_and_goes_on(void **state) {
    (void)state;
    write_job("300");
    expect_said(75, ": 0 of 3 trials are done; dltrain sweep --resume runs/timed goes on",
                "$DLTRAIN sweep job.ini --grid lr=0.01,0.02,0.03 --name timed --end 4s");
    assert_int_equal(in_state("runs/timed", "stopped"), 1);
    assert_int_equal(in_state("runs/timed", "waiting"), 2);
    expect_text("tail -n 1 runs/timed/trial_0001/output.log", "dltrain: the time ends at ");
    program_expect(64, "--end: found 'soon'", "$DLTRAIN sweep --resume runs/timed --end soon");
}

static void a_trial_may_have_ranks(void **state) {
    (void)state;
    write_job("1");
    program_expect(0, NULL,
                   "$DLTRAIN sweep job.ini --grid lr=0.05 --ranks 2 --mpirun \"$MPIRUN\" --name "
                   "ranks");
    expect_text("cat runs/ranks/trial_0001/output.log", "2 ranks");
    program_expect(64, "found 2 processes of it",
                   "$MPIRUN -np 2 $DLTRAIN sweep job.ini --grid lr=0.05 --name ranks2");
    expect_said(65, "cannot be started",
                "$DLTRAIN sweep job.ini --grid lr=0.05 --ranks 2 --mpirun ./nothing --name ranks3");
}

static void what_does_not_go_together_is_refused_before_anything_runs(void **state) {
    static const struct {
        int code;
        const char *message, *arguments;
    } cases[] = {
        {64, "found no settings to try", "job.ini"},
        {64, "--trials is how often --random draws", "job.ini --grid lr=1 --trials 3"},
        {64, "lr has its values already", "job.ini --grid lr=1 --grid lr=2"},
        {64, "name cannot be tried", "job.ini --grid name=a,b"},
        {64, "seed cannot be tried", "job.ini --grid job.seed=1,2 --seeds 2"},
        {64, "nothing is called 'nonsense'", "job.ini --grid nonsense=1,2"},
        {78, "trial_0002 (lr=abc)", "job.ini --grid lr=1,abc"},
        {64, "--eta: found '1', expected more than 1", "job.ini --grid lr=1 --halving --eta 1"},
        {64, "expected one of: dltrain sweep JOB.ini", "--resume runs/x --grid lr=1"},
        {64, "is no folder of a sweep", "--show runs/nowhere"},
        {64, "--retry is for --resume", "job.ini --grid lr=1 --retry"},
        {64, "--sbatch: found '-p'", "job.ini --grid lr=1 --slurm-array --sbatch -p"},
        {64, "expected at most 9999", "job.ini --grid lr=1,2 --seeds 1000 --kfold 100"},
        {64, "a folder's name", "job.ini --grid lr=1 --name ../x"},
    };

    (void)state;
    write_job("1");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        program_expect(cases[i].code, cases[i].message, "$DLTRAIN sweep %s", cases[i].arguments);
    program_expect(0, NULL, "test ! -e runs/job_sweep");
}

/* A plan that is damaged is said to be so; a half line of results says nothing. */
static void damaged_files_are_said_or_passed_over(void **state) {
    (void)state;
    write_job("1");
    free(printed("$DLTRAIN sweep job.ini --grid lr=1,1e30 --name damaged --plan"));
    program_write("runs/damaged/results.jsonl",
                  "{\"trial\":1,\"rung\":0,\"state\":\"complete\",\"best\":1}\n"
                  "{\"trial\":2,\"rung\":0,\"sta");
    program_expect(65, "trial_0002 failed",
                   "$DLTRAIN sweep --trial 2 runs/damaged"); /* its line is one of its own */
    assert_int_equal(in_state("runs/damaged", "failed"), 1);
    assert_int_equal(in_state("runs/damaged", "complete"), 1);
    program_expect(65, "runs/damaged/sweep.json: is no plan of a sweep",
                   "sed -i s/trials/trails/ runs/damaged/sweep.json; "
                   "$DLTRAIN sweep --show runs/damaged");
    program_write("runs/damaged/results.jsonl",
                  "{\"trial\":1,\"rung\":0,\"state\":\"failed\",\"message\":\"a\\u001b[2Jb\"}\n");
    expect_text("sed -i s/trails/trials/ runs/damaged/sweep.json; "
                "$DLTRAIN sweep --show runs/damaged",
                "trial_0001 failed: a?[2Jb\n");
    free(printed("$DLTRAIN sweep job.ini --grid lr=1,2,3,4 --name mixed --plan"));
    char *text = program_read("runs/mixed/sweep.json"), *third = strstr(text, "\"config\": 3");
    assert_non_null(third);
    third[strlen("\"config\": ")] = '1';
    program_write("runs/mixed/sweep.json", "%s", text);
    free(text);
    program_expect(65, "runs/mixed/sweep.json: is no plan of a sweep",
                   "$DLTRAIN sweep --show runs/mixed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trial_is_the_run_with_its_settings),
        cmocka_unit_test(a_trial_that_fails_is_kept_and_the_others_go_on),
        cmocka_unit_test(halving_goes_on_from_where_it_was),
        cmocka_unit_test(stopped_it_saves_and_goes_on_to_the_same_bits),
        cmocka_unit_test(a_killed_sweep_leaves_no_process_behind),
        cmocka_unit_test(two_sweeps_never_run_the_same_trial),
        cmocka_unit_test(seeds_and_folds_are_averaged),
        cmocka_unit_test(many_folds_are_trained),
        cmocka_unit_test(a_task_of_an_array_runs_one_trial),
        cmocka_unit_test(a_sweep_ends_with_its_time_and_goes_on),
        cmocka_unit_test(a_trial_may_have_ranks),
        cmocka_unit_test(what_does_not_go_together_is_refused_before_anything_runs),
        cmocka_unit_test(damaged_files_are_said_or_passed_over),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
