/* What data info and data verify say of files, and what a run says of numbers that are none. */
#include "cmd/printed.h"
#include "io/h5/h5.h"
#include "support/program.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { N = 8, SIDE = 6, PIXELS = SIDE * SIDE };

static float images[N * PIXELS];
static int32_t labels[N];

static const char job[] = "[job]\nepochs = 1\n[data]\ntrain = %s\nbatch = 8\n[net c(image)]\nout = "
                          "image | flatten | linear(2)\n[step]\nloss = cross_entropy(c(image), "
                          "label)\ntrain = c\noptimizer = sgd(lr=0.1)\n";

static void add(struct h5 *file, const char *path, bool image) {
    struct err err = {0};

    assert_int_equal(h5_write(file, path, image ? H5_TYPE_F32 : H5_TYPE_I32, image ? 4 : 1,
                              (int64_t[]){N, SIDE, SIDE, 1}, image ? (const void *)images : labels,
                              &err),
                     0);
}

/* flat.h5 has x_train, y_train, x_test; bad.h5 the group bad, whose sample 6 has a NaN, and the
 * group none, which is no dataset. */
static int setup(void **state) {
    struct err err = {0};
    struct h5 *file;

    if (program_setup(state) || h5_create(&file, "flat.h5", &err))
        return -1;
    for (int i = 0; i < N; i++)
        labels[i] = i % 2;
    add(file, "/x_train", true);
    add(file, "/y_train", false);
    add(file, "/x_test", true);
    h5_close(file);
    if (h5_create(&file, "bad.h5", &err) || h5_group_create(file, "/bad", &err) ||
        h5_group_create(file, "/none", &err))
        return -1;
    images[6 * PIXELS + 2 * SIDE + 3] = NAN;
    add(file, "/bad/images", true);
    add(file, "/bad/labels", false);
    h5_close(file);
    if (h5_create(&file, "plain.h5", &err))
        return -1;
    h5_attr_write_text(file, "/", "about", "nothing", &err);
    h5_close(file);
    return 0;
}

static void splits_named_in_datasets_are_shown(void **state) {
    (void)state;
    expect_text("$DLTRAIN data info flat.h5", "flat.h5:test\n  8 samples\n");
    expect_text("$DLTRAIN data info flat.h5", "flat.h5:train\n  8 samples\n");
    expect_text("$DLTRAIN data info flat.h5:train", "2 classes of 4 samples: 0 4, 1 4");
    expect_text("$DLTRAIN data info flat.h5:x_train", "flat.h5:x_train\n  8 samples\n");
    program_expect(65, "flat.h5: has no group 'tran'; it has test, train",
                   "$DLTRAIN data info flat.h5:tran");
}

static void what_is_no_dataset_ends_with_65(void **state) {
    (void)state;
    program_expect(65, "plain.h5: has no dataset images", "$DLTRAIN data info plain.h5");
    expect_text("$DLTRAIN data info bad.h5", "not a dataset: bad.h5:none: has no dataset images");
    expect_text("$DLTRAIN data info bad.h5",
                "    warning: 1 not finite, the first nan in sample 6 at [2, 3, 0]\n");
}

static void verify_reads_everything_and_says_what_is_wrong(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN data verify flat.h5 shapes.h5:test");
    program_expect(
        65,
        "bad.h5:bad: 1 numbers of /bad/images are not finite, the first is nan in sample "
        "6 at [2, 3, 0]",
        "$DLTRAIN data verify flat.h5:train bad.h5:bad");
    program_expect(65, "2 things are wrong, the first: bad.h5:bad: 1 numbers of /bad/images",
                   "$DLTRAIN data verify bad.h5");
    program_expect(74, "gone.h5: No such file", "$DLTRAIN data verify gone.h5");
    program_expect(64, "data: verify takes files", "$DLTRAIN data verify");
}

/* The share of rank 0 is finite, and so is its loss: rank 1 says why. */
static void a_loss_that_is_none_names_the_sample(void **state) {
    (void)state;
    program_write("j.ini", job, "bad.h5:bad");
    for (int ranks = 1; ranks < 3; ranks++)
        program_expect(65,
                       "step 1: the loss is nan: field image of sample 6 of bad.h5:bad is nan at "
                       "[2, 3, 0]",
                       "$MPIRUN -np %d $DLTRAIN j.ini", ranks);
}

static void guesses_are_said_before_the_first_step(void **state) {
    struct err err = {0};
    struct h5 *file;

    (void)state;
    labels[3] = -1;
    assert_int_equal(h5_create(&file, "minus.h5", &err), 0);
    images[6 * PIXELS + 2 * SIDE + 3] = 0;
    h5_write(file, "/images", H5_TYPE_F32, 4, (int64_t[]){N, 1, SIDE, SIDE}, images, &err);
    add(file, "/labels", false);
    h5_close(file);
    program_write("m.ini", job, "minus.h5");
    for (int k = 0; k < 2; k++)
        expect_text(
            "$DLTRAIN m.ini 2>&1",
            k ? "minus.h5: /labels: the label of 1 samples is -1: they do not count\n"
              : "minus.h5: /images: float32 [n, 1, 6, 6] is taken for 1 channels, the first");
    program_expect(78, "sampling = balanced needs a label for every sample, that of sample 3 is -1",
                   "$DLTRAIN m.ini --set data.sampling=balanced");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_named_in_datasets_are_shown),
        cmocka_unit_test(what_is_no_dataset_ends_with_65),
        cmocka_unit_test(verify_reads_everything_and_says_what_is_wrong),
        cmocka_unit_test(a_loss_that_is_none_names_the_sample),
        cmocka_unit_test(guesses_are_said_before_the_first_step),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
