/* A step that is not finite: who began it is on a page, and it can be computed again without the
 * data, by one process. */
#include "cmd/printed.h"
#include "io/h5/h5.h"
#include "io/weights/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { SAMPLES = 48, PIXELS = 8 * 8, BAD = 17 };

/* Noise in which one pixel of sample BAD is `value`, or all of them; NAN or 0, or -1: none is. */
static void write_group(struct h5 *h5, const char *group, float value, bool all) {
    const int64_t dims[] = {SAMPLES, 8, 8, 1};
    static float images[SAMPLES * PIXELS];
    int32_t labels[SAMPLES];
    struct err err = {0};
    char path[32];

    for (int i = 0; i < SAMPLES * PIXELS; i++)
        images[i] = (float)(i * 37 % 101 + 1) / 101;
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i % 3;
    for (int i = 0; value != -1 && i < PIXELS; i++)
        if (all || i == 5)
            images[BAD * PIXELS + i] = value;
    snprintf(path, sizeof path, "/%s", group);
    assert_int_equal(h5_group_create(h5, path, &err), 0);
    snprintf(path, sizeof path, "/%s/images", group);
    assert_int_equal(h5_write(h5, path, H5_TYPE_F32, 4, dims, images, &err), 0);
    snprintf(path, sizeof path, "/%s/labels", group);
    assert_int_equal(h5_write(h5, path, H5_TYPE_I32, 1, dims, labels, &err), 0);
}

#define STEP                                                                                       \
    "loss = cross_entropy(c(image), label)\ntrain = c\noptimizer = sgd(lr=0.05, momentum=0.9)\n"

static int setup(void **state) {
    struct err err = {0};
    struct h5 *h5;

    if (program_setup(state) || h5_create(&h5, "noise.h5", &err))
        return -1;
    write_group(h5, "good", -1, false);
    write_group(h5, "nan", NAN, false);
    write_group(h5, "zero", 0, true);
    const int rc = h5_sync(h5, &err);
    h5_close(h5);
    program_write("job.ini", "[job]\nepochs = 3\n[data]\ntrain = noise.h5:good\nbatch = 12\n"
                             "[net c(image, classes=3)]\nfc = image | flatten | linear(classes)\n"
                             "[step]\n" STEP "[checkpoint]\nlast = 1 steps\n");
    /* sqrt(0) has no slope, and the conv without bias gives 0 of a sample that is 0. */
    program_write("slope.ini", "[job]\nepochs = 3\n[data]\ntrain = noise.h5:zero\nbatch = 12\n"
                               "[net c(image, classes=3)]\nconv = image | conv(4, 3, bias=false)\n"
                               "root = sqrt(conv * conv)\nfc = root | flatten | linear(classes)\n"
                               "[step]\n" STEP);
    program_write("two.ini", "[job]\nepochs = 3\n[data]\ntrain = noise.h5:zero\nbatch = 12\n"
                             "[net d(image, classes=3)]\nfc = image | flatten | linear(classes)\n"
                             "[net c(image, classes=3)]\nconv = image | conv(4, 3, bias=false)\n"
                             "root = sqrt(conv * conv)\nfc = root | flatten | linear(classes)\n"
                             "[step plain]\nloss = cross_entropy(d(image), label)\ntrain = d\n"
                             "optimizer = sgd(lr=0.05)\n[step rooted]\n" STEP);
    return rc;
}

/* The page of a run holds the text. */
static void expect_page(const char *name, const char *text) {
    struct program_run run = program_run("cat runs/%s/fault.txt", name);

    if (run.code || !strstr(run.out, text))
        fail_msg("runs/%s/fault.txt: expected '%s'\n%s", name, text, run.out);
    program_release(&run);
}

static void a_sample_is_named_and_its_step_replayed_without_the_data(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 3; ranks++) {
        program_expect(65, "is nan at [0, 5, 0]; see runs/nan/fault.txt",
                       "rm -rf runs; $MPIRUN -np %d $DLTRAIN job.ini --set name=nan "
                       "--set data.train=noise.h5:nan",
                       ranks);
        expect_page("nan", "samples    sample 17 of noise.h5:nan\n");
        expect_page("nan", "The data are the cause");
        program_expect(0, NULL, "mv noise.h5 away.h5");
        expect_said(0,
                    "  sample 17 of noise.h5:nan\nverdict: the data: ", "$DLTRAIN replay runs/nan");
        program_expect(0, NULL, "mv away.h5 noise.h5");
    }
}

/* Whichever rank has the sample, and however batches are cut. */
static void what_begins_in_backward_is_found(void **state) {
    static const char *const ways[] = {
        "-np 1 $DLTRAIN slope.ini", "-np 3 $DLTRAIN slope.ini",
        "-np 2 $DLTRAIN slope.ini --set step.clip_norm=1",
        "-np 2 $DLTRAIN slope.ini --set data.accumulate=2",
        "-np 2 $DLTRAIN slope.ini --set dist.reduction=reproducible --set dist.shards=4"};

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        program_expect(65, "it begins in backward of sqrt",
                       "rm -rf runs; $MPIRUN %s --set name=slope", ways[i]);
        expect_page("slope", "phase      backward\noperator   sqrt, at slope.ini:8:");
        expect_page("slope", "samples    sample 17 of noise.h5:zero\n");
        expect_said(0, "first: backward of sqrt: gradient of conv.mul at [",
                    "$DLTRAIN replay runs/slope");
        expect_said(0, "verdict: divergence: ", "$DLTRAIN replay runs/slope/fault.h5");
    }
    expect_said(0, "conv.mul  (", "$DLTRAIN replay runs/slope --at conv");
}

static void one_of_several_steps_is_named(void **state) {
    (void)state;
    program_expect(65, "it begins in backward of sqrt", "$DLTRAIN two.ini --set name=two");
    expect_page("two", ", [step rooted]\n");
    expect_said(0, "verdict: divergence: ", "$DLTRAIN replay runs/two");
}

static void a_learning_rate_that_is_too_large_is_said(void **state) {
    (void)state;
    program_expect(65, "it begins in forward of ",
                   "$DLTRAIN slope.ini --set name=high --set data.train=noise.h5:good "
                   "--set \"step.optimizer=sgd(lr=1e30)\"");
    expect_page("high", "by updates at learning rate 1e+30, which is too large for it");
    expect_page("high", "losses     1.");
}

/* Ranks that are apart see it a step later. */
static void weights_that_are_none_before_the_step_are_said(void **state) {
    (void)state;
    program_expect(65, "is nan since before this step",
                   "$MPIRUN -np 2 $DLTRAIN slope.ini --set name=apart "
                   "--set \"dist.sync=local_sgd(every=4)\"");
    expect_said(0, "verdict: a weight was not finite before this step: weights of c, ",
                "$DLTRAIN replay runs/apart");
}

/* As replay would read it had memory been wrong when the step was computed: a tensor of fault.h5 is
 * changed from number `at` on. */
static void change(const char *path, float value, int64_t n) {
    static float numbers[SAMPLES * PIXELS];
    struct checkpoint_tensor t[16];
    struct checkpoint *ck;
    struct err err = {0};
    int len;

    assert_int_equal(checkpoint_open(&ck, "runs/nan/fault.h5", &err), 0);
    const struct checkpoint_tensor *all = checkpoint_tensors(ck, &len);
    assert_true(len <= 16);
    for (int i = 0; i < len; i++) {
        t[i] = all[i];
        if (strcmp(t[i].path, path) != 0)
            continue;
        for (int64_t k = 0; k < shape_len(&t[i].shape); k++)
            numbers[k] = k < n ? value : t[i].data[k];
        t[i].data = numbers;
    }
    assert_int_equal(checkpoint_write("changed.h5", t, len, checkpoint_meta(ck), &err), 0);
    checkpoint_close(ck);
}

static void a_bit_that_flipped_is_told_from_a_damaged_weight(void **state) {
    (void)state;
    program_expect(65, NULL,
                   "rm -rf runs; $DLTRAIN job.ini --set name=nan --set data.train=noise.h5:nan");
    change("/batch/image", 0.5F, SAMPLES * PIXELS);
    expect_said(0, "verdict: a bit has flipped: ", "$DLTRAIN replay changed.h5");
    program_expect(0, NULL, "mv changed.h5 runs/nan/fault.h5");
    change("/nets/c/fc.weight", NAN, 1);
    expect_said(0,
                "verdict: a weight was not finite before this step: weights of c, fc.weight[0, 0]",
                "$DLTRAIN replay changed.h5");
}

/* The first fault is kept until a run goes on, which meets the same one here; then it is put aside.
 */
static void who_goes_on_puts_the_fault_aside(void **state) {
    (void)state;
    program_expect(65, NULL,
                   "rm -rf runs; $DLTRAIN job.ini --set name=on --set data.train=noise.h5:nan");
    program_expect(65, "see runs/on/fault.txt",
                   "$DLTRAIN job.ini --set name=on --set data.train=noise.h5:nan --resume");
    program_expect(0, NULL,
                   "test -e runs/on/fault.1.txt && test -e runs/on/fault.1.json && "
                   "test -e runs/on/fault.1.h5 && test -e runs/on/fault.h5");
}

static void what_cannot_be_replayed_is_refused(void **state) {
    (void)state;
    program_expect(64, "expected the folder of a run that has failed", "$DLTRAIN replay job.ini");
    program_expect(65, "is a checkpoint, expected fault.h5", "$DLTRAIN replay runs/on/last.h5");
    program_expect(74, "empty: has no fault.h5", "mkdir -p empty && $DLTRAIN replay empty");
    program_expect(74, "empty: has no fault.h5", "$DLTRAIN replay --table empty");
    program_expect(64, "--at: found 'empty'", "$DLTRAIN replay changed.h5 --at empty");
    program_expect(64, "--at: found 'nothing'", "$DLTRAIN replay changed.h5 --at nothing");
    program_expect(64, "expected one process", "$MPIRUN -np 2 $DLTRAIN replay changed.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_is_named_and_its_step_replayed_without_the_data),
        cmocka_unit_test(what_begins_in_backward_is_found),
        cmocka_unit_test(one_of_several_steps_is_named),
        cmocka_unit_test(a_learning_rate_that_is_too_large_is_said),
        cmocka_unit_test(weights_that_are_none_before_the_step_are_said),
        cmocka_unit_test(a_bit_that_flipped_is_told_from_a_damaged_weight),
        cmocka_unit_test(who_goes_on_puts_the_fault_aside),
        cmocka_unit_test(what_cannot_be_replayed_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
