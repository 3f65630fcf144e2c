/* What a run writes for others to look at, on one rank and on several, at once and after a resume.
 */
#include "cmd/results.h"

#include <unistd.h>

enum { STEPS = 12, MAX_RANKS = 4 };

static void write_job(void) {
    program_write("job.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = d\nsteps = %d\n"
                  "[net d(image)]\n"
                  "a = image | conv(16, 3, stride=2) | bn | relu | dropout(0.2)\n"
                  "b = a | conv(16, 3, stride=2) | bn | relu\n"
                  "fc = b | global_avgpool | linear(10)\n"
                  "[step]\noptimizer = adam(lr=1e-3)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | random_crop(32, pad=2) | random_flip | normalize\n"
                  "batch = 24\n[checkpoint]\nlast = 3 steps\n[log]\nevery = 2\n",
                  DLTRAIN_CONFIGS, STEPS);
}

static void expect_seconds(const json_t *line, const char *key, int ranks) {
    const json_t *list = json_object_get(line, key);

    assert_int_equal(json_array_size(list), ranks);
    for (int i = 0; i < ranks; i++)
        assert_true(json_number_value(json_array_get(list, (size_t)i)) >= 0);
}

/* The steps of lines of a log, and that each is later than the one before. */
static int64_t last_step(json_t *lines) {
    int64_t last = 0;
    json_t *line;
    size_t i;

    json_array_foreach(lines, i, line) {
        const int64_t step = json_integer_value(json_object_get(line, "step"));
        assert_true(step > last);
        last = step;
    }
    return last;
}

static void ranks_say_what_their_time_goes_into(void **state) {
    (void)state;
    write_job();
    for (int n = 2; n <= MAX_RANKS; n++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", n);
        program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN job.ini --set name=%s", n, name);
        json_t *lines = results_lines(name, "ranks"), *line, *first = json_array_get(lines, 0);
        size_t i;
        assert_int_equal(json_array_size(lines), STEPS / 2);
        assert_int_equal(last_step(lines), STEPS);
        assert_int_equal(json_integer_value(json_object_get(first, "ranks")), n);
        assert_int_equal(json_array_size(json_object_get(first, "hosts")), n);
        json_array_foreach(lines, i, line) {
            expect_seconds(line, "compute_s", n);
            expect_seconds(line, "wait_s", n);
            expect_seconds(line, "data_s", n);
            assert_true(i == 0 || !json_object_get(line, "hosts"));
        }
        assert_true(json_number_value(json_array_get(json_object_get(first, "compute_s"), 0)) > 0);
        json_decref(lines);
    }
}

static void one_rank_has_nobody_to_be_compared_with(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=alone");
    assert_int_equal(access("runs/alone/ranks.jsonl", F_OK), -1);
}

/* The log of ranks ends where the checkpoint does, and goes on from there. */
static void a_run_that_goes_on_has_each_step_of_ranks_once(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=on --set steps=6");
    program_expect(0, NULL,
                   "echo {\\\"step\\\":8,\\\"compute_s\\\":[0]} >> runs/on/ranks.jsonl;"
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=on --resume");
    json_t *lines = results_lines("on", "ranks");
    assert_int_equal(json_array_size(lines), STEPS / 2);
    assert_int_equal(last_step(lines), STEPS);
    assert_non_null(json_object_get(json_array_get(lines, 3), "hosts"));
    json_decref(lines);
}

/* Of what is counted, nothing is counted twice. */
static void shares_of_a_step_are_parts_of_it(void **state) {
    static const char *const keys[] = {"data_share", "forward_share", "backward_share",
                                       "optimizer_share", "other_share"};
    json_t *lines, *line;
    size_t i;

    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=shares");
    lines = results_log("shares");
    json_array_foreach(lines, i, line) {
        double sum = 0;
        if (!json_object_get(line, "loss"))
            continue;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            const double share = json_number_value(json_object_get(line, keys[k]));
            assert_true(share >= 0 && share <= 1);
            sum += share;
        }
        assert_true(sum > 0.9 && sum < 1 + 1e-9); /* the rest is waiting for nobody */
        assert_true(json_number_value(json_object_get(line, "forward_share")) > 0);
        assert_true(json_number_value(json_object_get(line, "time")) > 1.7e9);
    }
    json_decref(lines);
}

/* Ranks, parts of batches, shards, updates that wait: looking changes no bit of any of them. */
static void training_does_not_notice_that_it_is_looked_at(void **state) {
    static const char *const how[] = {"", "data.accumulate=2", "dist.reduction=reproducible",
                                      "step.clip_norm=0.5"};

    (void)state;
    write_job();
    for (int i = 0; i < 4; i++)
        for (int n = i ? 2 : 1; n <= 2; n++) {
            const char *set = how[i][0] ? "--set" : "";
            program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN job.ini --set name=plain %s %s", n,
                           set, how[i]);
            program_expect(0, NULL,
                           "$MPIRUN -np %d $DLTRAIN job.ini --set name=seen %s %s --set "
                           "log.histograms=\"2 steps\"",
                           n, set, how[i]);
            program_expect(0, NULL, "$SAME runs/plain/last.h5 runs/seen/last.h5");
        }
}

/* The tensor of that name and kind in a line of the histograms. */
static const json_t *tensor_of(const json_t *line, const char *name, const char *kind) {
    const json_t *t;
    size_t i;

    json_array_foreach(
        json_object_get(line, "tensors"), i,
        t) if (!strcmp(json_string_value(json_object_get(t, "name")), name) &&
               !strcmp(json_string_value(json_object_get(t, "kind")), kind)) return t;
    fail_msg("no %s of %s", kind, name);
    return NULL;
}

static double number_of(const json_t *line, const char *name, const char *kind, const char *what) {
    return json_number_value(json_object_get(tensor_of(line, name, kind), what));
}

/* What plain descent takes from the weights is the gradient times the learning rate. */
static void gradients_are_what_weights_move_by(void **state) {
    (void)state;
    write_job();
    for (int n = 1; n <= 3; n++) {
        program_expect(0, NULL,
                       "$MPIRUN -np %d $DLTRAIN job.ini --set name=moves --set steps=4 --set "
                       "log.histograms=\"1 step\" --set \"step.optimizer=sgd(lr=0.5, momentum=0, "
                       "weight_decay=0)\"",
                       n);
        json_t *lines = results_lines("moves", "histograms");
        assert_int_equal(json_array_size(lines), 4);
        for (size_t i = 1; i < 4; i++) {
            const json_t *before = json_array_get(lines, i - 1), *line = json_array_get(lines, i);
            const double moved = number_of(before, "conv1.weight", "weight", "mean") -
                                 number_of(line, "conv1.weight", "weight", "mean");
            const double gradient = number_of(line, "conv1.weight", "gradient", "mean");
            assert_true(fabs(moved - 0.5 * gradient) < 1e-7 && fabs(gradient) > 1e-6);
        }
        json_decref(lines);
    }
}

/* With fusion they are computed apart from the step, without in it: the numbers are the same. */
static void activations_are_counted_whole(void **state) {
    static const char *const fusion[] = {"on", "off"};
    double mean[2];

    (void)state;
    write_job();
    for (int f = 0; f < 2; f++) {
        program_expect(0, NULL,
                       "$DLTRAIN job.ini --set name=act --set log.histograms=\"0.5 epochs\" --set "
                       "run.fusion=%s",
                       fusion[f]);
        json_t *lines = results_lines("act", "histograms"), *line = json_array_get(lines, 1);
        const json_t *t = tensor_of(line, "bn1.relu", "activation"), *count;
        json_int_t sum = 0;
        size_t i;
        assert_int_equal(json_array_size(lines), 2); /* 12 steps are 1.2 epochs */
        assert_int_equal(json_integer_value(json_object_get(line, "step")), 10);
        json_array_foreach(json_object_get(t, "counts"), i, count) sum += json_integer_value(count);
        assert_int_equal(sum, 24 * 16 * 16 * 16);
        assert_int_equal(json_integer_value(json_object_get(t, "n")), sum);
        assert_true(json_is_number(json_object_get(t, "dead")));
        assert_true(json_number_value(json_object_get(t, "zeros")) > 0.1);
        assert_null(json_object_get(tensor_of(line, "bn1", "activation"), "dead"));
        assert_true(fabs(number_of(line, "bn1", "activation", "std") - 1) < 0.05);
        mean[f] = number_of(line, "bn2.relu", "activation", "mean");
        json_decref(lines);
    }
    assert_true(fabs(mean[0] - mean[1]) < 1e-3 * fabs(mean[0])); /* dropout drew the same */
}

static void a_run_that_goes_on_has_each_histogram_once(void **state) {
    (void)state;
    write_job();
    program_expect(
        0, NULL, "$DLTRAIN job.ini --set name=hist --set log.histograms=\"2 steps\" --set steps=7");
    program_expect(0, NULL,
                   "echo {\\\"step\\\":8,\\\"tensors\\\":[]} >> runs/hist/histograms.jsonl;"
                   "$DLTRAIN job.ini --set name=hist --set log.histograms=\"2 steps\" --resume");
    json_t *lines = results_lines("hist", "histograms");
    assert_int_equal(json_array_size(lines), STEPS / 2);
    assert_int_equal(last_step(lines), STEPS);
    json_decref(lines);
}

/* By a reader that shares nothing with the writer. */
static void expect_tensorboard(const char *name, const char *expected) {
    struct program_run run =
        program_run("python3 $CONFIGS/../tests/support/read_tfevents.py runs/%s", name);

    if (run.code || strcmp(run.out, expected))
        fail_msg("exit code %d, found '%s', expected '%s'\n%s", run.code, run.out, expected,
                 run.err);
    program_release(&run);
}

#define TENSORBOARD                                                                                \
    "--set log.tensorboard=on --set log.histograms=\"4 steps\" --set "                             \
    "validate.every=\"5 steps\""

static void write_job_with_pictures(void) {
    char *text;

    write_job();
    text = program_read("job.ini");
    program_write("job.ini", "%s[picture seen]\nshow = image\ncount = 4\n", text);
    free(text);
}

/* Losses and the like every 2 of 12 steps, measures and pictures at 5, 10 and 12, histograms at 4,
 * 8 and 12: of 8 weights, as many gradients, 7 activations. */
static void tensorboard_holds_what_the_logs_say(void **state) {
    (void)state;
    write_job_with_pictures();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=tb " TENSORBOARD);
    expect_tensorboard("tb", "24 scalars 69 histograms 3 images 1 texts in 1 files\n");
}

/* Killed after step 8, with 6 saved: what came after 6 does not count. */
static void tensorboard_forgets_what_is_done_again(void **state) {
    (void)state;
    write_job_with_pictures();
    program_expect(0, NULL,
                   "$DLTRAIN job.ini --set name=again " TENSORBOARD " --set steps=6 && "
                   "cp runs/again/last.h5 six.h5");
    program_expect(0, NULL,
                   "sleep 1; $DLTRAIN job.ini --set name=again " TENSORBOARD
                   " --set steps=8 --resume && mv six.h5 runs/again/last.h5 && rm "
                   "runs/again/pictures/*08.png");
    program_expect(0, NULL, "sleep 1; $DLTRAIN job.ini --set name=again " TENSORBOARD " --resume");
    expect_tensorboard("again", "26 scalars 69 histograms 4 images 2 texts in 3 files\n");
}

/* 12 steps of 10 an epoch, measured after 5, 10 and 12. */
static void mlperf_lines_come_in_the_order_of_the_rules(void **state) {
    static const char expected[] =
        "cache_clear init_start submission_benchmark submission_org submission_division "
        "submission_status submission_platform global_batch_size gradient_accumulation_steps seed "
        "train_samples eval_samples opt_name opt_base_learning_rate "
        "opt_learning_rate_warmup_epochs adam_opt_beta1 adam_opt_beta2 adam_opt_eps "
        "adam_opt_weight_decay adam_opt_l1 init_stop run_start "
        "block_start epoch_start block_stop eval_start eval_accuracy eval_stop "
        "block_start epoch_stop block_stop eval_start eval_accuracy eval_stop "
        "block_start epoch_start block_stop eval_start eval_accuracy eval_stop run_stop ";
    char keys[2048] = "";
    int64_t last = 0;

    (void)state;
    write_job();
    program_expect(0, NULL,
                   "$MPIRUN -np 2 $DLTRAIN job.ini --set name=perf --set log.mlperf=on --set "
                   "validate.every=\"5 steps\"");
    char *text = program_read("runs/perf/mlperf.log");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_int_equal(strncmp(line, ":::MLLOG {", 10), 0);
        json_t *object = json_loads(line + 9, 0, NULL);
        const json_t *metadata = json_object_get(object, "metadata");
        const char *key = json_string_value(json_object_get(object, "key"));
        const int64_t time = json_integer_value(json_object_get(object, "time_ms"));
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s ", key);
        assert_true(time >= last);
        last = time;
        assert_true(json_is_string(json_object_get(metadata, "file")));
        if (!strcmp(key, "run_stop"))
            assert_string_equal(json_string_value(json_object_get(metadata, "status")), "success");
        if (!strcmp(key, "train_samples"))
            assert_int_equal(json_integer_value(json_object_get(object, "value")), 240);
        json_decref(object);
    }
    free(text);
    assert_string_equal(keys, expected);
}

/* Stopped after 6 of 12 steps by its length, the second process says all anew. */
static void mlperf_lines_of_a_run_that_goes_on_follow_those_before(void **state) {
    struct program_run run;

    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=more --set log.mlperf=on --set steps=6");
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=more --set log.mlperf=on --resume");
    run = program_run("grep -c -E \"init_start|run_stop\" runs/more/mlperf.log");
    assert_string_equal(run.out, "4\n");
    program_release(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_say_what_their_time_goes_into),
        cmocka_unit_test(one_rank_has_nobody_to_be_compared_with),
        cmocka_unit_test(a_run_that_goes_on_has_each_step_of_ranks_once),
        cmocka_unit_test(shares_of_a_step_are_parts_of_it),
        cmocka_unit_test(training_does_not_notice_that_it_is_looked_at),
        cmocka_unit_test(gradients_are_what_weights_move_by),
        cmocka_unit_test(activations_are_counted_whole),
        cmocka_unit_test(a_run_that_goes_on_has_each_histogram_once),
        cmocka_unit_test(tensorboard_holds_what_the_logs_say),
        cmocka_unit_test(tensorboard_forgets_what_is_done_again),
        cmocka_unit_test(mlperf_lines_come_in_the_order_of_the_rules),
        cmocka_unit_test(mlperf_lines_of_a_run_that_goes_on_follow_those_before),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
