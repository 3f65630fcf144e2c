/* Measures that are no numbers: said each time, with the sample that is the cause, and never the
 * best. */
#include "cmd/printed.h"
#include "cmd/results.h"
#include "io/h5/h5.h"
#include "io/weights/safetensors.h"

enum { SAMPLES = 24, PIXELS = 8 * 8 };

/* A group of images of noise and their labels; one number of sample `sample` is not finite. */
static void write_group(struct h5 *h5, const char *group, int sample, float value) {
    const int64_t dims[] = {SAMPLES, 8, 8, 1};
    static float images[SAMPLES * PIXELS];
    int32_t labels[SAMPLES];
    struct err err = {0};
    char path[32];

    for (int i = 0; i < SAMPLES * PIXELS; i++)
        images[i] = (float)(i * 37 % 101) / 101;
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = (i + (sample < 0)) % 3;
    if (sample >= 0)
        images[sample * PIXELS + 5] = value;
    snprintf(path, sizeof path, "/%s", group);
    assert_int_equal(h5_group_create(h5, path, &err), 0);
    snprintf(path, sizeof path, "/%s/images", group);
    assert_int_equal(h5_write(h5, path, H5_TYPE_F32, 4, dims, images, &err), 0);
    snprintf(path, sizeof path, "/%s/labels", group);
    assert_int_equal(h5_write(h5, path, H5_TYPE_I32, 1, dims, labels, &err), 0);
}

static int setup(void **state) {
    struct err err = {0};
    struct h5 *h5;

    if (program_setup(state) || h5_create(&h5, "noise.h5", &err))
        return -1;
    write_group(h5, "good", -1, 0);
    write_group(h5, "nan", 13, NAN);
    write_group(h5, "inf", 20, INFINITY);
    const int rc = h5_sync(h5, &err);
    h5_close(h5);
    program_write("job.ini",
                  "[job]\nepochs = 6\n[data]\ntrain = noise.h5:good\nvalidate = noise.h5:nan\n"
                  "batch = 8\n[net c(image, classes=3)]\nfc = image | flatten | linear(classes)\n"
                  "[step]\nloss = cross_entropy(c(image), label)\ntrain = c\n"
                  "optimizer = sgd(lr=0.001)\n"
                  "[validate]\nloss = cross_entropy(c(image), label)\n"
                  "top1 = accuracy(c(image), label)\nbest = loss\npatience = 2\n");
    return rc;
}

/* How often a text stands in another. */
static int n_times(const char *text, const char *in) {
    int n = 0;

    for (const char *at = in; (at = strstr(at, text)); at++)
        n++;
    return n;
}

/* Whichever rank has the sample. */
static void a_measure_that_never_is_a_number_ends_the_job(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 4; ranks++) {
        struct program_run run =
            program_run("$MPIRUN -np %d $DLTRAIN job.ini --set name=never", ranks);
        assert_int_equal(run.code, 65);
        assert_int_equal(n_times("[validate] loss is not a number: field image of sample 13 of "
                                 "noise.h5:nan is nan at [0, 5, 0]\n",
                                 run.out),
                         2);
        assert_non_null(
            strstr(run.out, "ended after step 6: patience: 2 validations without a better loss\n"));
        assert_non_null(strstr(run.err, "[validate] best: loss was never a finite number in 2 "
                                        "validations: there is no best.h5; the last weights are in "
                                        "runs/never/last.h5\n"));
        program_release(&run);
    }
    program_expect(0, NULL, "! test -e runs/never/best.h5 && test -e runs/never/last.h5");
    program_expect(65, "loss was never a finite number",
                   "$DLTRAIN job.ini --set name=never --resume");
}

static void infinities_are_named_too(void **state) {
    (void)state;
    expect_said(65, "of sample 20 of noise.h5:inf is infinite at [0, 5, 0]\n",
                "$DLTRAIN job.ini --set data.validate=noise.h5:inf");
}

static void another_measure_may_be_no_number(void **state) {
    (void)state;
    expect_said(0, "warning: after step 3: [validate] loss is not a number: ",
                "$DLTRAIN job.ini --set name=other --set validate.best=top1 --set epochs=1");
    program_expect(0, NULL, "test -e runs/other/best.h5");
}

static void eval_warns_too(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN job.ini --set name=evaluated --set epochs=1 "
                   "--set data.validate=noise.h5:good");
    for (int ranks = 1; ranks <= 3; ranks += 2) {
        struct program_run run = program_run("$MPIRUN -np %d $DLTRAIN eval runs/evaluated "
                                             "--set data.validate=noise.h5:nan",
                                             ranks);
        assert_int_equal(run.code, 0);
        assert_non_null(strstr(run.out, "warning: [validate] loss is not a number: field image of "
                                        "sample 13 of noise.h5:nan is nan at [0, 5, 0]\n"));
        program_release(&run);
    }
}

/* Made elsewhere: this program saves no such weights. */
static void weights_that_are_no_numbers_are_refused(void **state) {
    static const float bias[] = {0, NAN, 0};
    static float weights[3 * PIXELS];
    const struct safetensor_out t[] = {{"fc.weight", {2, {3, PIXELS}}, weights},
                                       {"fc.bias", {1, {3}}, bias}};
    const char *const last =
        "--set name=evaluated --set epochs=1 --set data.validate=noise.h5:good";
    struct err err = {0};

    (void)state;
    assert_int_equal(safetensors_write("nan.safetensors", t, 2, NULL, 0, &err), 0);
    program_expect(0, NULL,
                   "$DLTRAIN job.ini %s && $DLTRAIN convert nan.safetensors nan.h5 --net c", last);
    program_expect(65, "nan.safetensors: fc.bias holds nan, expected finite numbers",
                   "$MPIRUN -np 2 $DLTRAIN eval runs/evaluated --weights nan.safetensors");
    program_expect(65, "nan.h5: /nets/c/fc.bias holds nan, expected finite numbers",
                   "$DLTRAIN eval runs/evaluated --weights nan.h5");
    program_expect(0, NULL,
                   "cp job.ini begin.ini && "
                   "printf \"[weights c]\\nfile = nan.h5\\n\" >> begin.ini");
    program_expect(65, "nan.h5: fc.bias holds nan, expected finite numbers", "$DLTRAIN begin.ini");
}

/* The data is good from then on: its history begins anew, and ends well. */
static void good_data_makes_up_for_it(void **state) {
    (void)state;
    program_expect(65, "never a finite number", "$DLTRAIN job.ini --set name=mended");
    expect_said(0, "best: loss=",
                "$DLTRAIN job.ini --set name=mended --resume "
                "--set data.validate=noise.h5:good");
    struct program_run run = program_run("$DLTRAIN job.ini --set data.validate=noise.h5:good");
    assert_null(strstr(run.out, "warning: [validate]"));
    program_release(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_measure_that_never_is_a_number_ends_the_job),
        cmocka_unit_test(infinities_are_named_too),
        cmocka_unit_test(another_measure_may_be_no_number),
        cmocka_unit_test(eval_warns_too),
        cmocka_unit_test(weights_that_are_no_numbers_are_refused),
        cmocka_unit_test(good_data_makes_up_for_it),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
