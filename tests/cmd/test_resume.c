/* Whatever ends a job, --resume goes on as if nothing had happened. */
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { STEPS = 120, LONG = 400 };

/* Dropout, momentum, batch norm and a schedule: all that a checkpoint might forget. Saved every 3
 * steps, in the middle of epochs of 10. */
static void write_job(void) {
    program_write("job.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = d\nsteps = %d\n"
                  "[net d(image)]\n"
                  "a = image | conv(16, 3, stride=2) | bn | relu | dropout(0.2)\n"
                  "b = a | conv(16, 3, stride=2) | bn | relu\n"
                  "fc = b | global_avgpool | linear(10)\n"
                  "[step]\noptimizer = adam(lr=plateau(1e-3, patience=1))\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | random_crop(32, pad=2) | random_flip | normalize\n"
                  "batch = 25\n[checkpoint]\nlast = 3 steps\n[log]\nevery = 1\n",
                  DLTRAIN_CONFIGS, STEPS);
}

static void expect_equal_runs(const char *a, const char *b) {
    program_expect(0, NULL, "$SAME runs/%s/last.h5 runs/%s/last.h5", a, b);
}

/* Which processes of a run are its ranks, whoever else trains on this machine; oldest first. */
#define RANKS_OF "pgrep -ax dltrain | grep \"name=%s \" | cut -d\" \" -f1"

static int lines_of_log(const char *name) {
    struct program_run run = program_run("cat runs/%s/metrics.jsonl | wc -l", name);
    const int n = atoi(run.out);

    program_release(&run);
    return n;
}

/* Go on with a run, and kill a random rank of it when its log has more than so many lines. Returns
 * the step after which it went on, 0 at its beginning. */
static int go_on_and_kill(const char *name, int lines) {
    static const char going_on[] = "going on after step ";
    struct program_run run =
        program_run("$MPIRUN -np 2 $DLTRAIN job.ini --set name=%s --set steps=%d --resume & pid=$!;"
                    "until victim=$(" RANKS_OF " | sort -R | head -n 1); [ \"$victim\" ] &&"
                    " [ $(cat runs/%s/metrics.jsonl | wc -l) -gt %d ];"
                    "do kill -0 $pid || exit 3; sleep 0.02; done;"
                    "kill -9 $victim && echo killed; wait $pid",
                    name, LONG, name, name, lines);
    const char *at = strstr(run.out, going_on);
    const int step = at ? atoi(at + strlen(going_on)) : 0;

    if (!strstr(run.out, "killed\n") || strstr(run.out, "results are in") || !run.code)
        fail_msg("no rank was killed while the job ran: exit code %d\n%s%s", run.code, run.out,
                 run.err);
    program_release(&run);
    return step;
}

/* The first kill comes as soon as there is a rank, the others later and later after a step that no
 * earlier run had reached; so all but two go on from a checkpoint. */
static void killed_ten_times_it_ends_with_the_same_bits(void **state) {
    char name[32];
    int step = 0;

    (void)state;
    snprintf(name, sizeof name, "killed%d", (int)getpid());
    write_job();
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=whole --set steps=%d", LONG);
    for (int i = 0; i < 10; i++) {
        const int before = step;

        step = go_on_and_kill(name, i ? lines_of_log(name) + 3 + i : -1);
        assert_in_range(step, before, LONG - 1);
        assert_true(step > 0 || i < 2);
    }
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=%s --set steps=%d --resume",
                   name, LONG);
    expect_equal_runs("whole", name);
}

static void a_signal_saves_and_exits_with_75(void **state) {
    static const char *const signals[] = {"USR1", "TERM", "INT"};

    (void)state;
    write_job();
    program_expect(0, NULL,
                   "$DLTRAIN job.ini --set name=steady --set steps=1000000 "
                   "--set validate.every=never --set checkpoint.last=never & pid=$!; "
                   "sleep 1; kill -9 $pid; exit 0");
    for (int i = 0; i < 3; i++) {
        program_expect(75, "saved in runs/signal/last.h5",
                       "$DLTRAIN job.ini --set name=signal --set steps=1000000 --resume "
                       "--set checkpoint.last=never & pid=$!; sleep 2; kill -%s $pid; wait $pid",
                       signals[i]);
    }
    /* 3 interrupted runs, then as many steps as were done are compared with one run through. */
    struct program_run done = program_run("tail -n 1 runs/signal/metrics.jsonl | "
                                          "sed \"s/.*\\\"step\\\":\\([0-9]*\\).*/\\1/\"");
    const int steps = atoi(done.out) + 5;
    program_release(&done);
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=signal --set steps=%d --resume", steps);
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=through --set steps=%d", steps);
    expect_equal_runs("signal", "through");
}

static void a_signal_to_one_rank_stops_all(void **state) {
    char name[32], saved[64];

    (void)state;
    snprintf(name, sizeof name, "one%d", (int)getpid());
    snprintf(saved, sizeof saved, "saved in runs/%s/last.h5", name);
    write_job();
    program_expect(75, saved,
                   "$MPIRUN -np 3 $DLTRAIN job.ini --set name=%s --set steps=100000 & pid=$!; "
                   "sleep 2; kill -USR1 $(" RANKS_OF " | tail -n 1); wait $pid",
                   name, name);
}

static void the_log_has_every_step_once_after_a_resume(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=log --set steps=8");
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=log --set steps=17 --resume");
    struct program_run run = program_run("grep -c \"\\\"loss\\\".*lr\" runs/log/metrics.jsonl");
    assert_string_equal(run.out, "17\n");
    program_release(&run);
}

static void resuming_another_network_is_refused(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=other --set steps=3");
    program_expect(0, NULL, "sed -i s/conv\\(16,/conv\\(12,/ job.ini");
    program_expect(78, "runs/other/last.h5: tensor /nets/d/conv1.weight is 3x3x3x16, expected ",
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=other "
                   "--resume");
}

static void resuming_with_another_batch_is_refused(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=batch --set steps=3");
    program_expect(78, "was saved with [data] batch = 25, the job has 30",
                   "$DLTRAIN job.ini --set name=batch --resume --set data.batch=30");
}

static void resuming_with_another_optimizer_is_refused(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=optimizer --set steps=3");
    program_expect(78, "was saved with [step] optimizer = adam, the job has rmsprop",
                   "$DLTRAIN job.ini --set name=optimizer --resume "
                   "--set \"step.optimizer=rmsprop(lr=0.001)\"");
}

static void two_runs_do_not_share_a_folder(void **state) {
    (void)state;
    write_job();
    program_expect(74, "runs/busy is in use by another run",
                   "$DLTRAIN job.ini --set name=busy --set steps=100000 > first.log & pid=$!; "
                   "sleep 1; $DLTRAIN job.ini --set name=busy; code=$?; kill -9 $pid; exit $code");
}

/* Of a run that was killed after step 11 and saved after 9 and 6. */
static void begin_and_be_killed(const char *name) {
    program_expect(0, NULL,
                   "rm -rf runs/%s && $DLTRAIN job.ini --set name=%s --set steps=11 "
                   "--set checkpoint.best=false && cp -r runs/%s runs/aside && "
                   "rm -r runs/%s && mv runs/aside runs/%s && cd runs/%s && "
                   "mv last.1.h5 last.h5 && cp last.h5 last.1.h5",
                   name, name, name, name, name, name);
}

/* Whatever has become of the last one, the one before is gone on from, and ends with the same bits;
 * the log has every step once. */
static void a_damaged_checkpoint_is_passed_over(void **state) {
    static const struct {
        const char *damage, *says;
    } cases[] = {
        {"printf x | dd of=last.h5 bs=1 seek=9000 conv=notrunc", "runs/hurt/last.h5: is damaged: "},
        {"truncate -s 30000 last.h5", "runs/hurt/last.h5: is cut off: it has 30000 bytes"},
        {": > last.h5", "runs/hurt/last.h5: is empty; going on after step 9 from runs/hurt/"},
        {"rm last.h5", "runs/hurt/last.h5 is not there; going on after step 9 from runs/hurt/"},
    };

    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=unhurt --set steps=17");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_and_be_killed("hurt");
        program_expect(0, NULL, "cd runs/hurt && %s", cases[i].damage);
        program_expect(0, NULL,
                       "$DLTRAIN job.ini --set name=hurt --set steps=17 --resume > log && "
                       "[ $(grep -c warning log) = 1 ] && grep \"%s\" log && grep \"after step 9 "
                       "from runs/hurt/last.1.h5: the 2 steps up to 11 are done again\" log",
                       cases[i].says);
        expect_equal_runs("unhurt", "hurt");
        program_expect(0, NULL,
                       "[ $(grep -c \"\\\"loss\\\".*lr\" runs/hurt/metrics.jsonl) = 17 ] && "
                       "[ %s -e runs/hurt/last.damaged.h5 ]",
                       i == 3 ? "!" : "");
    }
}

/* Where sums do not depend on ranks, neither they nor threads or who saves change a bit;
 * another instruction set goes on, to other roundings. */
static void it_goes_on_with_other_ranks_threads_and_instructions(void **state) {
    (void)state;
    program_write_job("job.ini", 12, "[dist]\nreduction = reproducible\n");
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=one --set threads=2");
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=moved --set steps=5 --set threads=1");
    program_expect(0, NULL, "rm -rf runs/plain && cp -r runs/moved runs/plain");
    program_expect(0, NULL,
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=moved --resume "
                   "--set dist.allreduce=fold --set checkpoint.on_error=stop");
    expect_equal_runs("one", "moved");
    program_expect(0, NULL, "DLTRAIN_ISA=generic $DLTRAIN job.ini --set name=plain --resume");
}

static void a_new_run_keeps_the_earlier_one(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=twice --set steps=3");
    program_expect(0, NULL, "cp runs/twice/last.h5 first.h5");
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=twice --set steps=4");
    program_expect(0, NULL, "cmp first.h5 runs/twice.1/last.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_ten_times_it_ends_with_the_same_bits),
        cmocka_unit_test(a_signal_saves_and_exits_with_75),
        cmocka_unit_test(a_signal_to_one_rank_stops_all),
        cmocka_unit_test(the_log_has_every_step_once_after_a_resume),
        cmocka_unit_test(resuming_another_network_is_refused),
        cmocka_unit_test(resuming_with_another_batch_is_refused),
        cmocka_unit_test(resuming_with_another_optimizer_is_refused),
        cmocka_unit_test(two_runs_do_not_share_a_folder),
        cmocka_unit_test(a_damaged_checkpoint_is_passed_over),
        cmocka_unit_test(it_goes_on_with_other_ranks_threads_and_instructions),
        cmocka_unit_test(a_new_run_keeps_the_earlier_one),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
