/* Boxes as a field: what is one, its classes, and what is refused of its numbers. */
#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/h5/h5.h"

#include <math.h>

enum { N = 3, MAX = 2, H = 8, W = 10 };

/* Sample 1 has no box; box 1 of sample 2 reaches over the right edge. */
static const float good[N * MAX * 5] = {0,  0,  4, 3, 1,  2, 2, 10, 8, 0,  /**/
                                        0,  0,  0, 0, -1, 0, 0, 0,  0, -1, /**/
                                        -1, -1, 3, 3, 1,  5, 1, 12, 8, 1};

struct file {
    const char *name, *field, *kind;
    const char *class[3];
    float boxes[N * MAX * 5];
};

static struct file a_file(const char *name) {
    struct file f = {name, "/train/boxes", "boxes", {"cat", "dog", "eel"}, {0}};

    memcpy(f.boxes, good, sizeof good);
    return f;
}

static void put(const struct file *f) {
    static const unsigned char pixels[N * H * W * 3];
    const int64_t images[] = {N, H, W, 3}, boxes[] = {N, MAX, 5};
    struct h5 *file;
    struct err err = {0};

    assert_int_equal(h5_create(&file, in_scratch(f->name), &err), 0);
    assert_int_equal(h5_group_create(file, "/train", &err), 0);
    assert_int_equal(h5_write(file, "/train/images", H5_TYPE_U8, 4, images, pixels, &err), 0);
    assert_int_equal(h5_write(file, f->field, H5_TYPE_F32, 3, boxes, f->boxes, &err), 0);
    if (f->kind)
        assert_int_equal(h5_attr_write_text(file, f->field, "kind", f->kind, &err), 0);
    if (f->class[0])
        assert_int_equal(h5_attr_write_texts(file, f->field, "classes", f->class, 3, &err), 0);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static struct dataset *opened(const char *spec, int64_t cache) {
    struct dataset *ds = NULL;
    struct err err = {0};

    if (dataset_open(&ds, spec, cache, &err))
        fail_msg("%s", err.msg);
    return ds;
}

static void refused(const struct file *f, const char *message) {
    for (int64_t cache = 0; cache <= DATASET_CACHE_BYTES; cache += DATASET_CACHE_BYTES) {
        struct dataset *ds = NULL;
        struct err err = {0};

        put(f);
        assert_int_equal(dataset_open(&ds, in_scratch(f->name), cache, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, f->field);
        assert_contains(err.msg, message);
    }
}

static void boxes_are_numbers_with_classes(void **state) {
    const struct file f = a_file("a.h5");
    float rows[N * MAX * 5];

    (void)state;
    put(&f);
    for (int64_t cache = 0; cache <= DATASET_CACHE_BYTES; cache += DATASET_CACHE_BYTES) {
        struct dataset *ds = opened(in_scratch("a.h5"), cache);
        const int i = dataset_find_field(ds, "boxes");
        struct err err = {0};

        assert_true(i >= 0 && dataset_field(ds, i)->boxes);
        assert_int_equal(dataset_field(ds, i)->kind, DATASET_REALS);
        assert_true(shape_equal(&dataset_field(ds, i)->sample, &(struct shape){2, {MAX, 5}}));
        assert_int_equal(dataset_field_classes(ds, i), 3);
        assert_string_equal(dataset_class_name(ds, i, 1), "dog");
        assert_int_equal(dataset_class_counts(ds, i)[0], 1);
        assert_int_equal(dataset_class_counts(ds, i)[1], 3);
        assert_int_equal(dataset_class_counts(ds, i)[2], 0);
        assert_int_equal(dataset_class_first(ds, i)[1], 0);
        assert_int_equal(dataset_class_first(ds, i)[2], -1);
        assert_contains(dataset_guesses(ds), "2 boxes reach over the edge");
        assert_contains(dataset_guesses(ds), "box 0 of sample 2");
        assert_int_equal(dataset_read(ds, i, (const int64_t[]){0, 1, 2}, N, rows, &err), 0);
        assert_memory_equal(rows, good, sizeof good);
        dataset_close(ds);
    }
}

static void a_name_of_boxes_is_said_to_be_taken_for_them(void **state) {
    struct file f = a_file("b.h5");
    struct dataset *ds;

    (void)state;
    f.kind = NULL;
    f.field = "/train/bboxes";
    f.class[0] = NULL;
    put(&f);
    ds = opened(in_scratch("b.h5"), 0);
    const int i = dataset_find_field(ds, "bboxes");
    assert_true(dataset_field(ds, i)->boxes);
    assert_int_equal(dataset_field_classes(ds, i), 2);
    assert_string_equal(dataset_class_name(ds, i, 1), "1");
    assert_contains(dataset_guesses(ds), "/train/bboxes is taken for boxes");
    dataset_close(ds);
    f.kind = "real";
    put(&f);
    ds = opened(in_scratch("b.h5"), 0);
    assert_false(dataset_field(ds, i)->boxes);
    dataset_close(ds);
}

static void classes_of_several_files_are_matched_by_name(void **state) {
    struct file a = a_file("a.h5"), b = a_file("c.h5");
    char spec[1100];
    float row[2 * MAX * 5];
    struct err err = {0};

    (void)state;
    b.class[0] = "dog";
    b.class[1] = "fox";
    b.class[2] = "cat";
    put(&a);
    put(&b);
    snprintf(spec, sizeof spec, "%s + %s", in_scratch("a.h5"), in_scratch("c.h5"));
    for (int64_t cache = 0; cache <= DATASET_CACHE_BYTES; cache += DATASET_CACHE_BYTES) {
        struct dataset *ds = opened(spec, cache);
        const int i = dataset_find_field(ds, "boxes");

        assert_int_equal(dataset_field_classes(ds, i), 4);
        assert_string_equal(dataset_class_name(ds, i, 3), "fox");
        assert_int_equal(dataset_class_counts(ds, i)[3], 3);
        assert_int_equal(dataset_read(ds, i, (const int64_t[]){3, 4}, 2, row, &err), 0);
        assert_int_equal((int)row[4], 3); /* fox, its number 1 */
        assert_int_equal((int)row[9], 1); /* dog, its number 0 */
        assert_int_equal((int)row[14], -1);
        assert_int_equal((int)row[7], 10);
        dataset_close(ds);
    }
}

static void wrong_numbers_are_refused_with_their_place(void **state) {
    static const struct {
        int at;
        float value;
        const char *message;
    } wrong[] = {
        {4, 1.5F,
         "box 0 of sample 0 is x1 0, y1 0, x2 4, y2 3, class 1.5: expected a class from 0"},
        {29, 3, "box 1 of sample 2"},
        {29, -2, "expected a class from 0 to 2, or -1 for no box"},
        {2, 0, "it has no area; expected x1 < x2"},
        {8, 1, "box 1 of sample 0"},
        {25, 11, "it is outside of the image, which is 10 wide and 8 high"},
        {0, NAN, "expected finite numbers"},
        {1, INFINITY, "expected finite numbers"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        struct file f = a_file("w.h5");

        f.boxes[wrong[k].at] = wrong[k].value;
        if (wrong[k].at == 25) /* else it has no area */
            f.boxes[27] = 12;
        refused(&f, wrong[k].message);
    }
}

static void no_box_at_all_needs_names_of_classes(void **state) {
    struct file f = a_file("n.h5");
    struct dataset *ds;

    (void)state;
    for (int k = 4; k < N * MAX * 5; k += 5)
        f.boxes[k] = -1;
    put(&f);
    ds = opened(in_scratch("n.h5"), 0);
    assert_int_equal(dataset_field_classes(ds, dataset_find_field(ds, "boxes")), 3);
    dataset_close(ds);
    f.class[0] = NULL;
    refused(&f, "holds no box");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_numbers_with_classes),
        cmocka_unit_test(a_name_of_boxes_is_said_to_be_taken_for_them),
        cmocka_unit_test(classes_of_several_files_are_matched_by_name),
        cmocka_unit_test(wrong_numbers_are_refused_with_their_place),
        cmocka_unit_test(no_box_at_all_needs_names_of_classes),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
