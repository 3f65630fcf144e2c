/* The samples with the largest loss, and what is made of each class, on any number of ranks. */
#include "cmd/measured.h"
#include "cmd/printed.h"

#include <unistd.h>

enum { KEPT = 6 };

static int setup(void **state) {
    if (program_setup(state))
        return -1;
    measured_write();
    program_write("measured.ini",
                  "[job]\nsteps = 2\n[net dummy(image)]\ny = image | conv(1, 1)\n"
                  "[data]\ntrain = measured.h5:test\nvalidate = measured.h5:test\nbatch = 30\n"
                  "[step]\nloss = mse(dummy(image), image)\ntrain = dummy\n"
                  "optimizer = sgd(lr=0.001)\n"
                  "[validate]\nbatch = 37\ntop1 = accuracy(scores, label)\n"
                  "loss = cross_entropy(scores, label)\n");
    program_expect(0, NULL, "$DLTRAIN measured.ini --set log.worst=6");
    return 0;
}

static json_t *json_of(const char *path) {
    char *text = program_read(path);
    json_t *root = json_loads(text, 0, NULL);

    if (!root)
        fail_msg("%s is no JSON:\n%s", path, text);
    free(text);
    return root;
}

static double number_at(const json_t *object, const char *key) {
    const json_t *v = json_object_get(object, key);

    if (!json_is_number(v))
        fail_msg("there is no number %s", key);
    return json_number_value(v);
}

static void check_sample(const json_t *s, const double golden[6]) {
    static const char *const keys[] = {"index", "label", "guess", "loss", "p", "p_label"};
    static const char *const classes[] = {"ant", "bee", "cow"};

    for (int k = 0; k < 6; k++)
        if (!(fabs(number_at(s, keys[k]) - golden[k]) < 1e-5))
            fail_msg("%s is %.9f, expected %.9f", keys[k], number_at(s, keys[k]), golden[k]);
    assert_string_equal(json_string_value(json_object_get(s, "label_name")),
                        classes[(int)golden[1]]);
    assert_string_equal(json_string_value(json_object_get(s, "guess_name")),
                        classes[(int)golden[2]]);
}

static void the_worst_come_first(void **state) {
    json_t *root = json_of("runs/measured/worst.json");
    const json_t *samples = json_object_get(root, "samples");
    char path[128];

    (void)state;
    assert_int_equal(json_array_size(samples), KEPT);
    assert_true(number_at(root, "step") == 2);
    for (size_t i = 0; i < KEPT; i++) {
        const json_t *s = json_array_get(samples, i);
        check_sample(s, golden_worst[i]);
        snprintf(path, sizeof path, "runs/measured/%s",
                 json_string_value(json_object_get(s, "picture")));
        assert_int_equal(access(path, R_OK), 0);
    }
    json_decref(root);
}

/* Data of the validation is found by its place, whatever rank has read it. */
static void ranks_find_the_same(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 4; ranks++)
        program_expect(0, NULL,
                       "rm -rf wrong; $MPIRUN -np %d $DLTRAIN eval runs/measured --worst 6 "
                       "-o wrong > out && cmp wrong/worst.json runs/measured/worst.json && "
                       "cmp wrong/worst/0006.png runs/measured/worst/0006.png",
                       ranks);
}

static void shards_find_the_same(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$MPIRUN -np 2 $DLTRAIN measured.ini --set name=shards --set log.worst=6 "
                   "--set dist.reduction=reproducible && "
                   "cmp runs/shards/worst.json runs/measured/worst.json");
}

static void measures_do_not_depend_on_it(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN measured.ini --set name=none --set log.worst=0 && "
                   "! test -e runs/none/worst.json && ! test -e runs/none/worst && "
                   "grep validate runs/none/metrics.jsonl > a; "
                   "grep validate runs/measured/metrics.jsonl | cmp a -");
}

/* 16 of a classifier; none of what classifies nothing, where it may be asked for. */
static void a_job_need_not_say_it(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN measured.ini --set name=usual && "
                   "test $(ls runs/usual/worst | wc -l) = 16");
    program_write("values.ini",
                  "[job]\nsteps = 1\n[net dummy(image)]\ny = image | conv(1, 1)\n"
                  "[data]\ntrain = measured.h5:test\nvalidate = measured.h5:test\nbatch = 30\n"
                  "[step]\nloss = mse(dummy(image), image)\ntrain = dummy\n"
                  "optimizer = sgd(lr=0.001)\n[validate]\nloss = mse(dummy(image), image)\n");
    program_expect(0, NULL, "$DLTRAIN values.ini && ! test -e runs/values/worst.json");
    program_expect(0, NULL, "$DLTRAIN values.ini --set log.worst=3");
    json_t *root = json_of("runs/values/worst.json");
    const json_t *samples = json_object_get(root, "samples");
    assert_int_equal(json_array_size(samples), 3);
    assert_null(json_object_get(json_array_get(samples, 0), "label"));
    assert_true(number_at(json_array_get(samples, 0), "loss") >=
                number_at(json_array_get(samples, 2), "loss"));
    json_decref(root);
}

/* Where there is no loss it is -log p of the label. */
static void a_metric_of_labels_is_enough(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "sed /^loss.=.cross/d measured.ini > metric.ini && "
                   "$DLTRAIN metric.ini --set log.worst=6");
    json_t *root = json_of("runs/metric/worst.json");
    for (size_t i = 0; i < KEPT; i++)
        check_sample(json_array_get(json_object_get(root, "samples"), i), golden_worst[i]);
    json_decref(root);
}

static void check_classes(const json_t *root) {
    static const char *const keys[] = {"n", "precision", "recall", "f1"};

    for (size_t i = 0; i < MEASURED_CLASSES; i++) {
        const json_t *c = json_array_get(json_object_get(root, "classes"), i);
        const double recall = golden_classes[i][2], n = golden_classes[i][0];

        for (int k = 0; k < 4; k++)
            assert_true(fabs(number_at(c, keys[k]) - golden_classes[i][k]) < 1e-6);
        assert_true(fabs(number_at(c, "recall_error") - sqrt(recall * (1 - recall) / n)) < 1e-6);
    }
}

static void every_class_has_a_row(void **state) {
    char line[128];

    (void)state;
    for (int ranks = 1; ranks <= 3; ranks += 2)
        program_expect(0, NULL,
                       "$MPIRUN -np %d $DLTRAIN eval runs/measured --per-class --json %d.json > "
                       "classes.txt",
                       ranks, ranks);
    program_expect(0, NULL, "cmp 1.json 3.json");
    json_t *root = json_of("1.json");
    assert_string_equal(json_string_value(json_object_get(root, "job")), "measured");
    check_classes(root);
    assert_true(number_at(root, "samples") == MEASURED);
    assert_true(number_at(json_object_get(root, "error"), "top1") > 0.03);
    const json_t *pair = json_array_get(json_object_get(root, "confused"), 0);
    const json_t *row =
        json_array_get(json_object_get(root, "confusion"), (size_t)number_at(pair, "label"));
    assert_true(json_number_value(json_array_get(row, (size_t)number_at(pair, "guess"))) ==
                number_at(pair, "n"));
    snprintf(line, sizeof line, "bee    %9.0f  %9.4f  %9.4f", golden_classes[1][0],
             golden_classes[1][1], golden_classes[1][2]);
    expect_text("cat classes.txt", line);
    expect_text("cat classes.txt", "most often confused\n");
    json_decref(root);
}

static void what_cannot_be_is_refused(void **state) {
    (void)state;
    program_expect(64, "--worst N -o FOLDER", "$DLTRAIN eval runs/measured --worst 5");
    program_expect(64, "--worst N -o FOLDER", "$DLTRAIN eval runs/measured -o wrong");
    program_expect(64, "is the folder of a run",
                   "$MPIRUN -np 2 $DLTRAIN eval runs/measured --worst 5 -o runs/measured/");
    program_expect(64, "whole number from 1", "$DLTRAIN eval runs/measured --worst 0 -o wrong");
    program_expect(78, "no loss or metric of logits and labels",
                   "$MPIRUN -np 2 $DLTRAIN eval runs/values --per-class");
    program_expect(74, "wrong: cannot be created",
                   "rm -rf wrong; : > wrong; "
                   "$DLTRAIN eval runs/measured --worst 5 -o wrong");
    program_expect(78, "worst is -1, expected a whole number from 0",
                   "$DLTRAIN measured.ini --set log.worst=-1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_come_first),  cmocka_unit_test(ranks_find_the_same),
        cmocka_unit_test(shards_find_the_same),  cmocka_unit_test(measures_do_not_depend_on_it),
        cmocka_unit_test(a_job_need_not_say_it), cmocka_unit_test(a_metric_of_labels_is_enough),
        cmocka_unit_test(every_class_has_a_row), cmocka_unit_test(what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
