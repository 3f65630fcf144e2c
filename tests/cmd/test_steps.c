/* What the keys of [step], and accumulate and fields of [data], do to a run. */
#include "cmd/results.h"

enum { STEPS = 12 };

/* Losses of a run of `job` under the name, STEPS of them. */
static void run_losses(const char *command, const char *name, double losses[STEPS]) {
    program_expect(0, NULL, "%s --set name=%s", command, name);
    assert_int_equal(results_numbers(name, "loss", losses, NULL, STEPS), STEPS);
}

static void check_equal_losses(const double *expected, const double *found, const char *what) {
    for (int i = 0; i < STEPS; i++)
        if (!(fabs(found[i] - expected[i]) <= 1e-5 * fabs(expected[i])))
            fail_msg("%s: loss of step %d is %.9g, expected %.9g", what, i + 1, found[i],
                     expected[i]);
}

/* Noise and dropout are the same draws however the batch is cut. Batches of 25 and 15, in parts of
 * 7, 4, 3 and on 3 ranks of 1 or 2 samples. */
static void parts_of_a_batch_give_the_losses_of_the_whole(void **state) {
    double expected[STEPS], losses[STEPS];
    char command[160];

    (void)state;
    program_write("parts.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = noisy\nsteps = %d\n"
                  "[let]\nlr = 0.05\n"
                  "[net noisy(image)]\n"
                  "a  = image + 0.1 * noise([32, 32, 3]) | conv(8, 3, stride=2) | relu\n"
                  "b  = a | dropout(0.3) | conv(8, 3, stride=2) | relu | maxpool(2)\n"
                  "fc = b | flatten | dropout(0.2) | linear(10)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | random_flip | normalize\nbatch = 25\n[log]\nevery = 1\n",
                  DLTRAIN_CONFIGS, STEPS);
    run_losses("$DLTRAIN parts.ini --set threads=1", "whole", expected);
    assert_true(fabs(expected[STEPS - 1] - expected[0]) > 0.01);
    for (int ranks = 1; ranks <= 3; ranks++) {
        snprintf(command, sizeof command,
                 "$MPIRUN -np %d $DLTRAIN parts.ini --set data.accumulate=4", ranks);
        run_losses(command, "parts", losses);
        check_equal_losses(expected, losses, command);
    }
    run_losses("$DLTRAIN parts.ini --set data.accumulate=25", "singles", losses);
    check_equal_losses(expected, losses, "25 parts");
    run_losses("$MPIRUN -np 3 $DLTRAIN parts.ini --set data.batch=13", "thirteen", expected);
    run_losses("$MPIRUN -np 3 $DLTRAIN parts.ini --set data.batch=13 --set data.accumulate=3",
               "unequal",
               losses); /* 4, 4 and 5 samples, at most 2 at a time: some parts are empty */
    check_equal_losses(expected, losses, "parts without samples");
}

/* Of 5 samples on 3 ranks in 4 parts each, most parts are empty. */
static void a_batch_smaller_than_its_parts_works(void **state) {
    double expected[STEPS], losses[STEPS];

    (void)state;
    program_write_job("small.ini", STEPS, "");
    run_losses("$DLTRAIN small.ini --set data.batch=5", "five", expected);
    run_losses("$MPIRUN -np 3 $DLTRAIN small.ini --set data.batch=5 --set data.accumulate=4",
               "parts_of_five", losses);
    check_equal_losses(expected, losses, "12 parts of 5");
    run_losses("$MPIRUN -np 3 $DLTRAIN small.ini --set data.batch=2 --set data.accumulate=2",
               "rank_without", losses);
    run_losses("$DLTRAIN small.ini --set data.batch=2", "two", expected);
    check_equal_losses(expected, losses, "6 parts of 2");
}

/* An answer that the student does not know does not count; how often it comes differs by rank. */
static void labels_may_come_from_another_net(void **state) {
    double expected[STEPS], losses[STEPS];
    char command[120];

    (void)state;
    program_write("teach.ini",
                  "[job]\nmodel = m\nsteps = %d\n"
                  "[net m(image)]\nfc = image | avgpool(8) | flatten | linear(10)\n"
                  "[net teacher(image)]\nfc = image | avgpool(8) | flatten | linear(11)\n"
                  "[step]\nlogits = m(image)\ntrain = m\noptimizer = sgd(lr=0.1)\n"
                  "loss = cross_entropy(logits, argmax(teacher(image)), ignore=10) + "
                  "0.1 * cross_entropy(logits, label)\n"
                  "[data]\ntrain = shapes.h5:train\nbatch = 25\n"
                  "augment = image | random_flip | normalize\n[log]\nevery = 1\n",
                  STEPS);
    run_losses("$DLTRAIN teach.ini", "taught", expected);
    assert_true(expected[STEPS - 1] < expected[0]);
    for (int ranks = 2; ranks <= 4; ranks++) {
        snprintf(command, sizeof command, "$MPIRUN -np %d $DLTRAIN teach.ini", ranks);
        run_losses(command, "taught_by_ranks", losses);
        check_equal_losses(expected, losses, command);
    }
    program_expect(78, "cross_entropy: its labels are computed, and a batch in several parts",
                   "$DLTRAIN teach.ini --set data.accumulate=2");
}

/* A job with batch norm and a constant rate, so that its length does not matter. */
static void write_plain(const char *file, const char *step) {
    program_write(file,
                  "[job]\ninclude = %s/classify.ini\nmodel = m\nsteps = 1\n"
                  "[block unit(x, width)]\n"
                  "y = x | conv(width, 3, stride=2) | bn | relu | dropout(0.1)\n"
                  "[net m(image)]\n"
                  "front = image | unit(8)\n"
                  "back  = front | unit(16)\n"
                  "fc    = back | global_avgpool | linear(10)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                  "augment = image | normalize\nbatch = 25\n[log]\nevery = 1\n"
                  "[step]\n%s",
                  DLTRAIN_CONFIGS, step);
}

static struct checkpoint *run_to(const char *command, const char *name, const char *options) {
    program_expect(0, NULL, "%s plain.ini --set name=%s %s", command, name, options);
    return results_open(name, "last.h5");
}

static const char *const all_weights[] = {"/nets/m/front.conv1.weight",
                                          "/nets/m/front.bn1.weight",
                                          "/nets/m/front.bn1.bias",
                                          "/nets/m/back.conv1.weight",
                                          "/nets/m/back.bn1.weight",
                                          "/nets/m/back.bn1.bias",
                                          "/nets/m/fc.weight",
                                          "/nets/m/fc.bias",
                                          "/nets/m/front.bn1.running_mean",
                                          "/nets/m/back.bn1.running_mean",
                                          "/nets/m/front.bn1.running_var",
                                          "/nets/m/back.bn1.running_var"};

enum { N_ALL = sizeof all_weights / sizeof *all_weights, N_WEIGHTS = 8 };

static void rates_are_scaled_part_by_part(void **state) {
    (void)state;
    write_plain("plain.ini", "optimizer = sgd(lr=0.1)\nlr_scale = m 1\n");
    struct checkpoint *begin = run_to("$DLTRAIN", "begin", "--set \"step.optimizer=sgd(lr=0)\"");
    struct checkpoint *once = run_to("$DLTRAIN", "once", "");
    struct checkpoint *scaled =
        run_to("$DLTRAIN", "scaled", "--set \"step.lr_scale=m.fc 2, model.front 0\"");

    for (int i = 0; i < N_WEIGHTS; i++) {
        const char *path = all_weights[i];
        assert_true(results_moved(begin, once, path) > 0);
        if (strstr(path, "front"))
            assert_int_equal(results_moved(begin, scaled, path), 0);
        else if (strstr(path, "back"))
            assert_int_equal(results_moved(once, scaled, path), 0);
        const float *w0 = results_tensor(begin, path)->data;
        const float *w1 = results_tensor(once, path)->data;
        const float *w2 = results_tensor(scaled, path)->data;
        const int64_t len = shape_len(&results_tensor(begin, path)->shape);
        for (int64_t k = 0; strstr(path, "fc") && k < len; k++)
            assert_true(fabsf((w2[k] - w0[k]) - 2 * (w1[k] - w0[k])) < 1e-6f);
    }
    checkpoint_close(begin);
    checkpoint_close(once);
    checkpoint_close(scaled);
}

/* Neither momentum nor weight decay moves it, nor do its running statistics: 0 and 1. */
static void a_frozen_part_stays_to_the_bit(void **state) {
    (void)state;
    write_plain("plain.ini",
                "optimizer = sgd(lr=0.1, momentum=0.9, weight_decay=0.01)\nfreeze = model.front\n"
                "clip_norm = 1\nema = 0.9\n");
    struct checkpoint *begin = run_to("$DLTRAIN", "begin", "--set \"step.optimizer=sgd(lr=0)\"");
    struct checkpoint *end = run_to("$MPIRUN -np 2 $DLTRAIN", "end", "--set steps=5");

    for (int i = 0; i < N_WEIGHTS; i++) {
        const int moved = results_moved(begin, end, all_weights[i]);
        if (strstr(all_weights[i], "front") ? moved != 0 : moved == 0)
            fail_msg("%d numbers of %s have moved", moved, all_weights[i]);
    }
    for (int i = N_WEIGHTS; i < N_ALL; i++) {
        const struct checkpoint_tensor *t = results_tensor(end, all_weights[i]);
        int moved = 0;
        for (int64_t k = 0; k < shape_len(&t->shape); k++)
            moved += t->data[k] != (strstr(all_weights[i], "var") ? 1.0f : 0.0f);
        if (strstr(all_weights[i], "front") ? moved != 0 : moved == 0)
            fail_msg("%d numbers of %s have moved", moved, all_weights[i]);
    }
    const float *average = results_tensor(end, "/ema/m/front.conv1.weight")->data;
    assert_memory_equal(average, results_tensor(begin, all_weights[0])->data, 3 * 3 * 3 * 8 * 4);
    checkpoint_close(begin);
    checkpoint_close(end);
}

static void weights_stay_within_their_bounds(void **state) {
    (void)state;
    write_plain("plain.ini", "optimizer = sgd(lr=0.1)\nclip_weights = 0.01\n");
    struct checkpoint *ck = run_to("$DLTRAIN", "bounded", "--set steps=3");
    int at_bound = 0;

    for (int i = 0; i < N_WEIGHTS; i++) {
        const struct checkpoint_tensor *t = results_tensor(ck, all_weights[i]);
        for (int64_t k = 0; k < shape_len(&t->shape); k++) {
            assert_true(fabsf(t->data[k]) <= 0.01f);
            at_bound += fabsf(t->data[k]) == 0.01f;
        }
    }
    assert_true(at_bound > 100); /* most began beyond it */
    checkpoint_close(ck);
}

/* With a line every 4 steps and after the last: b, which ran at 1, 4, 7, 10, gives the last three.
 */
static void check_sparse_log(void) {
    double all[10], some[10];
    int64_t at[10];

    program_expect(0, NULL, "$DLTRAIN turns.ini --set name=sparse --set log.every=4");
    assert_int_equal(results_numbers("turns", "b.loss", all, NULL, 10), 4);
    assert_int_equal(results_numbers("sparse", "b.loss", some, at, 10), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(at[i], i < 2 ? 4 * (i + 1) : 10);
        assert_true(fabs(some[i] - all[i + 1]) < 1e-5 * all[i + 1]);
    }
}

/* Statements of a job, each in its own turn: the first step of all, then every so many. */
static void steps_run_in_their_turn(void **state) {
    static const struct {
        const char *key;
        int every;
    } steps[] = {{"a.loss", 1}, {"b.loss", 3}, {"c.loss", 4}};
    double losses[10];
    int64_t at[10];

    (void)state;
    program_write("turns.ini",
                  "[job]\nmodel = m\nsteps = 10\n"
                  "[net m(image)]\nfc = image | flatten | linear(10)\n"
                  "[net other(image)]\nfc = image | flatten | linear(10)\n"
                  "[step a]\nloss = cross_entropy(m(image), label)\ntrain = m\n"
                  "optimizer = adam(lr=0.001)\n"
                  "[step b]\nloss = cross_entropy(other(image), label)\ntrain = other\n"
                  "optimizer = adam(lr=0.001)\nevery = 3\nema = 0.5\n"
                  "[step c]\nloss = mse(m(image), 0)\ntrain = m\n"
                  "optimizer = sgd(lr=0.001)\nevery = 4\n"
                  "[data]\ntrain = shapes.h5:train\naugment = image | normalize\nbatch = 20\n"
                  "[log]\nevery = 1\n");
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN turns.ini");
    for (int i = 0; i < 3; i++) {
        const int n = results_numbers("turns", steps[i].key, losses, at, 10);
        assert_int_equal(n, (10 + steps[i].every - 1) / steps[i].every);
        for (int k = 0; k < n; k++)
            assert_int_equal(at[k], 1 + k * steps[i].every);
    }
    check_sparse_log();
    struct checkpoint *ck = results_open("turns", "last.h5");
    json_t *meta = json_loads(checkpoint_meta(ck), 0, NULL);
    char *updates = json_dumps(json_object_get(meta, "updates"), JSON_COMPACT);
    assert_string_equal(updates, "[10,4,3]");
    assert_null(checkpoint_find(ck, "/ema/m/fc.weight"));
    assert_non_null(checkpoint_find(ck, "/ema/other/fc.weight"));
    free(updates);
    json_decref(meta);
    checkpoint_close(ck);
}

static void what_names_nothing_or_is_out_of_range_is_refused(void **state) {
    (void)state;
    write_plain("plain.ini", "optimizer = sgd(lr=0.1)\n");
    program_expect(78, "lr_scale: found nothing behind 'm.fc', expected a number from 0 to 1e9",
                   "$DLTRAIN plain.ini --set step.lr_scale=m.fc");
    program_expect(78, "the loss does not depend on what is not frozen of net m",
                   "$DLTRAIN plain.ini --set step.freeze=model");
    program_expect(78, "ema is 1, expected a number from 0 to 0.999999",
                   "$DLTRAIN plain.ini --set step.ema=1");
    program_expect(78, "accumulate is 0", "$DLTRAIN plain.ini --set data.accumulate=0");
}

static void expect_text(const char *command, const char *text) {
    struct program_run run = program_run("%s", command);

    if (run.code || !strstr(run.out, text))
        fail_msg("%s\nexit code %d, no '%s' in\n%s%s", command, run.code, text, run.out, run.err);
    program_release(&run);
}

/* A mask beside the image, and numbers without any image. */
static void fields_of_the_job_stand_for_those_of_data(void **state) {
    (void)state;
    program_write("masks.ini",
                  "[job]\nmodel = m\n[net m(image)]\nout = image | conv(5, 1)\n"
                  "[step]\nloss = cross_entropy(m(image), mask, weights=balanced) + mse(b, image)\n"
                  "train = m\noptimizer = sgd(lr=0.1)\n"
                  "[data]\nbatch = 4\naccumulate = 2\nimage = [8, 6, 3]\n"
                  "fields = mask 8x6, b 8x6x3\n");
    expect_text("$DLTRAIN show masks.ini", "net m: 20 parameters");
    expect_text("$DLTRAIN show masks.ini", "(2 samples at a time)");
    expect_text("$MPIRUN -np 2 $DLTRAIN bench masks.ini --steps 2", "bench: model=m ranks=2");
    program_write("numbers.ini",
                  "[job]\n[net m(x)]\nfc = x | linear(3)\n"
                  "[step]\nloss = cross_entropy(m(x), kind)\ntrain = m\n"
                  "optimizer = sgd(lr=0.1)\n[data]\nbatch = 4\nfields = x 7, kind\n");
    expect_text("$DLTRAIN show numbers.ini", "net m: 24 parameters");
    expect_text("$DLTRAIN bench numbers.ini --steps 2", "bench: model=m");
    program_expect(78, "label",
                   "$DLTRAIN show numbers.ini "
                   "--set \"step.loss=cross_entropy(m(x), label)\"");
}

/* Its parts are finite: only the factor makes it infinite, before any weight moves. */
static void an_infinite_loss_ends_the_job_in_its_step(void **state) {
    (void)state;
    program_write_job("huge.ini", 3, "[step]\nloss = 1e39 * cross_entropy(logits, label)\n");
    program_expect(65, "step 1: the loss is infinite, though its parts are finite",
                   "$MPIRUN -np 2 $DLTRAIN huge.ini");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_batch_give_the_losses_of_the_whole),
        cmocka_unit_test(a_batch_smaller_than_its_parts_works),
        cmocka_unit_test(labels_may_come_from_another_net),
        cmocka_unit_test(rates_are_scaled_part_by_part),
        cmocka_unit_test(a_frozen_part_stays_to_the_bit),
        cmocka_unit_test(weights_stay_within_their_bounds),
        cmocka_unit_test(steps_run_in_their_turn),
        cmocka_unit_test(fields_of_the_job_stand_for_those_of_data),
        cmocka_unit_test(an_infinite_loss_ends_the_job_in_its_step),
        cmocka_unit_test(what_names_nothing_or_is_out_of_range_is_refused),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
