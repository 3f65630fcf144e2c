/* Datasets of other fields than one image and one label. */
#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/h5/h5.h"

enum { N = 6, H = 2, W = 3, AREA = H * W };

static struct h5 *begin(void) {
    struct h5 *file;
    struct err err = {0};

    assert_int_equal(h5_create(&file, in_scratch("f.h5"), &err), 0);
    assert_int_equal(h5_group_create(file, "/train", &err), 0);
    return file;
}

/* Number j of the whole dataset is (first + j) % modulus. */
static void add(struct h5 *file, const char *path, enum h5_type type, int rank, const int64_t *dim,
                int first, int modulus) {
    int64_t len = 1;
    struct err err = {0};

    for (int i = 0; i < rank; i++)
        len *= dim[i];
    unsigned char *bytes = malloc((size_t)len);
    int32_t *ints = malloc((size_t)len * 4);
    float *floats = malloc((size_t)len * 4);
    for (int64_t j = 0; j < len; j++) {
        ints[j] = (int32_t)((first + j) % modulus);
        bytes[j] = (unsigned char)ints[j];
        floats[j] = (float)ints[j] + 0.5F;
    }
    const void *values = type == H5_TYPE_U8    ? (const void *)bytes
                         : type == H5_TYPE_I32 ? (const void *)ints
                                               : (const void *)floats;
    assert_int_equal(h5_write(file, path, type, rank, dim, values, &err), 0);
    free(bytes);
    free(ints);
    free(floats);
}

static void text(struct h5 *file, const char *path, const char *name, const char *value) {
    struct err err = {0};

    assert_int_equal(h5_attr_write_text(file, path, name, value, &err), 0);
}

static void finish(struct h5 *file) {
    struct err err = {0};

    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static struct dataset *opened(const char *group, int64_t cache_bytes) {
    struct dataset *ds = NULL;
    struct err err = {0};
    char spec[600];

    snprintf(spec, sizeof spec, "%s%s", in_scratch("f.h5"), group);
    if (dataset_open(&ds, spec, cache_bytes, &err))
        fail_msg("%s", err.msg);
    return ds;
}

static void refused(const char *group, const char *message) {
    struct dataset *ds = NULL;
    struct err err = {0};
    char spec[600];

    snprintf(spec, sizeof spec, "%s%s", in_scratch("f.h5"), group);
    assert_int_equal(dataset_open(&ds, spec, DATASET_CACHE_BYTES, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, message);
    assert_null(strchr(err.msg, '\n'));
}

/* Field i is called name, of that kind and shape (rank 0 where it has no dimension). */
static void is_field(const struct dataset *ds, int i, const char *name, enum dataset_kind kind,
                     struct shape sample) {
    const struct dataset_field *f = dataset_field(ds, i);

    assert_string_equal(f->name, name);
    assert_int_equal(f->kind, kind);
    assert_true(shape_equal(&f->sample, &sample));
    assert_int_equal(dataset_find_field(ds, name), i);
}

static void every_dataset_of_the_group_is_a_field(void **state) {
    struct h5 *file = begin();

    (void)state;
    add(file, "/train/images", H5_TYPE_U8, 4, (int64_t[]){N, H, W, 3}, 0, 250);
    add(file, "/train/labels", H5_TYPE_I32, 1, (int64_t[]){N}, 0, 3);
    add(file, "/train/mask", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, 0, 4);
    add(file, "/train/after", H5_TYPE_U8, 4, (int64_t[]){N, 5, 5, 1}, 0, 250);
    add(file, "/train/age", H5_TYPE_F32, 1, (int64_t[]){N}, 0, 100);
    add(file, "/train/box", H5_TYPE_F32, 2, (int64_t[]){N, 4}, 0, 100);
    add(file, "/train/words", H5_TYPE_I32, 2, (int64_t[]){N, 7}, 0, 9);
    add(file, "/train/sex", H5_TYPE_I32, 1, (int64_t[]){N}, 0, 2);
    add(file, "/train/extra", H5_TYPE_I32, 1, (int64_t[]){N + 1}, 0, 2);
    add(file, "/train/no-name", H5_TYPE_I32, 1, (int64_t[]){N}, 0, 2);
    finish(file);
    struct dataset *ds = opened(":train", DATASET_CACHE_BYTES);
    assert_int_equal(dataset_n_fields(ds), 8);
    is_field(ds, 0, "image", DATASET_BYTES, (struct shape){3, {H, W, 3}});
    is_field(ds, 1, "label", DATASET_CLASS, (struct shape){0});
    is_field(ds, 2, "after", DATASET_BYTES, (struct shape){3, {5, 5, 1}});
    is_field(ds, 3, "age", DATASET_REALS, (struct shape){0});
    is_field(ds, 4, "box", DATASET_REALS, (struct shape){1, {4}});
    is_field(ds, 5, "mask", DATASET_CLASS, (struct shape){2, {H, W}});
    is_field(ds, 6, "sex", DATASET_CLASS, (struct shape){0});
    is_field(ds, 7, "words", DATASET_CLASS, (struct shape){1, {7}});
    assert_int_equal(dataset_field_classes(ds, 1), 3);
    assert_int_equal(dataset_field_classes(ds, 7), 9);
    assert_int_equal(dataset_labels(ds, 6)[3], 1);
    assert_null(dataset_labels(ds, 5));
    assert_string_equal(dataset_ignored(ds), "extra (7 rows), no-name (no name for a field)");
    dataset_close(ds);
}

static void too_many_fields_are_named(void **state) {
    struct h5 *file = begin();
    char path[32];

    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(path, sizeof path, "/train/f%d", i);
        add(file, path, H5_TYPE_F32, 1, (int64_t[]){N}, 0, 9);
    }
    finish(file);
    refused(":train", "has 10 fields, expected at most 8: f0, f1, f2, f3, f4, f5, f6, f7, f8, f9");
}

/* A mask of bytes 0 1 2 255 and so on: 255 does not count. */
static void places_that_do_not_count_are_minus_one(void **state) {
    const unsigned char mask[N * AREA] = {0, 1, 2, 255, 2, 2};
    const int64_t rows[] = {1, 0};

    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        struct h5 *file = begin();
        int32_t out[2 * AREA];
        struct err err = {0};

        add(file, "/train/images", H5_TYPE_U8, 4, (int64_t[]){N, H, W, 3}, 0, 250);
        h5_write(file, "/train/mask", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, mask, &err);
        finish(file);
        struct dataset *ds = opened(":train", kept ? DATASET_CACHE_BYTES : 0);
        assert_int_equal(dataset_in_memory(ds), kept);
        assert_int_equal(dataset_field_classes(ds, 1), 3);
        assert_int_equal(dataset_class_counts(ds, 1)[0], N * AREA - 5);
        assert_int_equal(dataset_class_counts(ds, 1)[1], 1);
        assert_int_equal(dataset_class_counts(ds, 1)[2], 3);
        assert_int_equal(dataset_read(ds, 1, rows, 2, out, &err), 0);
        for (int i = 0; i < AREA; i++) {
            assert_int_equal(out[i], 0);
            assert_int_equal(out[AREA + i], mask[i] == 255 ? -1 : mask[i]);
        }
        dataset_close(ds);
    }
}

static void integers_mark_what_does_not_count_by_minus_one(void **state) {
    const int32_t mask[N * AREA] = {300, -1, 2}, wrong[N * AREA] = {0, 0, 0, 0, 0, 0, 0, -2};
    struct err err = {0};
    struct h5 *file = begin();
    int32_t out[AREA];

    (void)state;
    h5_write(file, "/train/mask", H5_TYPE_I32, 3, (int64_t[]){N, H, W}, mask, &err);
    finish(file);
    struct dataset *ds = opened("", 0);
    assert_int_equal(dataset_field_classes(ds, 0), 301);
    assert_int_equal(dataset_read(ds, 0, (const int64_t[]){0}, 1, out, &err), 0);
    assert_true(out[0] == 300 && out[1] == -1 && out[2] == 2);
    dataset_close(ds);
    file = begin();
    h5_write(file, "/train/mask", H5_TYPE_I32, 3, (int64_t[]){N, H, W}, wrong, &err);
    finish(file);
    refused("", "mask of sample 1 holds class -2, expected 0 to 16777215, or -1 for what does not");
}

static void masks_of_0_and_255_are_refused(void **state) {
    const unsigned char mask[N * AREA] = {0, 255};
    struct err err = {0};
    struct h5 *file = begin();

    (void)state;
    h5_write(file, "/train/mask", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, mask, &err);
    finish(file);
    refused("", "/train/mask holds 0 and 255 only, and 255 is for what does not count; store");
}

static void class_names_bound_the_classes_of_a_mask(void **state) {
    static const char *const names[] = {"sky", "sea"};
    struct err err = {0};
    struct h5 *file = begin();

    (void)state;
    add(file, "/train/mask", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, 0, 3);
    h5_attr_write_texts(file, "/train/mask", "classes", names, 2, &err);
    finish(file);
    refused("",
            "mask of sample 0 holds class 2, expected 0 to 1 (the attribute classes has 2 names), "
            "or 255 for what does not count");
}

/* What the file counts is believed when it is opened, and looked at when it is read. */
/* A mask of so many rows of one place, 0 everywhere but in row `at`, and counts that know of two
 * classes. */
static void write_counted(int rows, int at) {
    static unsigned char mask[200];
    struct err err = {0};
    struct h5 *file = begin();

    memset(mask, 0, sizeof mask);
    mask[at] = 2;
    h5_write(file, "/train/mask", H5_TYPE_U8, 3, (int64_t[]){rows, 1, 1}, mask, &err);
    h5_attr_write_reals(file, "/train/mask", "class_counts", (double[]){rows - 1, 1}, 2, &err);
    finish(file);
}

static void counts_of_the_file_save_a_pass(void **state) {
    struct err err = {0};
    int32_t out[1];

    (void)state;
    write_counted(200, 1); /* is none of those that are looked at first */
    struct dataset *ds = opened("", 0);
    assert_int_equal(dataset_field_classes(ds, 0), 2);
    assert_int_equal(dataset_class_counts(ds, 0)[1], 1);
    assert_int_equal(dataset_read(ds, 0, (const int64_t[]){1}, 1, out, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "/train/mask of sample 1 holds class 2, expected 0 to 1");
    dataset_close(ds);
    ds = opened("", DATASET_CACHE_BYTES);
    assert_int_equal(dataset_field_classes(ds, 0), 3);
    dataset_close(ds);
    write_counted(3, 1);
    assert_int_equal(dataset_open(&ds, in_scratch("f.h5"), 0, &err), -1);
    assert_contains(err.msg, "/train/mask of sample 1 holds class 2, expected 0 to 1");
    struct h5 *file = begin();
    h5_write(file, "/train/mask", H5_TYPE_U8, 3, (int64_t[]){3, 1, 1}, "\0\1\1", &err);
    h5_attr_write_reals(file, "/train/mask", "class_counts", (double[]){3, 2}, 2, &err);
    finish(file);
    assert_int_equal(dataset_open(&ds, in_scratch("f.h5"), 0, &err), -1);
    assert_contains(err.msg, "class_counts of /train/mask counts 2 more than there are");
}

static void the_attribute_kind_decides(void **state) {
    struct h5 *file = begin();
    struct err err = {0};
    float out[AREA];

    (void)state;
    add(file, "/train/a", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, 0, 250);
    text(file, "/train/a", "kind", "image");
    add(file, "/train/b", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, 0, 250);
    text(file, "/train/b", "kind", "real");
    add(file, "/train/c", H5_TYPE_U8, 4, (int64_t[]){N, H, W, 1}, 0, 5);
    text(file, "/train/c", "kind", "class");
    add(file, "/train/d", H5_TYPE_F32, 3, (int64_t[]){N, H, W}, 0, 5);
    text(file, "/train/d", "kind", "image");
    add(file, "/train/labels", H5_TYPE_F32, 1, (int64_t[]){N}, 0, 5);
    text(file, "/train/labels", "kind", "real");
    finish(file);
    struct dataset *ds = opened(":train", 0);
    is_field(ds, 0, "label", DATASET_REALS, (struct shape){0});
    is_field(ds, 1, "a", DATASET_BYTES, (struct shape){3, {H, W, 1}});
    is_field(ds, 2, "b", DATASET_REALS, (struct shape){2, {H, W}});
    is_field(ds, 3, "c", DATASET_CLASS, (struct shape){2, {H, W}});
    is_field(ds, 4, "d", DATASET_REALS, (struct shape){3, {H, W, 1}});
    assert_true(dataset_field(ds, 1)->image && dataset_field(ds, 4)->image);
    assert_int_equal(dataset_read(ds, 2, (const int64_t[]){2}, 1, out, &err), 0);
    assert_true(out[0] == 2 * AREA && out[5] == 2 * AREA + 5); /* not divided by 255 */
    dataset_close(ds);
    file = begin();
    add(file, "/train/a", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, 0, 250);
    text(file, "/train/a", "kind", "picture");
    finish(file);
    refused("",
            "attribute kind of /train/a is 'picture', expected image, class, real, boxes or masks");
    file = begin();
    add(file, "/train/a", H5_TYPE_U8, 5, (int64_t[]){N, 2, 2, 2, 2}, 0, 250);
    finish(file);
    refused("",
            "/train/a is uint8 [n, 2, 2, 2, 2]; say what it is: f['/train/a'].attrs['kind'] = ");
    file = begin();
    add(file, "/train/a", H5_TYPE_F32, 3, (int64_t[]){N, 2, 2}, 0, 250);
    text(file, "/train/a", "kind", "class");
    finish(file);
    refused("", "/train/a is float32 [n, 2, 2], expected integers, for its attribute kind = class");
}

static void fields_without_an_image_must_agree_or_be_unpaired(void **state) {
    struct err err = {0};

    (void)state;
    for (int unpaired = 0; unpaired < 2; unpaired++) {
        struct h5 *file = begin();
        unsigned char out[AREA * 3];

        add(file, "/train/a", H5_TYPE_U8, 4, (int64_t[]){N, H, W, 3}, 0, 250);
        add(file, "/train/b", H5_TYPE_U8, 4, (int64_t[]){N + 3, H, W, 3}, 0, 250);
        if (unpaired)
            h5_attr_write_int(file, "/train/b", "unpaired", 1, &err);
        finish(file);
        if (!unpaired) {
            refused("", "a has 6 rows but b has 9; where they do not belong together, give one of "
                        "them the attribute unpaired = 1");
            continue;
        }
        struct dataset *ds = opened("", DATASET_CACHE_BYTES);
        assert_int_equal(dataset_len(ds), N);
        assert_true(!dataset_field(ds, 0)->unpaired && dataset_field(ds, 1)->unpaired);
        assert_int_equal(dataset_field(ds, 1)->rows, N + 3);
        assert_int_equal(dataset_read(ds, 1, (const int64_t[]){N + 2}, 1, out, &err), 0);
        assert_int_equal(out[0], (N + 2) * AREA * 3);
        dataset_close(ds);
    }
}

static void statistics_of_the_group_are_those_of_its_first_image(void **state) {
    const double mean[] = {0.5, 0.25, 0.125}, std[] = {0.1, 0.2, 0.3}, one[] = {0.75};
    struct h5 *file = begin();
    struct err err = {0};

    (void)state;
    add(file, "/train/images", H5_TYPE_U8, 4, (int64_t[]){N, H, W, 3}, 0, 250);
    add(file, "/train/b", H5_TYPE_U8, 4, (int64_t[]){N, H, W, 1}, 0, 250);
    add(file, "/train/c", H5_TYPE_U8, 4, (int64_t[]){N, H, W, 3}, 0, 250);
    h5_attr_write_reals(file, "/train", "mean", mean, 3, &err);
    h5_attr_write_reals(file, "/train", "std", std, 3, &err);
    h5_attr_write_reals(file, "/train/b", "mean", one, 1, &err);
    h5_attr_write_reals(file, "/train/b", "std", one, 1, &err);
    finish(file);
    struct dataset *ds = opened("", 0);
    assert_true(dataset_mean(ds, 0)[2] == 0.125F);
    assert_true(dataset_mean(ds, 1)[0] == 0.75F);
    assert_null(dataset_mean(ds, 2));
    dataset_close(ds);
}

static void splits_may_be_named_in_the_datasets(void **state) {
    struct h5 *file;
    struct err err = {0};

    (void)state;
    assert_int_equal(h5_create(&file, in_scratch("f.h5"), &err), 0);
    add(file, "/x_train", H5_TYPE_U8, 4, (int64_t[]){N, H, W, 3}, 0, 250);
    add(file, "/x_test", H5_TYPE_U8, 4, (int64_t[]){N - 1, H, W, 3}, 0, 250);
    add(file, "/train_mask", H5_TYPE_U8, 3, (int64_t[]){N, H, W}, 0, 4);
    add(file, "/mask_test", H5_TYPE_U8, 3, (int64_t[]){N - 1, H, W}, 0, 4);
    finish(file);
    for (int test = 0; test < 2; test++) {
        struct dataset *ds = opened(test ? ":test" : ":train", 0);

        assert_int_equal(dataset_len(ds), N - test);
        assert_int_equal(dataset_n_fields(ds), 2);
        assert_int_equal(dataset_find_field(ds, "mask"), 1);
        dataset_close(ds);
    }
    struct dataset *ds = opened(":x_test", 0); /* named by its dataset */
    assert_int_equal(dataset_len(ds), N - 1);
    dataset_close(ds);
    refused("", "which split? It has test, train; write ");
}

static void groups_without_fields_are_refused(void **state) {
    struct h5 *file = begin();

    (void)state;
    finish(file);
    refused(":train", "f.h5:train: has no dataset images, image, x, X or data and no other fields "
                      "of samples; it has groups: none; datasets: none");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dataset_of_the_group_is_a_field),
        cmocka_unit_test(too_many_fields_are_named),
        cmocka_unit_test(places_that_do_not_count_are_minus_one),
        cmocka_unit_test(integers_mark_what_does_not_count_by_minus_one),
        cmocka_unit_test(masks_of_0_and_255_are_refused),
        cmocka_unit_test(class_names_bound_the_classes_of_a_mask),
        cmocka_unit_test(counts_of_the_file_save_a_pass),
        cmocka_unit_test(the_attribute_kind_decides),
        cmocka_unit_test(fields_without_an_image_must_agree_or_be_unpaired),
        cmocka_unit_test(statistics_of_the_group_are_those_of_its_first_image),
        cmocka_unit_test(splits_may_be_named_in_the_datasets),
        cmocka_unit_test(groups_without_fields_are_refused),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
