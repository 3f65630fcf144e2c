/* One run in a folder at a time, whoever starts, dies or comes back. */
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void write_job(void) {
    program_write_job("job.ini", 10, "");
}

static bool is_there(const char *path) {
    return !access(path, F_OK);
}

/* A lock in runs/NAME of a process of another host, of Slurm job 7. */
static void write_foreign_lock(const char *name) {
    char path[64];

    snprintf(path, sizeof path, "runs/%s/lock", name);
    program_write(path,
                  "{\"host\": \"elsewhere\", \"machine\": \"0\", \"boot\": \"0\", \"pid\": 12, "
                  "\"start\": 3, \"since\": \"yesterday\", \"slurm_job\": \"7\"}");
}

/* Four starts of a run without end: three of them end at once; the fourth is asked to stop. */
static const char race[] =
    "rm -f code.*; "
    "for i in 1 2 3 4; do"
    " ( $DLTRAIN job.ini --set name=race --set steps=1000000 %s > log.$i 2>&1 & pid=$!;"
    "   echo $pid > pid.$i; wait $pid; echo $? > code.$i ) & "
    "done; "
    "for k in $(seq 600); do [ $(ls code.* 2> /dev/null | wc -l) -ge 3 ] && break; sleep 0.05; "
    "done; sleep 0.3; "
    "for i in 1 2 3 4; do [ -e code.$i ] || kill -USR1 $(cat pid.$i); done; wait; "
    "[ $(cat code.* | grep -c 74) = 3 ] && [ $(cat code.* | grep -c 75) = 1 ] && "
    "[ $(cat log.* | grep -c \"is in use by another run\\|just being taken\") = 3 ]";

static void of_four_starts_at_once_one_runs(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, race, "");
    program_expect(0, NULL, "[ $(ls runs | grep -c race) = 1 ]");
    program_expect(0, NULL, race, ""); /* an earlier run is in the folder, and is kept once */
    program_expect(0, NULL, "[ $(ls runs | grep -c race) = 2 ] && [ -e runs/race.1/last.h5 ]");
    program_expect(0, NULL, race, "--resume");
    program_expect(0, NULL, "[ $(ls runs | grep -c race) = 2 ] && [ ! -e runs/race/lock ]");
}

static void kill_a_run(void) {
    program_expect(137, NULL,
                   "$DLTRAIN job.ini --set name=killed --set steps=1000000 "
                   "--set \"checkpoint.last=5 steps\" > first.log & pid=$!; "
                   "while [ ! -e runs/killed/last.h5 ]; do sleep 0.05; done; "
                   "kill -9 $pid; wait $pid");
    assert_true(is_there("runs/killed/lock"));
}

static void a_killed_run_is_resumed_without_a_hand(void **state) {
    (void)state;
    write_job();
    kill_a_run();
    program_expect(0, NULL,
                   "$DLTRAIN job.ini --set name=killed --set steps=5 --resume > log &&"
                   "grep \"was in use by a run that has ended without giving it back\" log");
    assert_false(is_there("runs/killed/lock"));
    program_expect(0, NULL, "rm -r runs/killed");
    kill_a_run();
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=killed");
    assert_false(is_there("runs/killed/lock"));
    assert_true(is_there("runs/killed.1/last.h5"));
    assert_false(is_there("runs/killed.1/lock"));
}

static void ends_of_all_kinds_give_the_folder_back(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=back");
    assert_false(is_there("runs/back/lock"));
    program_expect(75, NULL,
                   "$DLTRAIN job.ini --set name=back --set steps=1000000 > log & pid=$!; "
                   "while [ ! -e runs/back/lock ]; do sleep 0.05; done; "
                   "kill -TERM $pid; wait $pid");
    assert_true(is_there("runs/back/last.h5"));
    assert_false(is_there("runs/back/lock"));
    program_expect(78, "was saved with [data] batch = 25",
                   "$DLTRAIN job.ini --set name=back --set data.batch=30 --resume");
    assert_false(is_there("runs/back/lock"));
    program_expect(65, "the loss is", "$DLTRAIN job.ini --set name=high --set lr=1e30");
    assert_true(is_there("runs/high/job.ini"));
    assert_false(is_there("runs/high/lock"));
}

static void a_lock_of_another_host_is_for_its_user_to_judge(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=far");
    write_foreign_lock("far");
    program_expect(0, NULL, "(ls -l runs; find runs/far -type f | sort | xargs cat) > before");
    program_expect(74, "(process 12 on elsewhere, since yesterday), and whether that one still ",
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=far --resume");
    program_expect(74, ": if it has ended, delete runs/far/lock, else give this one another name=",
                   "SLURM_JOB_ID=8 $DLTRAIN job.ini --set name=far");
    program_expect(
        0, NULL,
        "(ls -l runs; find runs/far -type f | sort | xargs cat) > after; cmp before after");
    program_expect(0, NULL,
                   "SLURM_JOB_ID=7 $DLTRAIN job.ini --set name=far --resume --set steps=12");
    assert_false(is_there("runs/far/lock"));
    write_foreign_lock("far");
    program_expect(0, NULL,
                   "rm runs/far/lock; $DLTRAIN job.ini --set name=far --resume --set steps=14");
}

/* Whoever takes a folder in spite of a run has it to himself. */
static void a_run_that_has_lost_its_folder_saves_no_more(void **state) {
    (void)state;
    write_job();
    program_expect(74, "runs/lost/lock is no longer this run",
                   "$DLTRAIN job.ini --set name=lost --set steps=1000000 "
                   "--set \"checkpoint.last=200 steps\" > log & pid=$!; "
                   "while [ ! -e runs/lost/last.h5 ]; do sleep 0.05; done; "
                   "echo {} > runs/lost/lock; cp runs/lost/last.h5 kept.h5; wait $pid");
    assert_true(is_there("runs/lost/lock"));
}

static void a_folder_that_cannot_be_written_is_said(void **state) {
    (void)state;
    write_job();
    program_write("file", "%s", "");
    program_expect(74, "file: cannot be created: Not a directory",
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set output=file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_four_starts_at_once_one_runs),
        cmocka_unit_test(a_killed_run_is_resumed_without_a_hand),
        cmocka_unit_test(ends_of_all_kinds_give_the_folder_back),
        cmocka_unit_test(a_lock_of_another_host_is_for_its_user_to_judge),
        cmocka_unit_test(a_run_that_has_lost_its_folder_saves_no_more),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_said),
    };

    unsetenv("SLURM_JOB_ID");
    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
