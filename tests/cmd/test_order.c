/* Orders of samples, and samples that are mixed: the same for any number of ranks, and after a run
 * was interrupted in the middle of an epoch. */
#include "cmd/results.h"

#include <math.h>
#include <unistd.h>

enum { STEPS = 24 }; /* of epochs of 10: 240 samples in batches of 25, the last one of 15 */

#define MIXED                                                                                      \
    "--set \"step.loss=cross_entropy(logits, target, smoothing=0.1)\" --set \"data.augment="

static const char *const ways[] = {
    "--set \"data.shuffle=block(7)\" --set data.cache=0",
    "--set \"data.shuffle=block(16, window=3)\" --set data.accumulate=2",
    "--set data.shuffle=none",
    MIXED "image | random_flip | normalize | mixup(0.2)\"",
    MIXED "image | cutmix\" --set \"data.shuffle=block(16)\"",
    MIXED "image | mix(p=0.5)\" --set data.sampling=balanced --set data.accumulate=3",
};

enum { N_WAYS = sizeof ways / sizeof *ways };

/* The losses of a run; *validated is the last loss of validation. */
static void read_losses(const char *name, double *losses, double *validated) {
    json_t *validation = results_validation(name);

    *validated = json_number_value(json_object_get(validation, "loss"));
    json_decref(validation);
    assert_int_equal(results_numbers(name, "loss", losses, NULL, STEPS), STEPS);
}

static void ranks_do_not_change_orders_and_mixes(void **state) {
    double one[N_WAYS][STEPS], many[STEPS], validated[2];
    char name[32];

    (void)state;
    program_write_job("order.ini", STEPS, "");
    for (int w = 0; w < N_WAYS; w++)
        for (int ranks = 1; ranks <= 4; ranks++) {
            snprintf(name, sizeof name, "way%d_%d", w, ranks);
            program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN order.ini --set name=%s %s", ranks,
                           name, ways[w]);
            read_losses(name, ranks == 1 ? one[w] : many, &validated[ranks > 1]);
            for (int i = 0; ranks > 1 && i < STEPS; i++)
                if (!(fabs(one[w][i] - many[i]) <= 1e-5 * fabs(one[w][i])))
                    fail_msg("%s: %d ranks: loss of step %d is %.9g, on one rank %.9g", ways[w],
                             ranks, i + 1, many[i], one[w][i]);
            assert_true(ranks == 1 || fabs(validated[1] - validated[0]) < 1e-5);
        }
    for (int a = 0; a < N_WAYS; a++) /* none is without effect */
        for (int b = 0; b < a; b++)
            assert_true(fabs(one[a][STEPS - 1] - one[b][STEPS - 1]) > 1e-6);
}

/* Interrupted after 4 steps, and after 13, which are the third of the second epoch. */
static void interrupted_runs_go_on_to_the_same_bits(void **state) {
    (void)state;
    program_write_job("again.ini", STEPS, "");
    for (int w = 0; w < N_WAYS; w++) {
        const char *go = "$MPIRUN -np 2 $DLTRAIN again.ini --set \"step.optimizer=adam(lr=1e-3)\"";

        program_expect(0, NULL, "%s --set name=whole%d %s", go, w, ways[w]);
        program_expect(0, NULL, "%s --set name=cut%d --set steps=4 %s", go, w, ways[w]);
        program_expect(0, NULL, "%s --set name=cut%d --set steps=13 --resume %s", go, w, ways[w]);
        program_expect(0, NULL, "%s --set name=cut%d --resume %s", go, w, ways[w]);
        program_expect(0, NULL, "$SAME runs/whole%d/last.h5 runs/cut%d/last.h5", w, w);
    }
}

/* Saved every 20 steps, which is where no epoch of 8 ends, and killed some steps later. */
static void a_killed_run_goes_on_in_the_middle_of_its_epoch(void **state) {
    static const char set[] =
        "--set data.batch=30 --set steps=400 --set \"checkpoint.last=20 steps\" "
        "--set \"validate.every=never\" " MIXED "image | random_flip | mix\" "
        "--set \"data.shuffle=block(16)\"";
    char name[32];

    (void)state;
    snprintf(name, sizeof name, "victim%d", (int)getpid());
    program_write_job("kill.ini", STEPS, "");
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN kill.ini --set name=through %s", set);
    struct program_run run =
        program_run("$MPIRUN -np 2 $DLTRAIN kill.ini --set name=%s %s & pid=$!;"
                    "until [ -f runs/%s/last.h5 ] && [ $(wc -l <runs/%s/metrics.jsonl) -gt 30 ];"
                    "do kill -0 $pid || exit 3; sleep 0.02; done;"
                    "kill -9 $(pgrep -ax dltrain | grep \"name=%s \" | cut -d\" \" -f1);"
                    "echo killed; wait $pid",
                    name, set, name, name, name);
    if (!strstr(run.out, "killed\n") || strstr(run.out, "results are in"))
        fail_msg("the run was not killed: exit code %d\n%s%s", run.code, run.out, run.err);
    program_release(&run);
    run = program_run("$MPIRUN -np 2 $DLTRAIN kill.ini --set name=%s %s --resume", name, set);
    const char *at = strstr(run.out, "going on after step ");
    assert_int_equal(run.code, 0);
    assert_non_null(at);
    assert_int_equal(atoi(at + strlen("going on after step ")) % 20, 0);
    program_release(&run);
    program_expect(0, NULL, "$SAME runs/through/last.h5 runs/%s/last.h5", name);
}

static void another_order_is_said_on_resuming(void **state) {
    (void)state;
    program_write_job("other.ini", STEPS, "");
    program_expect(0, NULL, "$DLTRAIN other.ini --set steps=4");
    struct program_run run = program_run(
        "$DLTRAIN other.ini --set steps=5 --resume --set \"data.shuffle=block(16)\" 2>&1");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, "resuming: [data] shuffle was full, is block(16)"));
    assert_non_null(strstr(run.out, "resuming in the middle of an epoch in another order: "));
    program_release(&run);
    program_expect(0, NULL, "$DLTRAIN other.ini --set name=whole --set steps=10");
    run = program_run("$DLTRAIN other.ini --set name=whole --set steps=12 --resume "
                      "--set data.shuffle=none 2>&1");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, "resuming: [data] shuffle was full, is none"));
    assert_null(strstr(run.out, "in the middle of an epoch"));
    program_release(&run);
}

/* Half a cat is no cat. */
static void mixed_samples_under_one_label_are_warned_of(void **state) {
    static const char warning[] = "augment mixes samples of several classes, and no [step] reads";

    (void)state;
    program_write_job("mixed.ini", 2, "");
    struct program_run run = program_run(
        "$MPIRUN -np 2 $DLTRAIN mixed.ini --set \"data.augment=image | normalize | mix\" 2>&1");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, warning));
    program_release(&run);
    run = program_run("$DLTRAIN mixed.ini " MIXED "image | normalize | mix\" 2>&1");
    assert_int_equal(run.code, 0);
    assert_null(strstr(run.out, warning));
    program_release(&run);
}

/* Without data the job says what a target is, as it says of any field. */
static void the_target_is_a_field_as_others(void **state) {
    (void)state;
    program_write_job("field.ini", STEPS, "");
    program_expect(
        0, NULL,
        "$DLTRAIN show field.ini --set data.train=nowhere.h5 --set \"data.image=[32, 32, 3]\" "
        "--set \"data.fields=target 10\" --set model=\"small(classes=10)\" " MIXED
        "image | mixup\"");
    program_expect(78,
                   "fields: says that target is 7 numbers, but with shapes.h5:train and augment "
                   "it is 10 numbers",
                   "$DLTRAIN field.ini --set \"data.fields=target 7\" " MIXED "image | mixup\"");
    program_expect(78,
                   "cross_entropy: logits are 25x7 and targets 25x10, expected class indices or "
                   "a share for each class",
                   "$DLTRAIN field.ini --set model=\"small(classes=7)\" " MIXED "image | mixup\"");
    program_expect(78, "'target'",
                   "$DLTRAIN field.ini "
                   "--set \"step.loss=cross_entropy(logits, target)\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_do_not_change_orders_and_mixes),
        cmocka_unit_test(interrupted_runs_go_on_to_the_same_bits),
        cmocka_unit_test(a_killed_run_goes_on_in_the_middle_of_its_epoch),
        cmocka_unit_test(another_order_is_said_on_resuming),
        cmocka_unit_test(mixed_samples_under_one_label_are_warned_of),
        cmocka_unit_test(the_target_is_a_field_as_others),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
