/* What `dltrain watch` says of runs that end, stop, die, fall silent; and on a terminal. */
#include "printed.h"

#include <stdio.h>

enum { STEPS = 30 }; /* 3 epochs */

/* runs/done has ended; runs/half has stopped: its log and its checkpoint are those of half the
 * steps; runs/dead was killed. */
static int setup(void **state) {
    if (program_setup(state))
        return -1;
    program_write_job("done.ini", STEPS, "");
    program_write_job("dead.ini", 1000000, "");
    program_expect(0, NULL, "$DLTRAIN done.ini >/dev/null");
    program_expect(0, NULL,
                   "cp -r runs/done runs/half && cd runs/half && "
                   "head -n 16 ../done/metrics.jsonl >metrics.jsonl");
    program_expect(0, NULL,
                   "$DLTRAIN dead.ini >/dev/null 2>&1 & p=$!; "
                   "while ! [ -s runs/dead/metrics.jsonl ]; do sleep 0.05; done; kill -9 $p");
    return 0;
}

/* A lock as a process of another host has it. */
static void lock_elsewhere(const char *run) {
    char path[64];

    snprintf(path, sizeof path, "runs/%s/lock", run);
    program_write(path, "{\"host\": \"node7\", \"machine\": \"m\", \"boot\": \"b\", \"pid\": 12, "
                        "\"start\": 1, \"since\": \"2026-01-31\", \"slurm_job\": \"\"}");
}

static void a_run_that_has_ended_is_drawn(void **state) {
    char *out = printed("LC_ALL=C $DLTRAIN watch runs/done");

    (void)state;
    assert_non_null(strstr(out, "done  ended, last line "));
    assert_non_null(strstr(out, " ago\n100%  [##"));
    assert_non_null(strstr(out, "  step 30/30  "));
    assert_non_null(strstr(out, "\nvalidate top1 0."));
    assert_non_null(strstr(out, "  best 0."));
    assert_non_null(strstr(out, "epoch 3\n"));
    for (const char *c = out; *c; c++) /* neither colours nor letters beyond ASCII */
        assert_true(*c > 0 && *c != '\033');
    free(out);
}

static void the_best_is_that_of_the_checkpoint(void **state) {
    char *best = printed("$DLTRAIN watch runs/done | sed -n \"s/.*best \\([0-9.]*\\) at.*/\\1/p\"");

    (void)state;
    best[strcspn(best, "\n")] = 0;
    char command[128];
    snprintf(command, sizeof command, "$DLTRAIN eval runs/done | grep top1=%s", best);
    expect_text(command, "result: ");
    free(best);
}

/* Also where it lies among runs. */
static void a_sweep_is_its_trials(void **state) {
    (void)state;
    program_write_job("few.ini", 4, "");
    program_expect(0, NULL, "$DLTRAIN sweep few.ini --grid seed=1,2 --name search >/dev/null");
    expect_text("$DLTRAIN watch runs/search/ | cut -c-17", "trial_0001  ended");
    expect_text("$DLTRAIN watch runs/search | cut -c-17", "trial_0002  ended");
    expect_text("$DLTRAIN watch runs | cut -c-24", "search/trial_0002  ended");
    program_expect(74, "runs/search: is a sweep none of whose trials has begun",
                   "rm -r runs/search/trial_*; $DLTRAIN watch runs/search");
    program_expect(0, NULL, "rm -r runs/search");
}

static void a_run_that_has_stopped_can_go_on(void **state) {
    (void)state;
    expect_text("$DLTRAIN watch runs/half", "half  stopped, --resume goes on, last line ");
    expect_text("$DLTRAIN watch runs/half", " 50%  ");
}

static void a_process_that_is_gone_has_failed(void **state) {
    (void)state;
    expect_text("$DLTRAIN watch runs/dead", "dead  failed, process ");
    expect_text("$DLTRAIN watch runs/dead", " has ended without giving the folder back");
}

/* Nobody can tell from here whether it lives; its log can. */
static void a_run_elsewhere_is_stale_when_it_is_silent(void **state) {
    (void)state;
    lock_elsewhere("half");
    program_expect(0, NULL, "touch runs/half/metrics.jsonl");
    expect_text("$DLTRAIN watch runs/half", "half  running, process 12 on node7, last line ");
    expect_text("$DLTRAIN watch runs/half", " left\n");
    program_expect(0, NULL, "touch -d yesterday runs/half/metrics.jsonl runs/half/lock");
    expect_text("$DLTRAIN watch runs/half",
                "half  stale, process 12 on node7, last line 24 h ago\n");
    program_expect(0, NULL, "rm runs/half/lock");
}

static void a_fault_is_told(void **state) {
    (void)state;
    program_write("runs/half/fault.txt", "step 9: the loss is not finite\nmore\n");
    expect_text("$DLTRAIN watch runs/half", "half  failed, step 9: the loss is not finite, last");
    program_expect(0, NULL, "rm runs/half/fault.txt");
}

/* As its own log says, until it begins again; what others write moves no cursor. */
static void a_run_that_failed_says_why(void **state) {
    static const char said[] = "{\"event\":\"start\"}\n{\"event\":\"end\",\"state\":\"failed\","
                               "\"text\":\"disk\\u001b[2J full\"}\n";

    (void)state;
    char *before = program_read("runs/half/events.jsonl");
    program_write("runs/half/events.jsonl", "%s", said);
    expect_text("$DLTRAIN watch runs/half", "half  failed, disk?[2J full, last line ");
    program_write("runs/half/events.jsonl", "%s{\"event\":\"start\"}\n", said);
    expect_text("$DLTRAIN watch runs/half", "half  stopped, --resume goes on");
    program_write("runs/half/events.jsonl", "%s", before);
    free(before);
}

static void trials_of_a_sweep_have_a_line_each(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "mkdir -p all/sweep && cp -r runs/done all/sweep/trial_0001 && cp -r runs/half "
                   "all/sweep/trial_0002 && cp done.ini all/sweep/job.ini && "
                   "echo {} > all/sweep/sweep.json");
    expect_text("$DLTRAIN watch all/sweep", "trial_0001  ended ");
    expect_text("$DLTRAIN watch all/sweep/", "trial_0002  stopped");
    expect_text("$DLTRAIN watch all", "sweep/trial_0001  ended ");
    program_expect(0, NULL, "rm -r all");
}

static void ranks_that_wait_are_told(void **state) {
    (void)state;
    program_write(
        "runs/half/ranks.jsonl",
        "{\"step\":1,\"epoch\":0.1,\"ranks\":2,\"hosts\":[\"a\",\"a\"],\"compute_s\":[0.1,0.3],"
        "\"wait_s\":[0.2,0],\"data_s\":[0.1,0.1]}\n{\"step\":2,");
    expect_text("$DLTRAIN watch runs/half",
                "2 ranks  computing 100 to 300 ms a step  slowest rank 1  waiting 25.0 %\n");
    program_expect(0, NULL, "rm runs/half/ranks.jsonl");
}

static void several_runs_have_a_line_each(void **state) {
    static const char *const commands[] = {"$DLTRAIN watch runs --once",
                                           "$DLTRAIN watch runs/* done.ini"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        char *out = printed(commands[i]);
        if (strncmp(out, "dead  failed ", 13) != 0 || !strstr(out, "\ndone  ended  ") ||
            !strstr(out, "\nhalf  stopped") || !strstr(out, "best top1 0."))
            fail_msg("%s", out);
        free(out);
    }
}

/* Whatever else is in a folder is no reason to fail. */
static void damage_is_passed_over(void **state) {
    (void)state;
    program_write(
        "odd.sh",
        "mkdir runs/odd && cd runs/odd\n"
        "printf 'nonsense\\0' >job.ini\n"
        "echo '{\"step\":\"x\",\"loss\":[],\"epoch\":null}' >metrics.jsonl\n"
        "printf '\\0\\0\\n{\"validate\":3}\\n' >>metrics.jsonl\n"
        "echo '{\"step\":1e300,\"epoch\":1,\"loss\":null}' >>metrics.jsonl\n"
        "echo '{\"loss\":2,\"validate\":{\"t\":[[1]],\"m\":4},\"error\":{\"m\":0.5,\"none\":1}}' "
        ">>metrics.jsonl\n"
        "echo '{' >lock\n"
        "printf '[]\\n{\"compute_s\":[],\"wait_s\":1}\\n' >ranks.jsonl\n");
    program_expect(0, NULL, "sh odd.sh");
    expect_text("$DLTRAIN watch runs/odd", "odd  running, last line ");
    expect_text("LC_ALL=C $DLTRAIN watch runs/odd", "\nvalidate m 4.0000 +-0.5000\n");
    program_expect(0, NULL, "cd runs && rm -r odd && mkdir odd odd/job.ini odd/metrics.jsonl");
    program_expect(0, NULL, "$DLTRAIN watch runs/odd");
    program_expect(0, NULL, "rm -r runs/odd");
}

static void what_is_no_run_is_refused(void **state) {
    (void)state;
    program_expect(64, "watch: found no run, expected one or more", "$DLTRAIN watch");
    program_expect(64, "--interval: found '2h', expected a time from 0.1s to 60min",
                   "$DLTRAIN watch runs/done --interval 2h");
    program_expect(74, "none: cannot be read: No such file", "$DLTRAIN watch none");
    program_expect(74, ".: found no run in it, expected the folder of a run",
                   "mkdir -p empty && "
                   "cd empty && $DLTRAIN "
                   "watch .");
    program_expect(74, "watch: none of these 2 is the folder of a run",
                   "$DLTRAIN watch done.ini dead.ini");
}

/* On a terminal of its own: drawn over and over until the run is over, or until q. */
static void a_terminal_is_left_as_it_was(void **state) {
    (void)state;
    program_expect(0, NULL, "command -v script >/dev/null"); /* of every Debian */
    lock_elsewhere("half");
    program_expect(0, NULL, "touch runs/half/metrics.jsonl");
    program_write("watch.sh", "stty cols 40 rows 12\n"
                              "$DLTRAIN watch runs/half --interval 0.2s\n"
                              "stty -a\n");
    program_expect(0, NULL,
                   "(until [ $(grep -o ends out | wc -l) -gt 2 ]; do sleep 0.1; done; printf q) | "
                   "TERM=xterm LC_ALL=C.UTF-8 timeout 60 script -qefc \"sh watch.sh\" out "
                   ">/dev/null");
    char *out = program_read("out");
    const char *first = strstr(out, "\033[?1049h"), *last = strstr(out, "\033[?1049l");
    int frames = 0;
    assert_true(first && last && first < last);
    for (const char *at = first; (at = strstr(at + 1, "\033[H")) && at < last;)
        frames++;
    assert_true(frames > 2);
    assert_non_null(strstr(out, "\033[32mrunning"));
    assert_non_null(strstr(out, "\xE2\xA0")); /* Braille */
    assert_non_null(strstr(last, " icanon"));
    assert_non_null(strstr(last, " echo "));
    free(out);
    program_expect(0, NULL, "rm runs/half/lock");
    program_expect(0, NULL,
                   "TERM=xterm timeout 60 script -qec \"$DLTRAIN watch runs/done\" out "
                   ">/dev/null"); /* it is over: so is this */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_has_ended_is_drawn),
        cmocka_unit_test(the_best_is_that_of_the_checkpoint),
        cmocka_unit_test(a_sweep_is_its_trials),
        cmocka_unit_test(a_run_that_has_stopped_can_go_on),
        cmocka_unit_test(a_process_that_is_gone_has_failed),
        cmocka_unit_test(a_run_elsewhere_is_stale_when_it_is_silent),
        cmocka_unit_test(a_fault_is_told),
        cmocka_unit_test(a_run_that_failed_says_why),
        cmocka_unit_test(trials_of_a_sweep_have_a_line_each),
        cmocka_unit_test(ranks_that_wait_are_told),
        cmocka_unit_test(several_runs_have_a_line_each),
        cmocka_unit_test(damage_is_passed_over),
        cmocka_unit_test(what_is_no_run_is_refused),
        cmocka_unit_test(a_terminal_is_left_as_it_was),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
