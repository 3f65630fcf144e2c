/* What a job trains and validates on: several files as one, classes by name, as many as there are.
 */
#include "cmd/results.h"
#include "core/base/err.h"
#include "io/h5/h5.h"

enum { N = 24, SIDE = 4, AREA = SIDE * SIDE, MOST_LOSSES = 64 };

/* Samples first .. first + n - 1 of 24, whose class cat, dog or eel can be seen: class k of
 * names[3] is called names[k] in the file; NULL: without names. */
static void write_part(const char *path, int first, int n, const char *const *names) {
    static const char *const classes[] = {"cat", "dog", "eel"};
    const int64_t dim[] = {n, SIDE, SIDE, 1};
    unsigned char pixels[N * AREA];
    int32_t labels[N];
    struct err err = {0};
    struct h5 *file;

    for (int i = 0; i < n; i++) {
        const int sample = first + i, class = sample % 3;
        for (int p = 0; p < AREA; p++)
            pixels[i * AREA + p] =
                (unsigned char)((p / 5 == class ? 180 : 20) + (sample * 7 + p * 3) % 50);
        labels[i] = class;
        for (int k = 0; names && k < 3; k++)
            if (!strcmp(names[k], classes[class]))
                labels[i] = k;
    }
    if (h5_create(&file, path, &err) || h5_group_create(file, "/train", &err) ||
        h5_write(file, "/train/images", H5_TYPE_U8, 4, dim, pixels, &err) ||
        h5_write(file, "/train/labels", H5_TYPE_I32, 1, dim, labels, &err) ||
        h5_attr_write_text(file, "/", "layout", "NHWC", &err) ||
        (names && h5_attr_write_texts(file, "/", "classes", names, 3, &err)) || h5_sync(file, &err))
        fail_msg("%s", err.msg);
    h5_close(file);
}

static const char *const in_order[] = {"cat", "dog", "eel"};
static const char *const reversed[] = {"eel", "dog", "cat"};

/* A job of those sets whose net gives so many numbers. */
static void write_job(const char *path, const char *train, const char *validate,
                      const char *classes) {
    program_write(path,
                  "[job]\nepochs = 4\n[data]\ntrain = %s\nvalidate = %s\nbatch = 8\n"
                  "[net c(image, classes)]\nfc = image | flatten | linear(classes)\n"
                  "[step]\nloss = cross_entropy(c(image, classes=%s), label)\ntrain = c\n"
                  "optimizer = sgd(lr=0.5)\n"
                  "[validate]\nloss = cross_entropy(c(image, classes=%s), label)\n"
                  "top1 = accuracy(c(image, classes=%s), label)\nbest = top1\n[log]\nevery = 1\n",
                  train, validate, classes, classes, classes);
}

static int setup(void **state) {
    if (program_setup(state))
        return -1;
    write_part("all.h5", 0, N, in_order);
    write_part("val.h5", 0, N, reversed);
    write_part("head.h5", 0, 9, in_order);
    write_part("tail.h5", 9, N - 9, reversed);
    write_part("numbers.h5", 0, N, NULL);
    return 0;
}

/* The last validation's measure. */
static double measured(const char *name, const char *measure) {
    json_t *lines = results_log(name), *line;
    double value = -1;
    size_t i;

    json_array_foreach(lines, i, line) {
        const json_t *v = json_object_get(json_object_get(line, "validate"), measure);
        value = v ? json_number_value(v) : value;
    }
    json_decref(lines);
    return value;
}

static void prints(const char *text, const char *command) {
    struct program_run run = program_run("%s", command);

    if (run.code || (!strstr(run.out, text) && !strstr(run.err, text)))
        fail_msg("%s\nexit code %d, prints no '%s' but\n%s%s", command, run.code, text, run.out,
                 run.err);
    program_release(&run);
}

/* The same samples under other numbers measure the same, on any number of ranks. */
static void classes_of_validation_are_matched_by_name(void **state) {
    (void)state;
    write_job("v.ini", "all.h5:train", "all.h5:train", "3");
    program_expect(0, NULL, "$DLTRAIN v.ini");
    const double top1 = measured("v", "top1"), loss = measured("v", "loss");
    assert_true(top1 > 0.9);
    write_job("v.ini", "all.h5:train", "val.h5:train", "3");
    prints("val.h5:train numbers the classes of label otherwise than all.h5:train; they are "
           "matched by name",
           "$DLTRAIN v.ini");
    assert_true(measured("v", "loss") == loss && measured("v", "top1") == top1);
    for (int ranks = 2; ranks <= 4; ranks++) {
        program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN v.ini", ranks);
        assert_true(fabs(measured("v", "loss") - loss) < 1e-5);
        assert_true(measured("v", "top1") == top1);
    }
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN v.ini --set validate.on=rank0");
    assert_true(measured("v", "top1") == top1);
}

/* Two files are the one that they were cut from, to the bit. */
static void parts_train_as_the_whole_does(void **state) {
    double whole[MOST_LOSSES], parts[MOST_LOSSES];

    (void)state;
    for (int ranks = 1; ranks <= 4; ranks++) {
        write_job("p.ini", "all.h5:train", "all.h5:train", "3");
        program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN p.ini", ranks);
        const int n = results_numbers("p", "loss", whole, NULL, MOST_LOSSES);
        assert_int_equal(n, 12);
        write_job("p.ini", "head.h5:train + tail.h5:train", "tail.h5, head.h5", "3");
        for (int cache = 0; cache < 2; cache++) {
            program_expect(0, NULL, "$MPIRUN -np %d $DLTRAIN p.ini --set data.cache=%d", ranks,
                           cache);
            assert_int_equal(results_numbers("p", "loss", parts, NULL, MOST_LOSSES), n);
            for (int i = 0; i < n; i++)
                assert_true(parts[i] == whole[i]);
        }
    }
}

static void is_refused(int code, const char *message, const char *train, const char *validate,
                       const char *classes) {
    write_job("r.ini", train, validate, classes);
    program_expect(code, message,
                   "OMPI_MCA_odls_base_sigkill_timeout=0 $MPIRUN -np 2 $DLTRAIN "
                   "r.ini");
}

static void sets_that_do_not_belong_together_are_refused(void **state) {
    static const char *const others[] = {"cat", "dog", "fox"};

    (void)state;
    write_part("fox.h5", 0, 2, others);
    is_refused(ERR_DATA, "shapes.h5:train has image of 32x32x3, but all.h5:train of 4x4x1",
               "all.h5:train + shapes.h5:train", "all.h5", "3");
    is_refused(ERR_CONFIG, "found nothing where a file is expected", "all.h5:train +", "all.h5",
               "3");
    is_refused(ERR_IO, "none*.h5: no file matches", "none*.h5:train", "all.h5", "3");
    is_refused(ERR_DATA,
               "all.h5:train: class 'eel' of label, first in sample 2, is not known to "
               "fox.h5:train; its classes are cat, dog, eel; those of fox.h5:train are cat, dog, "
               "fox",
               "fox.h5:train", "all.h5:train", "3");
    is_refused(ERR_DATA,
               "numbers.h5:train: label has 3 classes (class 2 first in sample 2), but "
               "the network gives 2 numbers here",
               "numbers.h5:train", "numbers.h5:train", "2");
}

static void the_file_that_has_too_many_classes_is_named(void **state) {
    (void)state;
    write_part("numbers2.h5", 0, 2, NULL);
    is_refused(ERR_DATA, "numbers.h5:train: label has 3 classes (class 2 first in sample 2), but",
               "numbers2.h5:train", "numbers.h5:train", "2");
    is_refused(ERR_DATA,
               "numbers2.h5:train, numbers.h5:train: label has 3 classes (class 2 first in "
               "sample 2 of numbers.h5:train), but",
               "numbers2.h5:train, numbers.h5:train", "numbers2.h5:train", "2");
}

static void auto_is_as_many_as_there_are(void **state) {
    (void)state;
    write_job("auto.ini", "all.h5:train", "val.h5:train", "auto");
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN auto.ini");
    assert_true(measured("auto", "top1") > 0.9);
    prints("top1=1.0000", "$DLTRAIN eval auto.ini --weights runs/auto/best.h5 "
                          "--set data.validate=all.h5:train");
    /* the checkpoint knows how it counts */
    prints("top1=1.0000", "$DLTRAIN eval auto.ini --weights runs/auto/best.h5");
    prints("c: 51 parameters", "$DLTRAIN show auto.ini");
}

static void classes_that_never_occur_are_warned_of(void **state) {
    (void)state;
    write_job("spare.ini", "all.h5:train", "val.h5:train", "5");
    prints("warning: all.h5:train: label has 3 classes, but the network gives 5 numbers at "
           "spare.ini:10:8: some classes never occur",
           "$DLTRAIN spare.ini");
}

/* The same names, labels and shapes, but other pixels. */
static void a_run_is_resumed_on_the_same_pixels_only(void **state) {
    (void)state;
    program_expect(0, NULL, "cp tail.h5 pixels.h5");
    write_job("again.ini", "head.h5 + pixels.h5", "val.h5:train", "auto");
    program_expect(0, NULL, "$DLTRAIN again.ini --set epochs=2");
    write_part("pixels.h5", 12, N - 9, reversed); /* three samples on: the same labels */
    program_expect(ERR_CONFIG, "the job's head.h5 + pixels.h5 is other data: 24 samples",
                   "$MPIRUN -np 2 $DLTRAIN again.ini --resume");
    write_part("pixels.h5", 9, N - 9, reversed);
    program_expect(0, NULL, "$MPIRUN -np 2 $DLTRAIN again.ini --resume");
}

static void said(const char *keys, const char *message) {
    program_write("said.ini",
                  "[job]\nepochs = 1\n[data]\ntrain = all.h5:train\n%s\n"
                  "[net c(image)]\nfc = image | flatten | linear(3)\n"
                  "[step]\nloss = cross_entropy(c(image), label)\ntrain = c\n"
                  "optimizer = sgd(lr=0.5)\n",
                  keys);
    program_expect(message ? ERR_CONFIG : 0, message, "$MPIRUN -np 2 $DLTRAIN said.ini");
    program_expect(message ? ERR_CONFIG : 0, message, "$DLTRAIN show said.ini");
    program_expect(message ? ERR_CONFIG : 0, message, "$DLTRAIN bench said.ini --steps 1");
}

/* What [data] says of a sample is what the data has, wherever it is there. */
static void fields_that_contradict_the_data_are_refused(void **state) {
    (void)state;
    said("image = [4, 4, 1]", NULL);
    said("image = [2, 2, 1]\naugment = image | center_crop(2)", NULL);
    said("fields = label", NULL);
    said("image = [4, 4, 3]", "said.ini:5:9: image: says that image is 4x4x3 numbers, but with "
                              "all.h5:train and augment it is 4x4x1 numbers");
    said("image = [4, 4, 1]\naugment = image | center_crop(2)", "it is 2x2x1 numbers");
    said("fields = label, mask 4x4", "said.ini:5:10: fields: says that there is mask 4x4 class "
                                     "numbers, but all.h5:train has no mask");
    said("fields = label 3", "fields: says that label is 3 numbers, but with all.h5:train and "
                             "augment it is one class number");
    program_expect(0, NULL, "sed -i s/all.h5/absent.h5/ said.ini");
    program_expect(0, NULL, "sed -i \"s/label 3/label, image 4x4x1/\" said.ini");
    prints("c: 51 parameters", "$DLTRAIN show said.ini");
}

/* Images alone are enough where no measure needs a label; one that does names the file. */
static void validation_may_lack_what_it_does_not_measure(void **state) {
    const int64_t dim[] = {2, SIDE, SIDE, 1};
    unsigned char pixels[2 * AREA] = {0};
    struct err err = {0};
    struct h5 *file;

    (void)state;
    if (h5_create(&file, "bare.h5", &err) || h5_group_create(file, "/val", &err) ||
        h5_write(file, "/val/images", H5_TYPE_U8, 4, dim, pixels, &err) ||
        h5_write(file, "/val/extra", H5_TYPE_I32, 1, dim + 1, (int32_t[SIDE]){0}, &err) ||
        h5_attr_write_text(file, "/", "layout", "NHWC", &err) || h5_sync(file, &err))
        fail_msg("%s", err.msg);
    h5_close(file);
    program_write("bare.ini",
                  "[job]\nepochs = 1\n[data]\ntrain = all.h5:train\nvalidate = bare.h5:val\n"
                  "[net c(image)]\nout = image | conv(1)\n[step]\nloss = mse(c(image), image)\n"
                  "train = c\noptimizer = sgd(lr=0.01)\n[validate]\n"
                  "loss = mse(c(image), image)\nbest = loss\n");
    prints("bare.h5:val: left out, as no fields of samples: extra (4 rows)\n", "$DLTRAIN bare.ini");
    program_expect(0, NULL, "$MPIRUN -np 3 $DLTRAIN bare.ini --set name=three");
    prints("bare.h5:val: left out, as no fields of samples: extra (4 rows)\n",
           "$DLTRAIN eval runs/bare");
    program_expect(65, "bare.h5:val has no label",
                   "$MPIRUN -np 2 $DLTRAIN bare.ini --set "
                   "validate.loss=\"accuracy(c(image) | flatten, label)\"");
}

/* The same pixels as floats of another scale are no error, but measure something else. */
static void pixels_of_another_kind_are_told(void **state) {
    const int64_t dim[] = {3, SIDE, SIDE, 1};
    float pixels[3 * AREA];
    struct err err = {0};
    struct h5 *file;

    (void)state;
    for (int i = 0; i < 3 * AREA; i++)
        pixels[i] = (float)(i % 7) / 7 - 0.5F;
    if (h5_create(&file, "floats.h5", &err) || h5_group_create(file, "/train", &err) ||
        h5_write(file, "/train/images", H5_TYPE_F32, 4, dim, pixels, &err) ||
        h5_write(file, "/train/labels", H5_TYPE_I32, 1, dim, (int32_t[]){0, 1, 2}, &err) ||
        h5_sync(file, &err))
        fail_msg("%s", err.msg);
    h5_close(file);
    write_job("floats.ini", "numbers.h5", "floats.h5", "3");
    prints("image of numbers.h5 is bytes, scaled to 0 .. 1, that of floats.h5 floats, as they are "
           "stored",
           "$DLTRAIN floats.ini");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_of_validation_are_matched_by_name),
        cmocka_unit_test(parts_train_as_the_whole_does),
        cmocka_unit_test(sets_that_do_not_belong_together_are_refused),
        cmocka_unit_test(the_file_that_has_too_many_classes_is_named),
        cmocka_unit_test(validation_may_lack_what_it_does_not_measure),
        cmocka_unit_test(auto_is_as_many_as_there_are),
        cmocka_unit_test(classes_that_never_occur_are_warned_of),
        cmocka_unit_test(a_run_is_resumed_on_the_same_pixels_only),
        cmocka_unit_test(pixels_of_another_kind_are_told),
        cmocka_unit_test(fields_that_contradict_the_data_are_refused),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
