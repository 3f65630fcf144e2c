/* Several files that count as one dataset. */
#include "io/dataset/little.h"

#include <math.h>

enum { IMAGE = 0, LABEL = 1, MASK = 2 };

/* What image `row` tells of where it stands. */
static int pixel(struct dataset *ds, int64_t row) {
    struct err err = {0};
    unsigned char out[1];

    if (dataset_read(ds, IMAGE, &row, 1, out, &err))
        fail_msg("%s", err.msg);
    return out[0];
}

static void samples_follow_each_other(void **state) {
    const int64_t index[] = {5, 0, 4, 2, 2, 3, 1, 5};
    unsigned char out[8];
    struct err err = {0};
    struct dataset *ds;
    int32_t labels[8];
    int64_t row;

    (void)state;
    little("a.h5", 10, (int32_t[]){0, 1, 1}, 3, NULL);
    little("b.h5", 20, (int32_t[]){2}, 1, NULL);
    little("c.h5", 30, (int32_t[]){1, 0}, 2, NULL);
    /* nothing in memory, only the first file, all of it */
    for (int64_t cache = 0; cache <= 6; cache += 3) {
        ds = little_open("@a.h5:train + @b.h5, @c.h5:train", cache);
        assert_int_equal(dataset_in_memory(ds), cache == 6);
        assert_int_equal(dataset_len(ds), 6);
        assert_int_equal(dataset_read(ds, IMAGE, index, 8, out, &err), 0);
        assert_memory_equal(out, "\x1f\x0a\x1e\x0c\x0c\x14\x0b\x1f", 8);
        assert_int_equal(dataset_read(ds, LABEL, index, 8, labels, &err), 0);
        assert_memory_equal(labels, ((int32_t[]){0, 0, 1, 1, 1, 2, 1, 0}), sizeof labels);
        assert_memory_equal(dataset_labels(ds, LABEL), ((int32_t[]){0, 1, 1, 2, 1, 0}), 24);
        assert_int_equal(dataset_field_classes(ds, LABEL), 3);
        assert_memory_equal(dataset_class_counts(ds, LABEL), ((int64_t[]){2, 3, 1}), 24);
        assert_int_equal(dataset_class_first(ds, LABEL)[2], 3);
        assert_contains(dataset_origin(ds, IMAGE, 5, &row), "c.h5:train");
        assert_int_equal(row, 1);
        assert_int_equal(dataset_read(ds, IMAGE, (int64_t[]){6}, 1, out, &err), -1);
        assert_contains(err.msg, "row 6 of image was asked for, it has 6");
        assert_string_equal(dataset_guesses(ds), "");
        dataset_close(ds);
    }
}

static void patterns_name_shards(void **state) {
    struct dataset *ds;

    (void)state;
    little("s0.h5", 1, (int32_t[]){0}, 1, NULL);
    little("s1.h5", 5, (int32_t[]){0}, 1, NULL);
    ds = little_open("@s*.h5:train", 0);
    assert_int_equal(dataset_len(ds), 2);
    assert_int_equal(pixel(ds, 1), 5);
    dataset_close(ds);
}

static void classes_are_united_by_name(void **state) {
    struct dataset *ds;

    (void)state;
    little("a.h5", 0, (int32_t[]){0, 1}, 2, "cat dog");
    little("b.h5", 0, (int32_t[]){0, 1, 1}, 3, "ape cat");
    little("c.h5", 0, (int32_t[]){2, 1}, 2, "dog emu ape");
    ds = little_open("@a.h5, @b.h5, @c.h5", DATASET_CACHE_BYTES);
    assert_int_equal(dataset_field_classes(ds, LABEL), 4);
    assert_string_equal(dataset_class_name(ds, LABEL, 2), "ape");
    assert_string_equal(dataset_class_name(ds, LABEL, 3), "emu");
    assert_memory_equal(dataset_labels(ds, LABEL), ((int32_t[]){0, 1, 2, 0, 0, 2, 3}), 28);
    assert_memory_equal(dataset_class_counts(ds, LABEL), ((int64_t[]){3, 1, 2, 1}), 32);
    assert_true(dataset_classes_named(ds, LABEL));
    assert_contains(dataset_guesses(ds), "have different classes of label, or in another "
                                         "order; they are matched by name: cat, dog, ape, emu");
    dataset_close(ds);
}

static void copies_are_told(void **state) {
    struct dataset *ds;

    (void)state;
    little("a.h5", 0, (int32_t[]){0, 1}, 2, NULL);
    little("copy.h5", 0, (int32_t[]){0, 1}, 2, NULL);
    ds = little_open("@a.h5, @copy.h5", 0);
    assert_int_equal(dataset_len(ds), 4);
    assert_contains(dataset_guesses(ds), "copy.h5 holds the same samples as ");
    dataset_close(ds);
}

/* Bytes in one file, numbers of 4 bytes in the other; names in another order. */
static void masks_are_united_by_name(void **state) {
    static const char *const ab[] = {"a", "b"}, *const ba[] = {"b", "a"};
    const int64_t dim[] = {2, 1, 2};
    struct dataset *ds;
    struct err err = {0};
    struct h5 *file;
    int32_t out[8];

    (void)state;
    file = little_begin("a.h5", 0, (int32_t[]){0, 0}, 2, NULL);
    h5_write(file, "/train/mask", H5_TYPE_U8, 3, dim, "\0\1\xff\1", &err);
    h5_attr_write_texts(file, "/train/mask", "classes", ab, 2, &err);
    little_end(file);
    file = little_begin("b.h5", 0, (int32_t[]){0, 0}, 2, NULL);
    h5_write(file, "/train/mask", H5_TYPE_I32, 3, dim, (int32_t[]){0, -1, 1, 1}, &err);
    h5_attr_write_texts(file, "/train/mask", "classes", ba, 2, &err);
    little_end(file);
    for (int kept = 0; kept < 2; kept++) {
        ds = little_open("@a.h5 + @b.h5", kept ? DATASET_CACHE_BYTES : 0);
        assert_int_equal(dataset_read(ds, MASK, (int64_t[]){3, 0, 2, 1}, 4, out, &err), 0);
        assert_memory_equal(out, ((int32_t[]){0, 0, 0, 1, 1, -1, -1, 1}), sizeof out);
        assert_memory_equal(dataset_class_counts(ds, MASK), ((int64_t[]){3, 3}), 16);
        dataset_close(ds);
    }
}

static void numbers_stand_for_names_where_all_agree(void **state) {
    struct dataset *ds;

    (void)state;
    little("a.h5", 0, (int32_t[]){0, 1}, 2, "cat dog");
    little("n.h5", 0, (int32_t[]){1, 1}, 2, NULL);
    ds = little_open("@n.h5, @a.h5", 0);
    assert_string_equal(dataset_class_name(ds, LABEL, 1), "dog");
    assert_contains(dataset_guesses(ds),
                    "n.h5 has only numbers for the classes of label; 0 is taken for 'cat', 1 for "
                    "'dog'");
    dataset_close(ds);
    little("b.h5", 0, (int32_t[]){0, 1}, 2, "dog cat");
    little_refused(
        "@a.h5, @b.h5, @n.h5", ERR_DATA,
        "n.h5 has only numbers for the classes of label, 0 to 1, but the other parts of");
    little("n.h5", 0, (int32_t[]){2, 1}, 2, NULL);
    little_refused("@a.h5, @n.h5", ERR_DATA,
                   "n.h5: label: 3 classes by number are more than 2 names; its classes are only "
                   "numbers, 0 to 2; those of");
}

static void add_reals(const char *name, const char *field, int n, int unpaired) {
    const int64_t dim[] = {n, 2};
    float values[2 * LITTLE_MOST];
    struct err err = {0};
    char path[64];
    struct h5 *file = little_begin(name, 0, (int32_t[]){0, 0}, 2, NULL);

    for (int k = 0; k < 2 * n; k++)
        values[k] = (float)(k + 100 * (name[0] - 'a'));
    snprintf(path, sizeof path, "/train/%s", field);
    h5_write(file, path, H5_TYPE_F32, 2, dim, values, &err);
    if (unpaired)
        h5_attr_write_int(file, path, "unpaired", 1, &err);
    little_end(file);
}

/* Rows of an unpaired field are those of all parts. */
static void unpaired_rows_follow_each_other(void **state) {
    struct dataset *ds;
    struct err err = {0};
    float out[4];

    (void)state;
    add_reals("a.h5", "other", 3, 1);
    add_reals("b.h5", "other", 5, 1);
    ds = little_open("@a.h5 + @b.h5", 0);
    assert_int_equal(dataset_len(ds), 4);
    assert_int_equal(dataset_field(ds, 2)->rows, 8);
    assert_int_equal(dataset_read(ds, 2, (int64_t[]){4, 2}, 2, out, &err), 0);
    assert_true(out[0] == 102 && out[1] == 103 && out[2] == 4 && out[3] == 5);
    dataset_close(ds);
    add_reals("b.h5", "other", 2, 0);
    little_refused("@a.h5 + @b.h5", ERR_DATA, "a.h5 is unpaired, but that of");
}

static void parts_of_other_fields_are_refused(void **state) {
    struct err err = {0};
    struct h5 *file;

    (void)state;
    little("a.h5", 0, (int32_t[]){0, 0}, 2, NULL);
    add_reals("b.h5", "age", 2, 0);
    little_refused("@a.h5 + @b.h5", ERR_DATA, "a.h5 has no field age, but ");
    little_refused("@b.h5 + @a.h5", ERR_DATA, "a.h5 has no field age, but ");
    assert_int_equal(h5_create(&file, in_scratch("c.h5"), &err), 0);
    h5_write(file, "/images", H5_TYPE_U8, 4, (int64_t[]){1, 1, 2, 1}, "ab", &err);
    h5_attr_write_text(file, "/images", "layout", "NHWC", &err);
    h5_write(file, "/labels", H5_TYPE_U8, 1, (int64_t[]){1}, "\0", &err);
    little_end(file);
    little_refused("@a.h5, @c.h5", ERR_DATA, "c.h5 has image of 1x2x1, but ");
    assert_int_equal(h5_create(&file, in_scratch("c.h5"), &err), 0);
    h5_write(file, "/images", H5_TYPE_F32, 4, (int64_t[]){1, 1, 1, 1}, (float[]){1}, &err);
    h5_write(file, "/labels", H5_TYPE_U8, 1, (int64_t[]){1}, "\0", &err);
    little_end(file);
    little_refused("@a.h5, @c.h5", ERR_DATA, "c.h5 has image of images of floats, but ");
    little_refused("@a.h5, @absent.h5", ERR_IO, "absent.h5: No such file or directory");
}

static void statistics(const char *name, int n, double mean, double std) {
    static const int32_t labels[LITTLE_MOST] = {0};
    struct h5 *file = little_begin(name, 0, labels, n, NULL);
    struct err err = {0};

    if (std > 0) {
        h5_attr_write_reals(file, "/", "mean", &mean, 1, &err);
        h5_attr_write_reals(file, "/", "std", &std, 1, &err);
    }
    little_end(file);
}

/* One pixel of 0 and three of 0.4: mean 0.3, mean square 0.12. */
static void statistics_are_those_of_all_pixels(void **state) {
    struct dataset *ds;

    (void)state;
    statistics("a.h5", 1, 0.2, 0.1);
    statistics("b.h5", 3, 0.2, 0.1);
    ds = little_open("@a.h5 + @b.h5", 0);
    assert_true(*dataset_mean(ds, IMAGE) == 0.2F && *dataset_std(ds, IMAGE) == 0.1F);
    assert_string_equal(dataset_guesses(ds), "");
    dataset_close(ds);
    statistics("a.h5", 1, 0, 1e-6);
    statistics("b.h5", 3, 0.4, 1e-6);
    ds = little_open("@a.h5 + @b.h5", 0);
    assert_true(fabs((double)*dataset_mean(ds, IMAGE) - 0.3) < 1e-6);
    assert_true(fabs((double)*dataset_std(ds, IMAGE) - sqrt(0.03)) < 1e-6);
    assert_contains(dataset_guesses(ds), "have different mean and std of image");
    dataset_close(ds);
    statistics("a.h5", 1, 0, 0);
    ds = little_open("@a.h5 + @b.h5", 0);
    assert_null(dataset_mean(ds, IMAGE));
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_follow_each_other),
        cmocka_unit_test(patterns_name_shards),
        cmocka_unit_test(classes_are_united_by_name),
        cmocka_unit_test(copies_are_told),
        cmocka_unit_test(masks_are_united_by_name),
        cmocka_unit_test(numbers_stand_for_names_where_all_agree),
        cmocka_unit_test(unpaired_rows_follow_each_other),
        cmocka_unit_test(parts_of_other_fields_are_refused),
        cmocka_unit_test(statistics_are_those_of_all_pixels),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
