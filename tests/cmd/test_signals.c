/* Requests to stop that come early, or twice. */
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

/* Ranks of the run of that name, one a line. */
#define RANKS_OF "pgrep -ax dltrain | grep \"name=%s \" | cut -d\" \" -f1"

/* The process $pid catches USR1, which is all that it has done then. */
#define UNTIL_CAUGHT                                                                               \
    "until grep -q \"SigCgt:.*[2367abef]..$\" /proc/$pid/status; do sleep 0.01; done; "

/* A name that no other run on this machine has. */
static const char *unique(const char *stem, char text[32]) {
    snprintf(text, 32, "%s%d", stem, (int)getpid());
    return text;
}

static void a_signal_before_the_first_step_ends_with_75(void **state) {
    static const char *const signals[] = {"USR1", "TERM", "INT"};

    (void)state;
    program_write_job("job.ini", 100000, "");
    for (int i = 0; i < 3; i++)
        program_expect(75, "stopped on request before a step was done",
                       "$DLTRAIN job.ini --set name=early%d & pid=$!; " UNTIL_CAUGHT
                       "kill -%s $pid; wait $pid",
                       i, signals[i]);
}

static void a_signal_to_one_rank_before_the_first_step_stops_all(void **state) {
    char name[32];

    (void)state;
    program_write_job("job.ini", 100000, "");
    unique("first", name);
    program_expect(75, "stopped on request before a step was done",
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=%s --set seed=1 & mpirun=$!; "
                   "until pid=$(" RANKS_OF
                   " | tail -n 1); [ \"$pid\" ]; do sleep 0.01; done; " UNTIL_CAUGHT
                   "kill -USR1 $pid; wait $mpirun",
                   name, name);
}

/* One rank is held, so that the other waits for it in MPI, where it notices no request. */
static void a_second_signal_ends_a_job_that_is_stuck(void **state) {
    char name[32];

    (void)state;
    program_write_job("job.ini", 100000, "");
    unique("stuck", name);
    program_expect(75, "ended at once by a second signal",
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=%s --set seed=1 & mpirun=$!; "
                   "until grep -q loss runs/%s/metrics.jsonl 2> /dev/null; do sleep 0.05; done; "
                   "kill -STOP $(" RANKS_OF " | head -n 1); other=$(" RANKS_OF " | tail -n 1); "
                   "kill -TERM $other; sleep 0.5; kill -TERM $other; wait $mpirun",
                   name, name, name, name);
}

static void signals_that_come_together_are_one_request(void **state) {
    (void)state;
    program_write_job("job.ini", 100000, "");
    program_expect(75, "saved in runs/both/last.h5",
                   "$DLTRAIN job.ini --set name=both & pid=$!; "
                   "until grep -q loss runs/both/metrics.jsonl 2> /dev/null; do sleep 0.05; done; "
                   "kill -USR1 $pid; kill -TERM $pid; wait $pid");
}

/* mpirun passes it on to all ranks; a second one saves again. */
/* Also where a validation follows the step in which it comes. */
static void a_signal_to_save_saves_and_the_run_goes_on(void **state) {
    (void)state;
    program_write_job("job.ini", 1000000, "[checkpoint]\nlast = never\n");
    program_expect(
        75, "saved in runs/kept/last.h5",
        "$MPIRUN -np 2 $DLTRAIN job.ini --set name=kept --set validate.every=\"2 steps\" & pid=$!; "
        "until grep -q loss runs/kept/metrics.jsonl 2> /dev/null; do sleep 0.05; done; "
        "test ! -e runs/kept/last.h5 || exit 1; for i in 1 2 3 4; do kill -USR2 $pid; "
        "until [ -e runs/kept/last.h5 ]; do sleep 0.05; done; rm runs/kept/last.h5; done; "
        "kill -USR1 $pid; wait $pid");
}

static void a_job_says_which_signals_stop_it(void **state) {
    (void)state;
    program_write_job("job.ini", 1000000, "[checkpoint]\nlast = never\nsignals = XCPU\n");
    program_expect(75, "saved in runs/other/last.h5",
                   "$DLTRAIN job.ini --set name=other & pid=$!; "
                   "until grep -q loss runs/other/metrics.jsonl 2> /dev/null; do sleep 0.05; done; "
                   "kill -XCPU $pid; wait $pid");
    program_expect(143, NULL,
                   "$DLTRAIN job.ini --set name=none & pid=$!; "
                   "until grep -q loss runs/none/metrics.jsonl 2> /dev/null; do sleep 0.05; done; "
                   "kill -TERM $pid; wait $pid");
}

/* Else the second signal would end it at once. */
static void nohup_has_it_outlive_its_terminal(void **state) {
    (void)state;
    program_write_job("job.ini", 1000000, "");
    program_expect(75, "saved in runs/nohup/last.h5",
                   "nohup $DLTRAIN job.ini --set name=nohup & pid=$!; "
                   "until grep -q loss runs/nohup/metrics.jsonl 2> /dev/null; do sleep 0.05; done; "
                   "kill -HUP $pid; sleep 0.5; kill -TERM $pid; wait $pid");
}

/* Commands that save nothing end as any program does. */
static void other_commands_do_not_wait(void **state) {
    (void)state;
    program_write_job("job.ini", 2, "");
    program_expect(143, NULL,
                   "$DLTRAIN bench job.ini --steps 1000000 & pid=$!; sleep 0.5; kill -TERM $pid; "
                   "wait $pid");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_before_the_first_step_ends_with_75),
        cmocka_unit_test(a_signal_to_one_rank_before_the_first_step_stops_all),
        cmocka_unit_test(a_second_signal_ends_a_job_that_is_stuck),
        cmocka_unit_test(signals_that_come_together_are_one_request),
        cmocka_unit_test(a_signal_to_save_saves_and_the_run_goes_on),
        cmocka_unit_test(a_job_says_which_signals_stop_it),
        cmocka_unit_test(nohup_has_it_outlive_its_terminal),
        cmocka_unit_test(other_commands_do_not_wait),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
