/* Jobs that are started again: what is left of them after ranks and hosts are lost. Hosts here are
 * names, for a stand-in of mpirun; tests/cluster has real ones. */
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* Ranks of the run of that name, one a line; mpirun and launch are none. */
#define RANKS_OF "pgrep -ax dltrain | grep \" train .*name=%s\" | cut -d\" \" -f1"

#define UNTIL_TRAINED "until grep -q loss runs/%s/metrics.jsonl 2> /dev/null; do sleep 0.02; done; "

#define UNTIL_SAVED "until [ -e runs/%s/last.h5 ]; do sleep 0.02; done; "

static const char sections[] = "[checkpoint]\nlast = 25 steps\n[dist]\nreduction = reproducible\n";

/* Of both libraries' words it knows those that launch uses. A host named in the file `lost` does
 * not answer; starts of ranks are lines of `starts`. */
static const char stand_in[] = "#!/bin/sh\n"
                               "n= hosts=\n"
                               "while :; do\n"
                               "    case $1 in\n"
                               "    -x) shift 2 ;;\n"
                               "    -np) n=$2; shift 2 ;;\n"
                               "    -hosts | --host) hosts=$2; shift 2 ;;\n"
                               "    *) break ;;\n"
                               "    esac\n"
                               "done\n"
                               "for lost in $(cat lost 2> /dev/null); do\n"
                               "    case ,$hosts in *,$lost*) exec sleep 60 ;; esac\n"
                               "done\n"
                               "[ \"$2\" != train ] || echo \"$n $hosts $*\" >> starts\n"
                               "[ \"$2\" != train ] || [ ! -e code ] || exit \"$(cat code)\"\n"
                               "exec $MPIRUN -np \"$n\" \"$@\"\n";

/* A name that no other run on this machine has. */
static const char *unique(const char *stem, char text[32]) {
    snprintf(text, 32, "%s%d", stem, (int)getpid());
    return text;
}

static void write_stand_in(void) {
    program_write("stand_in", "%s", stand_in);
    program_expect(0, NULL, "chmod +x stand_in; rm -f starts code lost");
}

/* Run it, kill its last rank once it has saved, and return what happened. */
static struct program_run run_and_kill(const char *name, const char *options, const char *before) {
    return program_run("$DLTRAIN launch %s job.ini --set name=%s & launch=$!; " UNTIL_SAVED
                       "%s kill -9 $(" RANKS_OF " | tail -n 1); wait $launch",
                       options, name, name, before, name);
}

static void expect_same_bits(const char *name) {
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=whole");
    program_expect(0, NULL, "$SAME runs/%s/last.h5 runs/whole/last.h5", name);
}

static void a_killed_rank_costs_some_steps_and_no_bit(void **state) {
    char name[32];

    (void)state;
    program_write_job("job.ini", 250, sections);
    unique("killed", name);
    struct program_run run = run_and_kill(name, "-np 2 --mpirun \"$MPIRUN\"", "");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.err, "launch: mpirun ended with code "));
    assert_non_null(strstr(run.err, "launch: starts again (1 of 3 without progress)\n"));
    assert_non_null(strstr(run.err, "launch: goes on from step "));
    assert_null(strstr(run.err, "launch: starts again (2"));
    program_release(&run);
    expect_same_bits(name);
}

static void a_host_that_does_not_answer_is_left_out(void **state) {
    char name[32];

    (void)state;
    write_stand_in();
    program_write_job("job.ini", 250, sections);
    unique("lost", name);
    struct program_run run = run_and_kill(
        name, "-np 3 --hosts a:1,b:2,c:1 --patience 4 --mpirun ./stand_in", "echo b > lost;");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.err, "; b does not answer\n"));
    assert_non_null(strstr(run.err, " with 2 ranks on a c\n"));
    program_release(&run);
    program_expect(0, NULL, "[ \"$(cut -d\" \" -f1-2 starts)\" = \"3 a:1,b:2,c:1\n2 a:1,c:1\" ]");
    expect_same_bits(name);
}

static void no_host_that_answers_is_an_error(void **state) {
    (void)state;
    write_stand_in();
    program_write("lost", "a b");
    program_write("hosts", "# two\na slots=2 max_slots=4\n\nb:1 # and one\n");
    program_write_job("job.ini", 10, sections);
    program_expect(
        74, "none of 2 hosts answers: a b",
        "echo 9 > code; sed -i \"s/exec sleep/[ \\$2 = train ] || exec sleep/\" stand_in;"
        "$DLTRAIN launch --hostfile hosts --patience 1 --mpirun ./stand_in job.ini");
}

static void hosts_of_an_allocation_are_those_that_slurm_says(void **state) {
    (void)state;
    write_stand_in();
    program_write_job("job.ini", 10, sections);
    program_write("scontrol", "#!/bin/sh\n[ \"$*\" = \"show hostnames\" ] || exit 1\n"
                              "printf \"n1\\nn2\\nn7\\n\"\n");
    program_expect(65, NULL,
                   "chmod +x scontrol; echo 65 > code; PATH=$PWD:$PATH SLURM_JOB_NODELIST=n[1-2,7] "
                   "SLURM_TASKS_PER_NODE=\"4(x2),3\" $DLTRAIN launch --mpirun ./stand_in job.ini");
    program_expect(0, NULL, "[ \"$(cut -d\" \" -f1-2 starts)\" = \"11 n1:4,n2:4,n7:3\" ]");
    program_expect(74, "does not say the hosts of SLURM_JOB_NODELIST=n1",
                   "echo exit 1 > scontrol; PATH=$PWD:$PATH SLURM_JOB_NODELIST=n1 "
                   "SLURM_TASKS_PER_NODE=4 $DLTRAIN launch --mpirun ./stand_in job.ini");
}

static void codes_say_whether_it_is_started_again(void **state) {
    static const struct {
        int code, starts;
    } cases[] = {{64, 1}, {65, 1},  {70, 1}, {78, 1}, {74, 1}, /* before it has begun */
                 {75, 2}, {137, 2}, {9, 2},  {1, 2}};

    (void)state;
    write_stand_in();
    program_write_job("job.ini", 10, sections);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        program_expect(cases[i].code, NULL,
                       "rm -f starts; echo %d > code; "
                       "$DLTRAIN launch --relaunch 1 --mpirun ./stand_in job.ini; rc=$?; "
                       "[ $(wc -l < starts) = %d ] || rc=99; exit $rc",
                       cases[i].code, cases[i].starts);
    program_expect(74, NULL, "$DLTRAIN launch --mpirun ./no_such_mpirun job.ini");
    program_expect(64, "no rank has run: there is no runs/never/job.ini",
                   "rm -f starts; echo 0 > code; "
                   "$DLTRAIN launch --relaunch 1 --mpirun ./stand_in job.ini --set name=never; "
                   "rc=$?; [ $(wc -l < starts) = 1 ] || rc=99; exit $rc");
    program_expect(64, "no rank has run: there is no runs/never/job.ini",
                   "$DLTRAIN launch --mpirun true job.ini --set name=never");
}

static void a_request_to_stop_saves_and_is_the_end(void **state) {
    char name[32];

    (void)state;
    write_stand_in();
    program_write_job("job.ini", 1000000, sections);
    unique("asked", name);
    program_expect(75, "stopped on request",
                   "$DLTRAIN launch -np 2 --mpirun ./stand_in job.ini --set name=%s 2> err & "
                   "launch=$!; " UNTIL_TRAINED "kill -TERM $launch; wait $launch; code=$?; "
                   "grep -v \"dltrain: .*saved in\" err >&2; exit $code",
                   name, name);
    program_expect(0, NULL, "[ $(wc -l < starts) = 1 ] && [ -e runs/%s/last.h5 ]", name);
    program_expect(1, NULL, RANKS_OF " | grep .", name);
}

/* To launch as to the ranks. */
static void signals_mean_what_the_job_says(void **state) {
    char name[32];

    (void)state;
    write_stand_in();
    program_write_job("job.ini", 1000000, "[checkpoint]\nlast = never\n");
    unique("signals", name);
    program_expect(75, "stopped on request",
                   "$DLTRAIN launch -np 2 --mpirun ./stand_in job.ini --set name=%s "
                   "--set \"checkpoint.signals=USR2 TERM\" --set checkpoint.save_on=USR1 2> err & "
                   "launch=$!; " UNTIL_TRAINED "kill -USR1 $launch; " UNTIL_SAVED
                   "kill -USR2 $launch; wait $launch; code=$?; "
                   "grep -v \"dltrain: .*saved in\" err >&2; exit $code",
                   name, name, name);
    program_expect(0, NULL, "[ $(wc -l < starts) = 1 ]");
    program_expect(1, NULL, RANKS_OF " | grep .", name);
}

/* What stands in the folder before is another run, until a start has taken it. */
static void an_earlier_run_is_gone_on_with_only_where_that_is_asked_for(void **state) {
    (void)state;
    write_stand_in();
    program_write_job("job.ini", 10, sections);
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=before");
    program_expect(137, NULL,
                   "echo 137 > code; $DLTRAIN launch --relaunch 1 --mpirun ./stand_in job.ini "
                   "--set name=before");
    program_expect(1, NULL, "grep -e --resume starts");
    program_expect(137, NULL,
                   "rm starts; $DLTRAIN launch --relaunch 1 --mpirun ./stand_in job.ini "
                   "--set name=before --resume");
    program_expect(0, NULL, "[ $(grep -c -e --resume starts) = 2 ]");
}

static void what_is_left_of_a_job_is_ended_by_its_name(void **state) {
    (void)state;
    program_expect(137, NULL,
                   "DLTRAIN_LAUNCH=one-%d sleep 60 & one=$!; DLTRAIN_LAUNCH=other-%d sleep 60 & "
                   "other=$!; $DLTRAIN launch --clear one-%d; kill $other || exit 1; wait $one",
                   (int)getpid(), (int)getpid(), (int)getpid());
}

static void nonsense_is_refused(void **state) {
    static const struct {
        int code;
        const char *message, *options;
    } cases[] = {
        {64, "expected dltrain launch", ""},
        {64, "-np 3: found hosts with slots for 2", "-np 3 --hosts a:1,b job.ini"},
        {64, "--hosts: found 'b:x', expected HOST", "--hosts a:1,b:x job.ini"},
        {64, "--hosts: found 'b:0', expected HOST", "--hosts a:1,b:0 job.ini"},
        {64, "--hosts: found '', expected HOST", "--hosts a, job.ini"},
        {64, "--hosts and --hostfile are both given", "--hosts a --hostfile hosts job.ini"},
        {64, "--np: found '0'", "-np 0 job.ini"},
        {64, "--relaunch: found '-1'", "--relaunch -1 job.ini"},
        {64, "'--resume', which is no option here", "--resume job.ini"},
        {64, "--mpirun: found ' '", "--mpirun \" \" job.ini"},
        {64, "expected dltrain launch", "--clear id job.ini"},
        {78, "hosts:2: found 'b slots=none', expected `HOST slots=N`", "--hostfile hosts job.ini"},
        {78, "empty: found no host", "--hostfile empty job.ini"},
        {74, "no_such_file: cannot be read", "--hostfile no_such_file job.ini"},
        {74, "no_such.ini: cannot open", "no_such.ini"},
        {78, "found 'none', expected a number", "job.ini --set data.batch=none"},
    };

    (void)state;
    program_write_job("job.ini", 10, sections);
    program_write("hosts", "a slots=1\nb slots=none\n");
    program_write("empty", "# nobody\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        program_expect(cases[i].code, cases[i].message, "$DLTRAIN launch %s", cases[i].options);
    program_expect(64, "launch starts mpirun itself: found 2 processes",
                   "$MPIRUN -np 2 $DLTRAIN launch job.ini");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_rank_costs_some_steps_and_no_bit),
        cmocka_unit_test(a_host_that_does_not_answer_is_left_out),
        cmocka_unit_test(no_host_that_answers_is_an_error),
        cmocka_unit_test(hosts_of_an_allocation_are_those_that_slurm_says),
        cmocka_unit_test(codes_say_whether_it_is_started_again),
        cmocka_unit_test(signals_mean_what_the_job_says),
        cmocka_unit_test(a_request_to_stop_saves_and_is_the_end),
        cmocka_unit_test(an_earlier_run_is_gone_on_with_only_where_that_is_asked_for),
        cmocka_unit_test(what_is_left_of_a_job_is_ended_by_its_name),
        cmocka_unit_test(nonsense_is_refused),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
