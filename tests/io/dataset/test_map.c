/* Classes of one file as another counts them. */
#include "io/dataset/little.h"

enum { LABEL = 1, MASK = 2, N = 5 };

static const char *const three[] = {"cat", "dog", "eel"};
static const struct class_list list = {three, 3, "a.h5:train"};

/* Labels dog, eel, dog, eel, eel of a file that has no cats, and masks of the same. */
static void write_val(void) {
    static const unsigned char mask[N * 2] = {0, 255, 1, 1, 255, 0, 1, 0, 255, 255};
    static const char *const mask_names[] = {"eel", "cat"};
    struct h5 *file = little_begin("v.h5", 0, (int32_t[]){0, 1, 0, 1, 1}, N, "dog eel");
    struct err err = {0};

    h5_write(file, "/train/mask", H5_TYPE_U8, 3, (int64_t[]){N, 1, 2}, mask, &err);
    h5_attr_write_texts(file, "/train/mask", "classes", mask_names, 2, &err);
    little_end(file);
}

static void labels_are_matched_by_name(void **state) {
    struct dataset *ds;
    struct err err = {0};
    int32_t out[2];

    (void)state;
    write_val();
    for (int kept = 0; kept < 2; kept++) {
        ds = little_open("@v.h5:train", kept ? DATASET_CACHE_BYTES : 0);
        assert_true(dataset_classes_named(ds, LABEL));
        assert_int_equal(dataset_map_classes(ds, LABEL, &list, &err), 0);
        assert_int_equal(dataset_field_classes(ds, LABEL), 3);
        assert_string_equal(dataset_class_name(ds, LABEL, 0), "cat");
        assert_memory_equal(dataset_labels(ds, LABEL), ((int32_t[]){1, 2, 1, 2, 2}), 20);
        assert_memory_equal(dataset_class_counts(ds, LABEL), ((int64_t[]){0, 2, 3}), 24);
        assert_int_equal(dataset_class_first(ds, LABEL)[0], -1);
        assert_int_equal(dataset_class_first(ds, LABEL)[2], 1);
        assert_int_equal(dataset_read(ds, LABEL, (int64_t[]){4, 0}, 2, out, &err), 0);
        assert_memory_equal(out, ((int32_t[]){2, 1}), sizeof out);
        dataset_close(ds);
    }
}

/* Maps are mapped when they are read, twice if need be; what does not count still does not. */
static void maps_are_matched_by_name(void **state) {
    const struct class_list other = {(const char *const[]){"eel", "ape", "cat", "dog"}, 4, "x"};
    struct dataset *ds;
    struct err err = {0};
    int32_t out[6];

    (void)state;
    write_val();
    for (int kept = 0; kept < 2; kept++) {
        ds = little_open("@v.h5:train", kept ? DATASET_CACHE_BYTES : 0);
        assert_int_equal(dataset_in_memory(ds), kept);
        assert_int_equal(dataset_map_classes(ds, MASK, &list, &err), 0);
        assert_int_equal(dataset_read(ds, MASK, (int64_t[]){0, 1, 2}, 3, out, &err), 0);
        assert_memory_equal(out, ((int32_t[]){2, -1, 0, 0, -1, 2}), sizeof out);
        assert_memory_equal(dataset_class_counts(ds, MASK), ((int64_t[]){3, 0, 3}), 24);
        assert_int_equal(dataset_map_classes(ds, MASK, &other, &err), 0);
        assert_int_equal(dataset_read(ds, MASK, (int64_t[]){3, 0, 1}, 3, out, &err), 0);
        assert_memory_equal(out, ((int32_t[]){2, 0, 0, -1, 2, 2}), sizeof out);
        dataset_close(ds);
    }
}

static void a_class_that_has_no_place_is_refused(void **state) {
    const struct class_list less = {three, 2, "a.h5:train"};
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    write_val();
    ds = little_open("@v.h5:train", 0);
    assert_int_equal(dataset_map_classes(ds, LABEL, &less, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "v.h5:train: class 'eel' of label, first in sample 1, is not known to "
                             "a.h5:train; its classes are dog, eel; those of a.h5:train are cat, "
                             "dog");
    assert_memory_equal(dataset_labels(ds, LABEL), ((int32_t[]){0, 1, 0, 1, 1}), 20);
    dataset_close(ds);
}

/* Names that never occur need no place. */
static void a_class_that_does_not_occur_needs_no_place(void **state) {
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    little("v.h5", 0, (int32_t[]){3, 1}, 2, "yak dog emu eel");
    ds = little_open("@v.h5:train", 0);
    assert_int_equal(dataset_map_classes(ds, LABEL, &list, &err), 0);
    assert_memory_equal(dataset_labels(ds, LABEL), ((int32_t[]){2, 1}), 8);
    dataset_close(ds);
}

/* The counts were believed; what is read shows that they are wrong. */
static void a_class_that_was_said_not_to_occur_is_refused_when_it_does(void **state) {
    static const unsigned char mask[N * 2] = {0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
    static const char *const names[] = {"cat", "yak"};
    struct h5 *file = little_begin("v.h5", 0, (int32_t[]){0, 1, 0, 1, 1}, N, "dog eel");
    struct dataset *ds;
    struct err err = {0};
    int32_t out[2];

    (void)state;
    h5_write(file, "/train/mask", H5_TYPE_U8, 3, (int64_t[]){N, 1, 2}, mask, &err);
    h5_attr_write_texts(file, "/train/mask", "classes", names, 2, &err);
    h5_attr_write_reals(file, "/train/mask", "class_counts", (double[]){10, 0}, 2, &err);
    little_end(file);
    ds = little_open("@v.h5:train", 0);
    assert_int_equal(dataset_map_classes(ds, MASK, &list, &err), 0);
    assert_int_equal(dataset_read(ds, MASK, (int64_t[]){2}, 1, out, &err), 0);
    assert_int_equal(dataset_read(ds, MASK, (int64_t[]){3}, 1, out, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "/train/mask holds its class 1, which has no place");
    dataset_close(ds);
}

static void numbers_take_names_as_long_as_there_are_enough(void **state) {
    const struct class_list less = {three, 2, "a.h5:train"};
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    little("v.h5", 0, (int32_t[]){0, 2, 1}, 3, NULL);
    ds = little_open("@v.h5:train", 0);
    assert_int_equal(dataset_map_classes(ds, LABEL, &less, &err), -1);
    assert_contains(err.msg, "label: 3 classes by number are more than 2 names; its classes are "
                             "only numbers, 0 to 2; those of a.h5:train are cat, dog");
    assert_false(dataset_classes_named(ds, LABEL));
    assert_int_equal(dataset_map_classes(ds, LABEL, &list, &err), 0);
    assert_true(dataset_classes_named(ds, LABEL));
    assert_string_equal(dataset_class_name(ds, LABEL, 2), "eel");
    assert_memory_equal(dataset_labels(ds, LABEL), ((int32_t[]){0, 2, 1}), 12);
    dataset_close(ds);
}

static void names_beside_numbers_are_only_counted(void **state) {
    const struct class_list two = {NULL, 2, "n.h5"}, five = {NULL, 5, "n.h5"};
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    little("v.h5", 0, (int32_t[]){1, 0, 1}, 3, "cat dog eel");
    ds = little_open("@v.h5:train", 0);
    assert_int_equal(dataset_map_classes(ds, LABEL, &two, &err), 0);
    assert_int_equal(dataset_field_classes(ds, LABEL), 3);
    assert_int_equal(dataset_map_classes(ds, LABEL, &five, &err), -1);
    assert_contains(err.msg, "label: 5 classes by number are more than 3 names");
    dataset_close(ds);
    little("v.h5", 0, (int32_t[]){1, 0, 1}, 3, "0 1");
    ds = little_open("@v.h5:train", 0);
    assert_false(dataset_classes_named(ds, LABEL));
    assert_int_equal(dataset_map_classes(ds, LABEL, &five, &err), 0);
    assert_int_equal(dataset_field_classes(ds, LABEL), 5);
    assert_string_equal(dataset_class_name(ds, LABEL, 4), "4");
    assert_memory_equal(dataset_class_counts(ds, LABEL), ((int64_t[]){1, 2, 0, 0, 0}), 40);
    dataset_close(ds);
}

static void names_that_occur_twice_are_fine_in_the_same_order_only(void **state) {
    const struct class_list same = {(const char *const[]){"crane", "ox", "crane"}, 3, "a"};
    const struct class_list other = {(const char *const[]){"ox", "crane", "crane"}, 3, "a"};
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    little("v.h5", 0, (int32_t[]){0, 2, 1}, 3, "crane ox crane");
    ds = little_open("@v.h5:train", 0);
    assert_int_equal(dataset_map_classes(ds, LABEL, &same, &err), 0);
    assert_int_equal(dataset_map_classes(ds, LABEL, &other, &err), -1);
    assert_contains(err.msg, "two classes of label are called 'crane', and cannot be told apart");
    dataset_close(ds);
}

/* Folders 0 to 10 in the order of their names: number 2 is not class '10'. */
static void names_that_are_other_numbers_are_not_matched_with_numbers(void **state) {
    const struct class_list names = {(const char *const[]){"0", "1", "10", "2"}, 4, "a.h5:train"};
    const struct class_list years = {(const char *const[]){"1999", "2000", "00"}, 3, "a"};
    const struct class_list numbers = {NULL, 3, "a.h5:train"};
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    little("v.h5", 0, (int32_t[]){0, 2, 1}, 3, "0 1 2");
    ds = little_open("@v.h5:train", 0);
    assert_int_equal(dataset_map_classes(ds, LABEL, &names, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg,
                    "label: number 2 may be the class called '2' or the one in that place");
    assert_int_equal(dataset_map_classes(ds, LABEL, &years, &err), 0);
    dataset_close(ds);
    little("v.h5", 0, (int32_t[]){0, 1, 2}, 3, "1 2 3");
    ds = little_open("@v.h5:train", 0);
    assert_int_equal(dataset_map_classes(ds, LABEL, &numbers, &err), -1);
    assert_contains(err.msg,
                    "label: number 1 may be the class called '1' or the one in that place");
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_matched_by_name),
        cmocka_unit_test(maps_are_matched_by_name),
        cmocka_unit_test(a_class_that_has_no_place_is_refused),
        cmocka_unit_test(a_class_that_does_not_occur_needs_no_place),
        cmocka_unit_test(a_class_that_was_said_not_to_occur_is_refused_when_it_does),
        cmocka_unit_test(numbers_take_names_as_long_as_there_are_enough),
        cmocka_unit_test(names_beside_numbers_are_only_counted),
        cmocka_unit_test(names_that_occur_twice_are_fine_in_the_same_order_only),
        cmocka_unit_test(names_that_are_other_numbers_are_not_matched_with_numbers),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
