/* ema = DECAY: an average of the weights, which is what is validated and what eval loads. */
#include "cmd/results.h"

/* A constant rate, so that a longer job begins as a shorter one. */
static void write_job(int steps, const char *ema) {
    program_write("ema.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = m\nsteps = %d\n"
                  "[net m(image)]\n"
                  "a  = image | conv(8, 3, stride=2) | relu | maxpool(2)\n"
                  "fc = a | flatten | dropout(0.1) | linear(10)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | random_flip | normalize\nbatch = 25\n[log]\nevery = 1\n"
                  "[step]\noptimizer = sgd(lr=0.2, momentum=0.9)\n%s\n",
                  DLTRAIN_CONFIGS, steps, ema);
}

static struct checkpoint *run_job(const char *command, const char *name, const char *options) {
    program_expect(0, NULL, "%s ema.ini --set name=%s %s", command, name, options);
    return results_open(name, "last.h5");
}

static const char *const names[] = {"m/a.weight", "m/a.bias", "m/fc.weight", "m/fc.bias"};

static const struct checkpoint_tensor *named(const struct checkpoint *ck, const char *group,
                                             const char *name) {
    char path[64];

    snprintf(path, sizeof path, "/%s/%s", group, name);
    return results_tensor(ck, path);
}

/* expected = before + follow (w - before), where w are the weights of `after`. */
static void check_average(const struct checkpoint_tensor *before, const struct checkpoint *after,
                          const char *name, double follow) {
    const struct checkpoint_tensor *w = named(after, "nets", name);
    const struct checkpoint_tensor *average = named(after, "ema", name);
    int differ = 0;

    for (int64_t i = 0; i < shape_len(&w->shape); i++) {
        const double old = (double)before->data[i];
        const double expected = old + follow * ((double)w->data[i] - old);
        assert_true(fabs((double)average->data[i] - expected) < 1e-7);
        differ += fabs((double)w->data[i] - expected) > 1e-5;
    }
    assert_true(differ > 0);
}

/* The decay of update t is min(decay, (1 + t) / (10 + t)): 2/11, then 3/12 or what is said. */
static void averages_follow_the_weights_by_their_formula(void **state) {
    static const struct {
        const char *ema;
        double follow[2];
    } cases[] = {{"ema = 0.9", {9.0 / 11, 0.75}}, {"ema = 0.2", {9.0 / 11, 0.8}}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        write_job(1, cases[i].ema);
        struct checkpoint *begin =
            run_job("$DLTRAIN", "begin", "--set \"step.optimizer=sgd(lr=0)\"");
        struct checkpoint *one = run_job("$DLTRAIN", "one", ""),
                          *two = run_job("$MPIRUN -np 3 $DLTRAIN", "two", "--set steps=2");
        for (int k = 0; k < 4; k++) {
            check_average(named(begin, "nets", names[k]), one, names[k], cases[i].follow[0]);
            check_average(named(one, "ema", names[k]), two, names[k], cases[i].follow[1]);
        }
        checkpoint_close(begin);
        checkpoint_close(one);
        checkpoint_close(two);
    }
}

/* The averaging changes nothing in training. */
static void weights_are_those_of_a_job_without_averages(void **state) {
    (void)state;
    write_job(4, "ema = 0.99");
    struct checkpoint *with = run_job("$DLTRAIN", "with", "");
    write_job(4, "");
    struct checkpoint *without = run_job("$DLTRAIN", "without", "");

    for (int k = 0; k < 4; k++) {
        char path[64];
        snprintf(path, sizeof path, "/nets/%s", names[k]);
        assert_int_equal(results_moved(with, without, path), 0);
    }
    assert_null(checkpoint_find(without, "/ema/m/fc.weight"));
    assert_true(fabs(results_measure("with", "loss") - results_measure("without", "loss")) > 1e-3);
    checkpoint_close(with);
    checkpoint_close(without);
}

/* NAME=NUMBER of eval's last line, which has 4 digits behind the point. */
static double evaluated(const char *command, const char *measure) {
    struct program_run run = program_run("%s", command);
    const char *line = strstr(run.out, "result:");
    char key[32];

    snprintf(key, sizeof key, " %s=", measure);
    const char *at = line ? strstr(line, key) : NULL;
    if (run.code || !at)
        fail_msg("%s\nexit code %d\n%s%s", command, run.code, run.out, run.err);
    const double value = strtod(at + strlen(key), NULL);
    program_release(&run);
    return value;
}

static void validation_and_eval_use_the_average(void **state) {
    (void)state;
    write_job(20, "ema = 0.99\n[validate]\nevery = 4 steps");
    checkpoint_close(run_job("$DLTRAIN", "mean", ""));
    const double last = results_measure("mean", "loss");
    const double loss = evaluated("$DLTRAIN eval ema.ini --weights runs/mean/last.h5", "loss");
    assert_true(fabs(loss - last) < 6e-5);
    json_t *lines = results_log("mean"), *line;
    double best = 0;
    size_t i;
    json_array_foreach(lines, i, line) {
        const json_t *top1 = json_object_get(json_object_get(line, "validate"), "top1");
        best = top1 && json_number_value(top1) > best ? json_number_value(top1) : best;
    }
    json_decref(lines);
    assert_true(best > 0);
    const double top1 =
        evaluated("$MPIRUN -np 3 $DLTRAIN eval ema.ini --weights runs/mean/best.h5", "top1");
    assert_true(fabs(top1 - best) < 6e-5);
}

static void a_resumed_job_goes_on_with_the_same_averages(void **state) {
    (void)state;
    write_job(12, "ema = 0.9");
    checkpoint_close(run_job("$MPIRUN -np 2 $DLTRAIN", "through", ""));
    checkpoint_close(run_job("$MPIRUN -np 2 $DLTRAIN", "pieces", "--set steps=5"));
    checkpoint_close(run_job("$MPIRUN -np 2 $DLTRAIN", "pieces", "--set steps=12 --resume"));
    struct checkpoint *a = results_open("through", "last.h5");
    struct checkpoint *b = results_open("pieces", "last.h5");
    int n;
    const struct checkpoint_tensor *t = checkpoint_tensors(a, &n);
    assert_int_equal(n, 9); /* weights, their averages and the momentum of all */
    for (int i = 0; i < n; i++)
        assert_int_equal(results_moved(a, b, t[i].path), 0);
    checkpoint_close(a);
    checkpoint_close(b);
}

static void averages_that_a_checkpoint_does_not_have_are_refused(void **state) {
    (void)state;
    write_job(2, "");
    checkpoint_close(run_job("$DLTRAIN", "none", ""));
    program_expect(78, "was saved with [step] ema = none, the job has 0.9",
                   "$DLTRAIN ema.ini --set name=none --set steps=4 --resume "
                   "--set step.ema=0.9");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_follow_the_weights_by_their_formula),
        cmocka_unit_test(weights_are_those_of_a_job_without_averages),
        cmocka_unit_test(validation_and_eval_use_the_average),
        cmocka_unit_test(a_resumed_job_goes_on_with_the_same_averages),
        cmocka_unit_test(averages_that_a_checkpoint_does_not_have_are_refused),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
