/* Measures and their standard errors, beside those of other programs, on any number of ranks. */
#include "cmd/measured.h"

enum { N_GOLDEN = sizeof golden_measures / sizeof *golden_measures };

static int setup(void **state) {
    if (program_setup(state))
        return -1;
    measured_write();
    program_write(
        "measured.ini",
        "[job]\nsteps = 1\n[net dummy(image)]\ny = image | conv(1, 1)\n"
        "[data]\ntrain = measured.h5:test\nvalidate = measured.h5:test\nbatch = 30\n"
        "[step]\nloss = mse(dummy(image), image)\ntrain = dummy\noptimizer = sgd(lr=0.01)\n"
        "[validate]\nbatch = 37\n"
        "loss       = cross_entropy(scores, label)\n"
        "weighted   = cross_entropy(scores, label, weights=[1, 2, 0.5])\n"
        "both       = nll(scores, label) + 2 * brier(scores, label)\n"
        "perplexity = exp(nll(scores, label))\n"
        "top1       = accuracy(scores, label)\n"
        "brier      = brier(scores, label)\n"
        "ece5       = ece(scores, label, bins=5)\n"
        "ece15      = ece(scores, label)\n"
        "area       = auc(scores, label)\n"
        "area1      = auc(scores, label, class=1)\n"
        "ap         = average_precision(scores, label)\n"
        "ap1        = average_precision(scores, label, class=1)\n"
        "c          = confusion(scores, label)\n"
        "macro      = f1(c)\n"
        "micro      = f1(c, average=micro)\n"
        "weighted_f1 = f1(c, average=weighted)\n"
        "precision  = precision(c, average=weighted)\n"
        "matthews   = mcc(c)\n"
        "kappa      = cohen_kappa(c)\n"
        "balanced   = balanced_accuracy(c)\n"
        "m          = confusion(map, mask)\n"
        "pixels     = pixel_accuracy(m)\n"
        "miou       = mean_iou(m)\n"
        "curve      = roc(scores, label, class=1, points=5)\n"
        "best       = top1\n");
    return 0;
}

/* The last line of the log. */
static json_t *last_line(const char *name) {
    json_t *lines = results_log(name);
    json_t *last = json_incref(json_array_get(lines, json_array_size(lines) - 1));

    json_decref(lines);
    return last;
}

/* Slopes of what is no mean are differences of single precision numbers. */
static void check_measure(const json_t *line, const struct golden_measure *golden) {
    const json_t *value = json_object_get(json_object_get(line, "validate"), golden->name);
    const json_t *error = json_object_get(json_object_get(line, "error"), golden->name);
    const double found = json_number_value(value);

    if (!(fabs(found - golden->value) < 2e-6 * (1 + fabs(golden->value))))
        fail_msg("%s is %.9f, expected %.9f", golden->name, found, golden->value);
    if (isnan(golden->error) != !error)
        fail_msg("%s has %s error", golden->name, error ? "an" : "no");
    if (error && !(fabs(json_number_value(error) / golden->error - 1) < 1e-3))
        fail_msg("%s has the error %.9f, expected %.9f", golden->name, json_number_value(error),
                 golden->error);
}

static void they_are_those_of_other_programs(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN measured.ini");
    json_t *line = last_line("measured");

    for (int i = 0; i < N_GOLDEN; i++)
        check_measure(line, &golden_measures[i]);
    for (size_t i = 0; i < 5; i++) {
        const json_t *point =
            json_array_get(json_object_get(json_object_get(line, "validate"), "curve"), i);
        assert_true(fabs(json_number_value(json_array_get(point, 0)) - (double)i / 4) < 1e-6);
        assert_true(fabs(json_number_value(json_array_get(point, 1)) - golden_roc[i]) < 1e-6);
    }
    json_decref(line);
}

/* Of means they are exact. */
static void errors_of_means_are_exact(void **state) {
    static const char *const means[] = {"loss", "weighted", "top1", "brier"};
    json_t *line = last_line("measured");

    (void)state;
    for (size_t k = 0; k < sizeof means / sizeof *means; k++)
        for (int i = 0; i < N_GOLDEN; i++)
            if (!strcmp(golden_measures[i].name, means[k])) {
                const double found =
                    json_number_value(json_object_get(json_object_get(line, "error"), means[k]));
                assert_true(fabs(found / golden_measures[i].error - 1) < 1e-6);
            }
    json_decref(line);
}

static void ranks_change_nothing(void **state) {
    json_t *one = last_line("measured");
    char name[16];

    (void)state;
    for (int ranks = 2; ranks <= 4; ranks++) {
        const char *key;
        json_t *value;

        snprintf(name, sizeof name, "ranks%d", ranks);
        program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN measured.ini --set name=%s", ranks, name);
        json_t *line = last_line(name);
        json_object_foreach(json_object_get(one, "error"), key, value) {
            const json_t *other = json_object_get(json_object_get(line, "error"), key);
            assert_non_null(other);
            assert_true(fabs(json_number_value(other) / json_number_value(value) - 1) < 1e-4);
        }
        for (int i = 0; i < N_GOLDEN; i++)
            check_measure(line, &golden_measures[i]);
        json_decref(line);
    }
    json_decref(one);
}

/* To the bit, errors too, where sums do not depend on the number of ranks. */
static void shards_make_them_the_same_bits(void **state) {
    char *log[2];

    (void)state;
    for (int k = 0; k < 2; k++) {
        program_expect(0, NULL,
                       "$MPIRUN -np %d $DLTRAIN measured.ini --set name=shards%d "
                       "--set dist.reduction=reproducible && "
                       "grep validate runs/shards%d/metrics.jsonl > log%d",
                       1 + 2 * k, k, k, k);
    }
    log[0] = program_read("log0"), log[1] = program_read("log1");
    assert_string_equal(log[0], log[1]);
    free(log[0]);
    free(log[1]);
}

static void one_sample_has_no_error(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN data split measured.h5:test one.h5 --split 1 > split.txt && "
                   "$DLTRAIN measured.ini --set name=alone --set data.validate=one.h5:validate");
    json_t *line = last_line("alone");
    assert_int_equal(json_object_size(json_object_get(line, "error")), 0);
    json_decref(line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_those_of_other_programs),
        cmocka_unit_test(errors_of_means_are_exact),
        cmocka_unit_test(ranks_change_nothing),
        cmocka_unit_test(shards_make_them_the_same_bits),
        cmocka_unit_test(one_sample_has_no_error),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
