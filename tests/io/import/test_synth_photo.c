/* Pictures like those of ImageNet, made on the spot. */
#include "io/scratch.h"

#include "io/import/synth_imagenet.h"
#include "io/import/synth_photo.h"

static struct image drawn(uint64_t seed, int split, int64_t i, int class) {
    struct image image = {0};
    struct err err = {0};

    if (photo_draw(seed, split, i, class, &image, &err))
        fail_msg("%s", err.msg);
    return image;
}

static bool equal(const struct image *a, const struct image *b) {
    return a->width == b->width && a->height == b->height &&
           !memcmp(a->pixels, b->pixels, (size_t)(a->width * a->height * 3));
}

static void samples_are_functions_of_seed_split_and_number(void **state) {
    struct image model = drawn(1, 0, 7, 3);
    struct image others[] = {drawn(1, 0, 7, 3), drawn(2, 0, 7, 3), drawn(1, 1, 7, 3),
                             drawn(1, 0, 8, 3)};

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(equal(&model, &others[i]), i == 0);
        image_release(&others[i]);
    }
    image_release(&model);
}

static void a_thousand_classes_have_names_of_their_own(void **state) {
    static char names[PHOTO_MOST_CLASSES][PHOTO_NAME];

    (void)state;
    assert_int_equal(PHOTO_MOST_CLASSES, 1000);
    for (int i = 0; i < PHOTO_MOST_CLASSES; i++) {
        photo_class_name(i, names[i]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(names[i], names[k]);
    }
    assert_string_equal(names[0], "circle_striped_000");
    assert_string_equal(names[1], "square_checked_054");
}

static void they_are_as_large_as_photographs(void **state) {
    enum { N = 16 };
    size_t sum = 0;

    (void)state;
    for (int i = 0; i < N; i++) {
        struct image image = drawn(5, 0, i, i * 61);
        unsigned char *bytes;
        struct err err = {0};
        size_t len;

        assert_true(image.width >= 400 && image.width <= 500 && image.height >= 400 &&
                    image.height <= 500);
        assert_int_equal(image_encode_jpeg(&image, PHOTO_QUALITY, "x", &bytes, &len, &err), 0);
        sum += len;
        free(bytes);
        image_release(&image);
    }
    if (sum / N < 80000 || sum / N > 130000)
        fail_msg("%zu bytes", sum / N);
}

/* Red of the mean pixel, less its blue and green: of classes that differ in nothing but hue, red
 * and cyan. */
static double redness(int class, int64_t i) {
    struct image image = drawn(9, 0, i, class);
    double sum = 0;

    for (int p = 0; p < image.width * image.height; p++)
        sum += image.pixels[3 * p] - 0.5 * (image.pixels[3 * p + 1] + image.pixels[3 * p + 2]);
    sum /= image.width * image.height;
    image_release(&image);
    return sum;
}

static void the_hue_of_a_class_shows(void **state) {
    enum { N = 12, CYAN = 500 }; /* 10 hues on */
    char name[PHOTO_NAME];
    double red = 0, cyan = 0;

    (void)state;
    assert_string_equal(photo_class_name(CYAN, name), "circle_striped_180");
    for (int i = 0; i < N; i++) {
        red += redness(0, i) / N;
        cyan += redness(CYAN, i) / N;
    }
    if (red - cyan < 15)
        fail_msg("%g and %g", red, cyan);
}

static void threads_do_not_change_the_file(void **state) {
    const struct synth_imagenet what = {.samples = 30, .classes = 4, .seed = 2};
    unsigned char *bytes[2];
    size_t len[2];

    (void)state;
    assert_int_equal(synth_imagenet_len(&what, SYNTH_IMAGENET_TRAIN), 29);
    assert_int_equal(synth_imagenet_len(&what, SYNTH_IMAGENET_VALIDATE), 1);
    for (int i = 0; i < 2; i++) {
        const struct import_options how = {.threads = 1 + i};
        struct import_result result = {0};
        struct err err = {0};

        if (synth_imagenet_write(in_scratch("s.h5"), &what, &how, &result, &err))
            fail_msg("%s", err.msg);
        assert_true(result.n_images == 30 && result.n_classes == 4 && result.n_splits == 2);
        bytes[i] = read_bytes(in_scratch("s.h5"), &len[i]);
    }
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(bytes[0], bytes[1], len[0]);
    free(bytes[0]);
    free(bytes[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_functions_of_seed_split_and_number),
        cmocka_unit_test(a_thousand_classes_have_names_of_their_own),
        cmocka_unit_test(they_are_as_large_as_photographs),
        cmocka_unit_test(the_hue_of_a_class_shows),
        cmocka_unit_test(threads_do_not_change_the_file),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
