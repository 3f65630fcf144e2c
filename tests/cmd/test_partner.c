/* Copies of the state in the memory of a host: what of a killed run is found again. */
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define FOLDER "/dev/shm/dltrain-$(id -u)"

/* Train until a step is logged, and kill it: the copy is of a step before. */
#define KILL_AFTER                                                                                 \
    "until grep -q \"^{.step.:%d,\" runs/%s/metrics.jsonl 2> /dev/null; do sleep 0.02; done; "     \
    "kill -9 $!; wait $! 2> /dev/null; "

/* A rate that the number of steps leaves. */
static const char sections[] = "[step]\noptimizer = sgd(lr=0.02, momentum=0.9)\n"
                               "[checkpoint]\nlast = %s\npartner = 7 steps\n";

static void write_job(const char *path, int steps, const char *last) {
    char text[256];

    snprintf(text, sizeof text, sections, last);
    program_write_job(path, steps, text);
}

/* Other runs on this machine may have copies, too. */
static void remember_copies(void) {
    program_expect(0, NULL, "mkdir -p -m 700 " FOLDER "; ls " FOLDER " > before");
}

static void expect_new_copies(int n) {
    program_expect(0, NULL, "[ $(ls " FOLDER " | grep -c -v -x -F -f before) = %d ]", n);
}

/* Kill a run of that name once it has logged step 30. */
static void leave_copy(const char *name, const char *job) {
    program_expect(0, NULL, "$DLTRAIN %s --set name=%s --set steps=100000 & " KILL_AFTER "true",
                   job, name, 30, name);
}

static void expect_message(const char *message, const char *absent, const char *name,
                           const char *job) {
    struct program_run run = program_run("$DLTRAIN %s --set name=%s --resume", job, name);

    if (run.code || (message && !strstr(run.out, message)) || (absent && strstr(run.out, absent)))
        fail_msg("exit code %d, expected '%s' and no '%s' in\n%s%s", run.code,
                 message ? message : "", absent ? absent : "", run.out, run.err);
    program_release(&run);
}

static void a_killed_run_goes_on_from_its_copy_with_the_same_bits(void **state) {
    (void)state;
    write_job("job.ini", 60, "1000 steps");
    remember_copies();
    leave_copy("copied", "job.ini");
    expect_new_copies(1);
    program_expect(1, NULL, "[ -e runs/copied/last.h5 ]");
    expect_message("resuming from the copy of step ", "beginning with step 1", "copied", "job.ini");
    expect_new_copies(0); /* it is done */
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=whole");
    program_expect(0, NULL, "$SAME runs/copied/last.h5 runs/whole/last.h5");
}

static void ranks_find_it_too_and_a_stopped_run_leaves_none(void **state) {
    (void)state;
    write_job("job.ini", 60, "1000 steps");
    remember_copies();
    leave_copy("ranks", "job.ini");
    program_expect(75, "stopped on request",
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=ranks --set steps=1000000 --resume "
                   "> out & until grep -q \"^{.step.:60,\" runs/ranks/metrics.jsonl; do sleep "
                   "0.02; done; kill -USR1 $!; wait $!");
    program_expect(0, NULL, "grep -q \"resuming from the copy of step\" out");
    expect_new_copies(0);
}

static void a_checkpoint_that_is_newer_is_taken(void **state) {
    (void)state;
    write_job("job.ini", 60, "1000 steps");
    leave_copy("older", "job.ini");
    program_expect(0, NULL,
                   "$DLTRAIN job.ini --set name=ahead && "
                   "cp runs/ahead/last.h5 runs/older/last.h5");
    expect_message("nothing is left to do", "from the copy", "older", "job.ini");
}

static void a_damaged_copy_is_passed_over(void **state) {
    (void)state;
    write_job("job.ini", 60, "1000 steps");
    remember_copies();
    leave_copy("damaged", "job.ini");
    program_expect(0, NULL,
                   "for file in $(ls " FOLDER
                   " | grep -v -x -F -f before); do truncate -s -9 " FOLDER "/$file; done");
    program_expect(0, NULL,
                   "$DLTRAIN job.ini --set name=damaged --resume > out && "
                   "grep -q \"state is passed over\" out && "
                   "grep -q \"from runs/damaged/best.h5\" out");
    expect_new_copies(0);
}

/* The copy is of a way that the run has left. */
static void a_run_that_went_on_with_another_job_does_not_go_back(void **state) {
    (void)state;
    write_job("job.ini", 60, "1000 steps");
    remember_copies();
    leave_copy("left", "job.ini");
    program_expect(0, NULL,
                   "$DLTRAIN job.ini --set name=short --set steps=10 && "
                   "cp runs/short/last.h5 runs/left && $DLTRAIN job.ini --set name=left "
                   "--set steps=12 --set checkpoint.partner=never --resume");
    expect_message("going on after step 12 of", "from the copy", "left", "job.ini");
    expect_new_copies(0);
}

static void a_damaged_checkpoint_is_kept_where_a_copy_takes_its_place(void **state) {
    (void)state;
    write_job("job.ini", 60, "1000 steps");
    leave_copy("aside", "job.ini");
    program_expect(0, NULL, "cp job.ini runs/aside/last.h5");
    expect_message("the damaged file is kept as runs/aside/last.damaged.h5", "beginning", "aside",
                   "job.ini");
    program_expect(0, NULL,
                   "cmp job.ini runs/aside/last.damaged.h5; $SAME runs/aside/last.h5 "
                   "runs/whole/last.h5");
}

static void a_checkpoint_that_cannot_be_read_is_not_replaced_by_a_copy(void **state) {
    (void)state;
    write_job("job.ini", 60, "1000 steps");
    leave_copy("unread", "job.ini");
    program_expect(0, NULL, "mkdir runs/unread/last.h5");
    program_expect(74, "runs/unread/last.h5: cannot be read",
                   "$DLTRAIN job.ini --set name=unread --resume");
    program_expect(0, NULL, "rmdir runs/unread/last.h5");
    expect_message("resuming from the copy of step ", NULL, "unread", "job.ini");
}

static void a_run_that_begins_anew_in_the_same_place_takes_no_copy(void **state) {
    (void)state;
    write_job("job.ini", 60, "1000 steps");
    remember_copies();
    leave_copy("anew", "job.ini");
    program_expect(0, NULL, "rm -r runs/anew; sleep 1");
    expect_message("beginning with step 1", "from the copy", "anew", "job.ini");
    expect_new_copies(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_run_goes_on_from_its_copy_with_the_same_bits),
        cmocka_unit_test(ranks_find_it_too_and_a_stopped_run_leaves_none),
        cmocka_unit_test(a_checkpoint_that_is_newer_is_taken),
        cmocka_unit_test(a_damaged_copy_is_passed_over),
        cmocka_unit_test(a_run_that_went_on_with_another_job_does_not_go_back),
        cmocka_unit_test(a_damaged_checkpoint_is_kept_where_a_copy_takes_its_place),
        cmocka_unit_test(a_checkpoint_that_cannot_be_read_is_not_replaced_by_a_copy),
        cmocka_unit_test(a_run_that_begins_anew_in_the_same_place_takes_no_copy),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
