/* The keys of [run] change the last digits of a run, and nothing that is saved or measured. */
#include "cmd/results.h"

enum { STEPS = 12 };

static void write_job(void) {
    program_write("job.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = d\nsteps = %d\n"
                  "[net d(image)]\n"
                  "a = image | conv(16, 3, stride=2) | bn | relu\n"
                  "b = (a | conv(16) | bn) + a | relu\n"
                  "c = b | bn | leaky_relu | conv(12, 3, stride=2) | relu6\n"
                  "fc = c | global_avgpool | linear(10)\n"
                  "[step]\noptimizer = sgd(lr=0.02, momentum=0.9)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 24\n"
                  "[picture a]\nshow = image\ncount = 4\n"
                  "[checkpoint]\nlast = 3 steps\n[log]\nevery = 1\n",
                  DLTRAIN_CONFIGS, STEPS);
}

/* Losses of all steps and the last measures, to a part in 10000. */
static void expect_alike(const char *a, const char *b) {
    double x[STEPS], y[STEPS];

    assert_int_equal(results_numbers(a, "loss", x, NULL, STEPS), STEPS);
    assert_int_equal(results_numbers(b, "loss", y, NULL, STEPS), STEPS);
    for (int i = 0; i < STEPS; i++)
        if (!(fabs(x[i] - y[i]) <= 1e-4 * y[i]))
            fail_msg("step %d: %g in %s, %g in %s", i, x[i], a, y[i], b);
    const double p = results_measure(a, "loss"), q = results_measure(b, "loss");
    if (!(fabs(p - q) <= 1e-3 * q))
        fail_msg("validation: %g in %s, %g in %s", p, a, q, b);
}

static void losses_and_measures_are_the_same(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=on");
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=off --set run.fusion=off");
    expect_alike("on", "off");
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=on2");
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN job.ini --set name=off2 --set run.fusion=off");
    expect_alike("on2", "off2");
}

/* Were the numbers the same to the bit, the key would not have reached the convolutions. */
static void without_winograd_only_digits_change(void **state) {
    (void)state;
    write_job();
    program_expect(0, NULL, "$DLTRAIN job.ini --set name=direct --set run.winograd=off");
    expect_alike("on", "direct");
    struct checkpoint *on = results_open("on", "last.h5");
    struct checkpoint *direct = results_open("direct", "last.h5");

    assert_true(results_moved(on, direct, "/nets/d/conv2.weight") > 0);
    checkpoint_close(on), checkpoint_close(direct);
}

static void checkpoints_have_the_same_tensors(void **state) {
    (void)state;
    struct checkpoint *on = results_open("on", "last.h5"), *off = results_open("off", "last.h5");

    int n_on, n_off;
    const struct checkpoint_tensor *x = checkpoint_tensors(on, &n_on);
    const struct checkpoint_tensor *y = checkpoint_tensors(off, &n_off);

    assert_int_equal(n_on, n_off);
    for (int i = 0; i < n_on; i++) {
        assert_string_equal(x[i].path, y[i].path);
        assert_true(shape_equal(&x[i].shape, &y[i].shape));
    }
    checkpoint_close(on), checkpoint_close(off);
}

static void a_run_goes_on_the_other_way(void **state) {
    static const char *const ways[][2] = {{"on", "off"}, {"off", "on"}};

    (void)state;
    write_job();
    for (int i = 0; i < 2; i++) {
        program_expect(0, NULL,
                       "$DLTRAIN job.ini --set name=mixed%d --set steps=5 --set "
                       "run.fusion=%s",
                       i, ways[i][0]);
        program_expect(0, NULL, "$DLTRAIN job.ini --set name=mixed%d --resume --set run.fusion=%s",
                       i, ways[i][1]);
        expect_alike(i ? "mixed1" : "mixed0", "off");
    }
}

/* Steps of a rank without samples, parts of a batch, and threads. */
static void shares_and_parts_of_a_batch_are_the_same(void **state) {
    (void)state;
    write_job();
    for (int off = 0; off < 2; off++)
        program_expect(0, NULL,
                       "$MPIRUN -np 3 $DLTRAIN job.ini --set name=few%d --set "
                       "data.batch=5 --set data.accumulate=2 --set job.threads=2 %s",
                       off, off ? "--set run.fusion=off" : "");
    expect_alike("few0", "few1");
}

static void other_words_are_refused(void **state) {
    (void)state;
    write_job();
    program_expect(78, "fusion: found 'true', expected off or on",
                   "$DLTRAIN job.ini --set run.fusion=true");
    program_expect(78, "winograd: found 'no', expected off or on",
                   "$DLTRAIN job.ini --set run.winograd=no");
    program_expect(78, "[run] has no key 'fussion'; did you mean 'fusion'?",
                   "$DLTRAIN job.ini --set run.fussion=off");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_measures_are_the_same),
        cmocka_unit_test(without_winograd_only_digits_change),
        cmocka_unit_test(checkpoints_have_the_same_tensors),
        cmocka_unit_test(a_run_goes_on_the_other_way),
        cmocka_unit_test(shares_and_parts_of_a_batch_are_the_same),
        cmocka_unit_test(other_words_are_refused),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
