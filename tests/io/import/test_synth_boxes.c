/* Made pictures with boxes: the boxes are around what is drawn. */
#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/import/synth_boxes.h"

enum { SIDE = 64, MOST = 4, N = 60, LEVELS = 40, EDGE = 2 };

static const struct synth_boxes small = {
    .n_train = N, .n_test = 5, .side = SIDE, .classes = 3, .most = MOST, .seed = 3};

static void samples_are_functions_of_seed_split_and_number(void **state) {
    static unsigned char a[SIDE * SIDE * 3], b[SIDE * SIDE * 3];
    float boxes[MOST * 5], again[MOST * 5];
    struct synth_boxes other = small;

    (void)state;
    synth_boxes_sample(&small, SYNTH_TRAIN, 7, a, boxes);
    synth_boxes_sample(&small, SYNTH_TRAIN, 7, b, again);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(boxes, again, sizeof boxes);
    synth_boxes_sample(&small, SYNTH_TEST, 7, b, again);
    assert_memory_not_equal(a, b, sizeof a);
    other.seed = 4;
    synth_boxes_sample(&other, SYNTH_TRAIN, 7, b, again);
    assert_memory_not_equal(a, b, sizeof a);
}

/* Does a pixel differ from the ground, which is that of the corner, by more than noise? */
static bool stands_out(const unsigned char *pixels, int x, int y) {
    int most = 0;

    for (int c = 0; c < 3; c++) {
        const int d = abs(pixels[3 * (y * SIDE + x) + c] - pixels[c]);
        most = d > most ? d : most;
    }
    return most > LEVELS;
}

static bool within(const float *b, int x, int y) {
    return (float)x >= b[0] - 1 && (float)x < b[2] + 1 && (float)y >= b[1] - 1 &&
           (float)y < b[3] + 1;
}

static void boxes_are_tight_around_all_that_is_drawn(void **state) {
    static unsigned char pixels[SIDE * SIDE * 3];
    float boxes[MOST * 5];
    int empty = 0, classes[3] = {0};

    (void)state;
    for (int i = 0; i < N; i++) {
        int n = 0;

        synth_boxes_sample(&small, SYNTH_TRAIN, i, pixels, boxes);
        while (n < MOST && boxes[n * 5 + 4] >= 0)
            classes[(int)boxes[n++ * 5 + 4]]++;
        empty += !n;
        for (int p = 0; p < SIDE * SIDE; p++) {
            bool inside = false;

            for (int k = 0; k < n; k++)
                inside = inside || within(boxes + (ptrdiff_t)k * 5, p % SIDE, p / SIDE);
            if (!inside)
                assert_false(stands_out(pixels, p % SIDE, p / SIDE));
        }
        for (int k = 0; k < n; k++) { /* something is drawn at its upper and lower edge */
            const float *b = boxes + (ptrdiff_t)k * 5;
            bool top = false, bottom = false;

            for (int x = (int)b[0]; x < (int)b[2]; x++)
                for (int y = 0; y < EDGE; y++) {
                    top = top || stands_out(pixels, x, (int)b[1] + y);
                    bottom = bottom || stands_out(pixels, x, (int)b[3] - 1 - y);
                }
            assert_true(top && bottom);
        }
    }
    assert_true(empty > 0 && empty < N / 2);
    assert_true(classes[0] && classes[1] && classes[2]);
}

static void the_file_has_boxes_of_named_classes(void **state) {
    struct dataset *ds;
    struct err err = {0};
    char spec[600];

    (void)state;
    assert_int_equal(synth_boxes_write(in_scratch("s.h5"), &small, &err), 0);
    snprintf(spec, sizeof spec, "%s:train", in_scratch("s.h5"));
    if (dataset_open(&ds, spec, 0, &err))
        fail_msg("%s", err.msg);
    const int i = dataset_find_field(ds, "boxes");
    assert_true(dataset_field(ds, i)->boxes);
    assert_int_equal(dataset_len(ds), N);
    assert_int_equal(dataset_field_classes(ds, i), 3);
    assert_string_equal(dataset_class_name(ds, i, 2), "triangle");
    assert_string_equal(dataset_guesses(ds), "");
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_functions_of_seed_split_and_number),
        cmocka_unit_test(boxes_are_tight_around_all_that_is_drawn),
        cmocka_unit_test(the_file_has_boxes_of_named_classes),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
