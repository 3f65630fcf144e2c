/* What is said of data that is read as it stands, and may have been meant otherwise. */
#include "io/dataset/little.h"

enum { N = 4 };

static const int64_t pixels_dim[] = {N, 1, 1, 1}, places_dim[] = {N, 1, 2};

/* What is said of the file, in text[1000]. */
static const char *said(const char *spec, int64_t cache_bytes, char *text) {
    struct dataset *ds = little_open(spec, cache_bytes);

    snprintf(text, 1000, "%s", dataset_guesses(ds));
    dataset_close(ds);
    return text;
}

static void numbers_from_1_and_with_gaps_are_told(void **state) {
    char text[1000];

    (void)state;
    little("n.h5", 0, (int32_t[]){1, 2, 3, 1}, N, NULL);
    assert_string_equal(said("@n.h5:train", 0, text),
                        "/train/labels: class 0 never occurs; classes are counted from 0: should "
                        "the numbers begin with 1, store y - 1");
    little("n.h5", 0, (int32_t[]){0, 100, 200, 0}, N, NULL);
    assert_contains(said("@n.h5:train", 0, text),
                    "/train/labels: the largest number, 200, makes 201 classes, of which 198 never "
                    "occur");
    little("n.h5", 0, (int32_t[]){0, 1, 3, 0}, N, NULL);
    assert_string_equal(said("@n.h5:train", 0, text), "");
    little("n.h5", 0, (int32_t[]){1, 1, 1, 1}, N, "cat dog");
    assert_string_equal(said("@n.h5:train", 0, text), "");
}

/* A file of each class is how many keep them. */
static void parts_may_lack_classes(void **state) {
    char text[1000];

    (void)state;
    little("p.h5", 0, (int32_t[]){0, 0, 0, 0}, N, NULL);
    little("q.h5", 4, (int32_t[]){1, 1, 1, 1}, N, NULL);
    assert_string_equal(said("@p.h5:train + @q.h5:train", 0, text), "");
}

static void names_of_classes_that_are_not_read_are_told(void **state) {
    const char *const names[] = {"cat", "dog"};
    const int32_t labels[N] = {0, 1, 0, 1};
    struct err err = {0};
    char text[1000];

    (void)state;
    struct h5 *file = little_begin("c.h5", 0, labels, N, NULL);
    h5_attr_write_texts(file, "/train", "class_names", names, 2, &err);
    little_end(file);
    assert_string_equal(said("@c.h5:train", 0, text),
                        "/train/labels: class_names of /train is not read; the names of classes "
                        "are those of the attribute classes: "
                        "f['/train/labels'].attrs['classes'] = [...]");
    file = little_begin("d.h5", 0, labels, N, NULL);
    h5_write(file, "/list_classes", H5_TYPE_U8, 1, (int64_t[]){2}, "ab", &err);
    little_end(file);
    assert_contains(said("@d.h5:train", 0, text), "/train/labels: list_classes of / is not read");
}

/* One file with images of those floats, and a mask of bytes. */
static void write_floats(const float *pixels, const unsigned char *mask) {
    struct err err = {0};
    struct h5 *file;

    assert_int_equal(h5_create(&file, in_scratch("f.h5"), &err), 0);
    assert_int_equal(h5_group_create(file, "/train", &err), 0);
    assert_int_equal(h5_write(file, "/train/images", H5_TYPE_F32, 4, pixels_dim, pixels, &err), 0);
    assert_int_equal(h5_write(file, "/train/mask", H5_TYPE_U8, 3, places_dim, mask, &err), 0);
    little_end(file);
}

static void floats_that_look_like_bytes_are_told(void **state) {
    static const unsigned char mask[N * 2] = {0, 1, 0, 1, 0, 1, 0, 1};
    char text[1000];

    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        const int64_t cache = kept ? DATASET_CACHE_BYTES : 0;

        write_floats((float[]){0, 3, 128, 255}, mask);
        assert_string_equal(said("@f.h5:train", cache, text),
                            "/train/images: floats of whole numbers, 0 to 255, stay as they are; "
                            "to have them scaled to 0 .. 1, store them as uint8");
        write_floats((float[]){0, 3, 128.5F, 255}, mask);
        assert_string_equal(said("@f.h5:train", cache, text), "");
        write_floats((float[]){-1, 3, 128, 255}, mask);
        assert_string_equal(said("@f.h5:train", cache, text), "");
        write_floats((float[]){0, 1, 0, 1}, mask);
        assert_string_equal(said("@f.h5:train", cache, text), "");
    }
}

static void that_255_does_not_count_is_told(void **state) {
    static const unsigned char mask[N * 2] = {0, 1, 0, 255, 0, 1, 0, 1};
    char text[1000];

    (void)state;
    write_floats((float[]){0, 1, 0, 1}, mask);
    assert_string_equal(said("@f.h5:train", 0, text),
                        "/train/mask: 255 stands for what does not count");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_from_1_and_with_gaps_are_told),
        cmocka_unit_test(parts_may_lack_classes),
        cmocka_unit_test(names_of_classes_that_are_not_read_are_told),
        cmocka_unit_test(floats_that_look_like_bytes_are_told),
        cmocka_unit_test(that_255_does_not_count_is_told),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
