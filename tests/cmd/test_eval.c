/* dltrain eval: a run needs nothing but its checkpoint; weights come from checkpoints and
 * safetensors. */
#include "cmd/printed.h"
#include "cmd/results.h"
#include "io/h5/h5.h"

enum { SAMPLES = 12, PIXELS = 8 * 8 };

/* What a group says of its data. */
struct facts {
    const char *group;
    const char *classes[2];
    double mean, std;
};

/* Grey images of two classes, one brighter than the other. */
static int write_group(struct h5 *h5, const struct facts *f, struct err *err) {
    const int64_t dims[] = {SAMPLES, 8, 8};
    unsigned char images[SAMPLES * PIXELS];
    int32_t labels[SAMPLES];
    char path[64];

    for (int i = 0; i < SAMPLES * PIXELS; i++)
        images[i] = (unsigned char)(i * 37 % 101 + i / PIXELS % 2 * 100);
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i % 2;
    snprintf(path, sizeof path, "/%s", f->group);
    if (h5_group_create(h5, path, err) ||
        h5_attr_write_texts(h5, path, "classes", f->classes, 2, err) ||
        h5_attr_write_reals(h5, path, "mean", &f->mean, 1, err) ||
        h5_attr_write_reals(h5, path, "std", &f->std, 1, err))
        return -1;
    snprintf(path, sizeof path, "/%s/images", f->group);
    if (h5_write(h5, path, H5_TYPE_U8, 3, dims, images, err))
        return -1;
    snprintf(path, sizeof path, "/%s/labels", f->group);
    return h5_write(h5, path, H5_TYPE_I32, 1, dims, labels, err);
}

static int write_data(void) {
    static const struct facts groups[] = {{"train", {"dark", "bright"}, 0.4, 0.25},
                                          {"test", {"dark", "bright"}, 0.4, 0.25},
                                          {"foreign", {"dark", "zebra"}, 0.4, 0.25},
                                          {"reordered", {"bright", "dark"}, 0.4, 0.25},
                                          {"shifted", {"dark", "bright"}, 0.5, 0.25}};
    struct err err = {0};
    struct h5 *h5;
    int rc = h5_create(&h5, "grey.h5", &err);

    for (size_t i = 0; i < sizeof groups / sizeof *groups && !rc; i++)
        rc = write_group(h5, &groups[i], &err);
    rc = rc || h5_sync(h5, &err);
    h5_close(h5);
    return rc;
}

/* Two runs: one net with averages, and two nets. Their jobs are gone. */
static int setup(void **state) {
    if (program_setup(state) || write_data())
        return -1;
    program_write("cells.ini", "[job]\nmodel = m(classes=2)\nepochs = 2\n[net m(image, classes)]\n"
                               "a  = image | conv(4, 3, stride=2) | bn | relu\n"
                               "fc = a | flatten | linear(classes)\n"
                               "[data]\ntrain = grey.h5:train\nvalidate = grey.h5:test\n"
                               "augment = image | normalize\nbatch = 6\n"
                               "[step]\nloss = cross_entropy(model(image), label)\ntrain = model\n"
                               "optimizer = sgd(lr=0.1)\nema = 0.5\n"
                               "[validate]\nloss = cross_entropy(model(image), label)\n"
                               "c = confusion(model(image), label)\nbest = loss\n");
    program_write("two.ini", "[job]\nepochs = 1\n[net one(image)]\ny = image | conv(3, 3) | relu\n"
                             "[net two(x)]\ny = x | conv(1, 3)\n"
                             "[data]\ntrain = grey.h5:train\nvalidate = grey.h5:test\nbatch = 6\n"
                             "[step]\nloss = mse(two(one(image)), image)\ntrain = one, two\n"
                             "optimizer = sgd(lr=0.1)\n"
                             "[validate]\nerror = mse(two(one(image)), image)\n");
    program_expect(0, NULL,
                   "$DLTRAIN cells.ini && $DLTRAIN two.ini && mkdir jobs && mv cells.ini "
                   "two.ini jobs");
    return 0;
}

static double result_of(const char *command, const char *measure) {
    char *out = printed(command), *line = strstr(out, "result:"), key[32];

    snprintf(key, sizeof key, " %s=", measure);
    if (!line || !(line = strstr(line, key)))
        fail_msg("%s: no result %s in\n%s", command, measure, out);
    const double value = strtod(line + strlen(key), NULL);
    free(out);
    return value;
}

static void near(double a, double b) {
    if (!(fabs(a - b) < 1e-4))
        fail_msg("%g and %g", a, b);
}

static void a_run_needs_nothing_but_its_checkpoint(void **state) {
    const double loss = results_measure("cells", "loss");
    char command[128];

    (void)state;
    near(result_of("$DLTRAIN eval runs/cells", "loss"), loss);
    near(result_of("$DLTRAIN eval runs/cells/last.h5", "loss"), loss);
    near(result_of("mkdir away; cp runs/cells/last.h5 away/x; $DLTRAIN eval away/x", "loss"), loss);
    for (int ranks = 2; ranks <= 4; ranks++) {
        snprintf(command, sizeof command, "$MPIRUN -np %d $DLTRAIN eval runs/cells", ranks);
        near(result_of(command, "loss"), loss);
    }
    near(result_of("$DLTRAIN eval runs/cells --set data.validate=grey.h5:train", "loss"), loss);
    expect_text("$DLTRAIN eval runs/cells", "  bright");
    expect_text("$DLTRAIN eval runs/cells", "runs/cells/best.h5: weights of cells after epoch 2\n");
}

static void a_job_of_its_own_measures_the_same(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN eval jobs/cells.ini --weights runs/cells/best.h5 > a && "
                   "$DLTRAIN eval runs/cells | grep -v weights | cmp a -");
}

static void safetensors_are_weights_too(void **state) {
    const double loss = results_measure("cells", "loss"), error = results_measure("two", "error");

    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN convert runs/cells/best.h5 one.safetensors --ema && "
                   "$DLTRAIN convert one.safetensors named.safetensors "
                   "--rename \"* -> m.*\" && "
                   "$DLTRAIN convert runs/two/last.h5 two.safetensors && "
                   "$DLTRAIN convert one.safetensors less.safetensors --skip fc");
    near(result_of("$DLTRAIN eval runs/cells --weights one.safetensors", "loss"), loss);
    near(result_of("$DLTRAIN eval jobs/cells.ini --weights named.safetensors", "loss"), loss);
    near(result_of("$MPIRUN -np 2 $DLTRAIN eval runs/two --weights two.safetensors", "error"),
         error);
    expect_text("$DLTRAIN eval jobs/two.ini --weights two.safetensors",
                "net two: 2 of 2 tensors loaded from two.safetensors");
    program_expect(78, "net m: less.safetensors has no fc.weight, fc.bias; `dltrain convert",
                   "$MPIRUN -np 2 $DLTRAIN eval runs/cells --weights less.safetensors");
    program_expect(65, "holds no tensor whose name begins with one.",
                   "$DLTRAIN eval runs/two --weights one.safetensors");
}

static void what_holds_no_job_is_refused(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN convert runs/cells/best.h5 alone.safetensors && "
                   "$DLTRAIN convert runs/cells/best.h5 alone.h5 && mkdir empty && "
                   "head -c 3000 runs/cells/best.h5 > cut.h5 && : > none.h5");
    program_expect(65,
                   "alone.safetensors: is safetensors: weights alone, without a job; give its job, "
                   "too: dltrain eval JOB.ini --weights alone.safetensors",
                   "$DLTRAIN eval alone.safetensors");
    program_expect(65, "alone.h5: is no checkpoint of a run", "$DLTRAIN eval alone.h5");
    program_expect(65, "grey.h5: not a checkpoint", "$DLTRAIN eval grey.h5");
    program_expect(65, "cut.h5: ", "$MPIRUN -np 2 $DLTRAIN eval cut.h5");
    program_expect(65, "none.h5: is neither a checkpoint nor safetensors", "$DLTRAIN eval none.h5");
    program_expect(65, "jobs/cells.ini: is neither a checkpoint nor safetensors",
                   "$DLTRAIN eval runs/cells --weights jobs/cells.ini");
    program_expect(74, "empty: is a folder without best.h5 or last.h5", "$DLTRAIN eval empty");
    program_expect(74, "gone.h5: cannot be read: No such file", "$DLTRAIN eval gone.h5");
    program_expect(64, "dltrain eval runs/NAME", "$DLTRAIN eval jobs/cells.ini");
}

static void data_of_other_classes_is_refused(void **state) {
    (void)state;
    program_expect(65, "zebra",
                   "$MPIRUN -np 2 $DLTRAIN eval runs/cells --set data.validate=grey.h5:foreign");
    program_expect(65, "zebra",
                   "$DLTRAIN eval jobs/cells.ini --weights runs/cells/last.h5 "
                   "--set data.validate=grey.h5:foreign");
}

static void classes_are_matched_by_the_names_in_the_checkpoint(void **state) {
    (void)state;
    expect_text("$MPIRUN -np 2 $DLTRAIN eval runs/cells --set data.validate=grey.h5:reordered",
                "grey.h5:reordered numbers the classes of label otherwise than runs/cells/best.h5; "
                "they are matched by name\n");
}

static void another_normalisation_is_a_warning(void **state) {
    static const char warning[] =
        "warning: grey.h5:shifted says another mean or standard deviation "
        "of image than the data that the network was trained on";

    (void)state;
    expect_text("$DLTRAIN eval runs/cells --set data.validate=grey.h5:shifted", warning);
    char *out = printed("$DLTRAIN eval runs/cells --set data.validate=grey.h5:shifted "
                        "--set \"data.augment=image | normalize(0.4, 0.25)\"");
    assert_null(strstr(out, "warning"));
    free(out);
}

/* Other classes are another task; the same in another order are hardly meant. */
static void weights_of_reordered_classes_are_a_warning(void **state) {
    static const char warning[] =
        "warning: runs/cells/best.h5 was trained on the classes of label in "
        "another order than grey.h5:reordered has them: class 0 was "
        "'dark', is 'bright'\n";
    char *out;

    (void)state;
    program_expect(0, NULL,
                   "cp jobs/cells.ini tuned.ini && printf "
                   "\"[weights model]\\nfile = runs/cells/best.h5\\n\" >> tuned.ini");
    expect_text("$DLTRAIN tuned.ini --set data.train=grey.h5:reordered "
                "--set data.validate=grey.h5:reordered",
                warning);
    out = printed("$DLTRAIN tuned.ini --set data.train=grey.h5:foreign "
                  "--set data.validate=grey.h5:foreign && $DLTRAIN tuned.ini");
    assert_null(strstr(out, "another order"));
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_needs_nothing_but_its_checkpoint),
        cmocka_unit_test(a_job_of_its_own_measures_the_same),
        cmocka_unit_test(safetensors_are_weights_too),
        cmocka_unit_test(what_holds_no_job_is_refused),
        cmocka_unit_test(data_of_other_classes_is_refused),
        cmocka_unit_test(classes_are_matched_by_the_names_in_the_checkpoint),
        cmocka_unit_test(weights_of_reordered_classes_are_a_warning),
        cmocka_unit_test(another_normalisation_is_a_warning),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
