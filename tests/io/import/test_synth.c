#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/import/synth.h"

static void samples_are_functions_of_seed_split_and_number(void **state) {
    unsigned char a[SYNTH_BYTES], b[SYNTH_BYTES];

    (void)state;
    synth_image(1, SYNTH_TRAIN, 7, a);
    synth_image(1, SYNTH_TRAIN, 7, b);
    assert_memory_equal(a, b, SYNTH_BYTES);
    synth_image(2, SYNTH_TRAIN, 7, b);
    assert_memory_not_equal(a, b, SYNTH_BYTES);
    synth_image(1, SYNTH_TEST, 7, b);
    assert_memory_not_equal(a, b, SYNTH_BYTES);
    synth_image(1, SYNTH_TRAIN, 17, b); /* of the same class */
    assert_memory_not_equal(a, b, SYNTH_BYTES);
}

static void the_file_is_a_dataset_of_ten_equal_classes(void **state) {
    const struct synth_options options = {.n_train = 130, .n_test = 20, .seed = 3};
    unsigned char written[SYNTH_BYTES], drawn[SYNTH_BYTES];
    const int64_t index = 123;
    int count[SYNTH_CLASSES] = {0};
    struct err err = {0};
    struct dataset *ds;
    char spec[600];

    (void)state;
    assert_int_equal(synth_write(in_scratch("s.h5"), &options, &err), 0);
    snprintf(spec, sizeof spec, "%s:train", in_scratch("s.h5"));
    if (dataset_open(&ds, spec, 0, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(dataset_len(ds), 130);
    assert_int_equal(dataset_field_classes(ds, 1), SYNTH_CLASSES);
    assert_string_equal(dataset_class_name(ds, 1, 2), "triangle");
    for (int i = 0; i < 130; i++)
        count[dataset_labels(ds, 1)[i]]++;
    for (int c = 0; c < SYNTH_CLASSES; c++)
        assert_int_equal(count[c], 13);
    assert_int_equal(dataset_read(ds, 0, &index, 1, written, &err), 0);
    synth_image(3, SYNTH_TRAIN, index, drawn);
    assert_memory_equal(written, drawn, SYNTH_BYTES);
    assert_non_null(dataset_mean(ds, 0));
    dataset_close(ds);
}

/* Nearest class mean, a linear classifier: on colours and places drawn at random it must stay near
 * guessing (10 %). */
static void class_means_tell_nothing(void **state) {
    enum { TRAIN = 2000, TEST = 500 };
    static double mean[SYNTH_CLASSES][SYNTH_BYTES];
    unsigned char image[SYNTH_BYTES];
    int right = 0;

    (void)state;
    for (int i = 0; i < TRAIN; i++) {
        synth_image(1, SYNTH_TRAIN, i, image);
        for (int j = 0; j < SYNTH_BYTES; j++)
            mean[synth_class(i)][j] += (double)image[j] * SYNTH_CLASSES / TRAIN;
    }
    for (int i = 0; i < TEST; i++) {
        double least = 1e300;
        int best = -1;

        synth_image(1, SYNTH_TEST, i, image);
        for (int c = 0; c < SYNTH_CLASSES; c++) {
            double square = 0;

            for (int j = 0; j < SYNTH_BYTES; j++)
                square += (image[j] - mean[c][j]) * (image[j] - mean[c][j]);
            if (square < least) {
                least = square;
                best = c;
            }
        }
        right += best == synth_class(i);
    }
    if (right > TEST * 25 / 100)
        fail_msg("%d of %d right", right, TEST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_functions_of_seed_split_and_number),
        cmocka_unit_test(the_file_is_a_dataset_of_ten_equal_classes),
        cmocka_unit_test(class_means_tell_nothing),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
