/* PASCAL VOC's layout: boxes of pixels from 1, moved with their pictures, and what is refused. */
#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/image/image.h"
#include "io/import/import.h"

enum { W = 8, H = 6 };

#define OBJECT(name, x1, y1, x2, y2)                                                               \
    "<object><name>" name "</name><difficult>1</difficult><bndbox><xmin>" x1 "</xmin><ymin>" y1    \
    "</ymin><xmax>" x2 "</xmax><ymax>" y2 "</ymax></bndbox></object>\n"

static void write_text(const char *name, const char *text) {
    write_bytes(in_scratch(name), text, strlen(text));
}

static void annotate(const char *objects) {
    char text[2048];

    snprintf(text, sizeof text,
             "<annotation>\n<size><width>8</width><height>6</height></size>\n%s</annotation>\n",
             objects);
    write_text("voc/Annotations/a.xml", text);
}

static void make_layout(void) {
    static const unsigned char pixels[W * H * 3];
    struct err err = {0};

    mkdir(in_scratch("voc"), 0777);
    mkdir(in_scratch("voc/Annotations"), 0777);
    mkdir(in_scratch("voc/JPEGImages"), 0777);
    assert_int_equal(image_write_png(in_scratch("voc/JPEGImages/a.png"), W, H, 3, pixels, &err), 0);
    assert_int_equal(image_write_png(in_scratch("voc/JPEGImages/b.png"), W, H, 3, pixels, &err), 0);
    write_text("voc/Annotations/b.xml", "<annotation></annotation>");
    annotate(OBJECT("dog", "1", "1", "4", "3") OBJECT("cat", "5", "2", "8", "6"));
}

static int import(const struct import_options *o, struct import_result *result, struct err *err) {
    *result = (struct import_result){0};
    return import_voc.run(in_scratch("voc"), in_scratch("voc.h5"), o, result, err);
}

static void read_boxes(float *boxes, float *difficult) {
    struct dataset *ds = NULL;
    struct err err = {0};
    const int64_t rows[] = {0, 1};

    if (dataset_open(&ds, in_scratch("voc.h5:train"), 0, &err))
        fail_msg("%s", err.msg);
    const int i = dataset_find_field(ds, "boxes");
    assert_true(dataset_field(ds, i)->boxes);
    assert_string_equal(dataset_class_name(ds, i, 0), "cat");
    assert_string_equal(dataset_class_name(ds, i, 1), "dog");
    assert_int_equal(dataset_read(ds, i, rows, 2, boxes, &err), 0);
    assert_int_equal(
        dataset_read(ds, dataset_find_field(ds, "difficult"), rows, 2, difficult, &err), 0);
    dataset_close(ds);
}

static void are(const float *boxes, const float *expected) {
    for (int k = 0; k < 20; k++)
        assert_float_equal(boxes[k], expected[k], 1e-5);
}

static void pixels_begin_with_one_and_the_last_belongs_to_the_box(void **state) {
    const struct import_options plain = {.threads = 1};
    struct import_result result;
    struct err err = {0};
    float boxes[20], difficult[4];

    (void)state;
    make_layout();
    if (import(&plain, &result, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(result.n_images, 2);
    assert_contains(result.note, "2 boxes, at most 2 in a picture; 1 picture is without any");
    read_boxes(boxes, difficult);
    are(boxes, (float[]){0, 0, 4, 3, 1, 4, 1, 8, 6, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1});
    assert_true(difficult[0] == 1 && difficult[1] == 1 && difficult[2] == 0);
}

static void boxes_are_resized_with_their_pictures(void **state) {
    struct import_options o = {.threads = 1, .width = 16, .height = 6, .fit = IMAGE_STRETCH};
    struct import_result result;
    struct err err = {0};
    float boxes[20], difficult[4];

    (void)state;
    make_layout();
    assert_int_equal(import(&o, &result, &err), 0);
    read_boxes(boxes, difficult);
    are(boxes, (float[]){0, 0, 8, 3, 1, 8, 1, 16, 6, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1});
    o.fit = IMAGE_CROP; /* 16x12, of which rows 3 to 9 are left */
    assert_int_equal(import(&o, &result, &err), 0);
    read_boxes(boxes, difficult);
    are(boxes, (float[]){0, 0, 8, 3, 1, 8, 0, 16, 6, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1});
}

static void lists_make_splits_and_what_is_in_none_is_said(void **state) {
    const struct import_options plain = {.threads = 1};
    struct import_result result;
    struct err err = {0};

    (void)state;
    make_layout();
    mkdir(in_scratch("voc/ImageSets"), 0777);
    mkdir(in_scratch("voc/ImageSets/Main"), 0777);
    write_text("voc/ImageSets/Main/train.txt", "a\r\n");
    assert_int_equal(import(&plain, &result, &err), 0);
    assert_int_equal(result.n_images, 1);
    assert_contains(result.note, "1 of 2 annotations are in no list");
    write_text("voc/ImageSets/Main/val.txt", "nowhere\n");
    assert_int_equal(import(&plain, &result, &err), -1);
    assert_contains(err.msg, "nowhere.xml: there is no picture nowhere.jpg");
    remove(in_scratch("voc/ImageSets/Main/train.txt"));
    remove(in_scratch("voc/ImageSets/Main/val.txt"));
}

static void what_is_wrong_is_named_with_file_and_line(void **state) {
    static const struct {
        const char *objects, *message;
    } wrong[] = {
        {OBJECT("cat", "x", "1", "4", "3"), "a.xml:3: xmin is 'x', expected a number of pixels"},
        {OBJECT("cat", "4", "1", "3", "3"), "a.xml:3: box x1 3, y1 0, x2 3, y2 3 has no area"},
        {OBJECT("cat", "10", "1", "12", "3"), "is outside of its picture; the picture is 8 wide"},
        {"<object><name>cat</name></object>", "a.xml:3: an object without is 'xmin'"},
        {"<object>", "a.xml:3: is no XML: mismatched tag"},
        {"<size><width>9</width></size>", "a.xml: says that its picture is 9x6"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        const struct import_options plain = {.threads = 1};
        struct import_result result;
        struct err err = {0};

        make_layout();
        annotate(wrong[k].objects);
        if (strstr(wrong[k].objects, "<size>")) /* beside a good one */
            annotate("<size><width>9</width></size>" OBJECT("cat", "1", "1", "2", "2"));
        assert_int_equal(import(&plain, &result, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, wrong[k].message);
    }
}

/* 364 pictures of blood cells, where they are: github.com/Shenggan/BCCD_Dataset. */
static void blood_cells_are_read_as_they_are(void **state) {
    const struct import_options o = {.threads = 1, .width = 320, .height = 240};
    const char *source = getenv("BCCD_DATA");
    struct import_result result = {0};
    struct dataset *ds = NULL;
    struct err err = {0};

    (void)state;
    if (!source) {
        print_message("skipped: BCCD_DATA names no folder\n");
        skip();
    }
    if (import_voc.run(source, in_scratch("bccd.h5"), &o, &result, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(result.n_images, 364);
    assert_int_equal(result.n_classes, 3);
    assert_contains(result.note, "4888 boxes, at most 30 in a picture");
    assert_int_equal(dataset_open(&ds, in_scratch("bccd.h5:train"), 0, &err), 0);
    assert_string_equal(dataset_class_name(ds, dataset_find_field(ds, "boxes"), 1), "RBC");
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_begin_with_one_and_the_last_belongs_to_the_box),
        cmocka_unit_test(boxes_are_resized_with_their_pictures),
        cmocka_unit_test(lists_make_splits_and_what_is_in_none_is_said),
        cmocka_unit_test(what_is_wrong_is_named_with_file_and_line),
        cmocka_unit_test(blood_cells_are_read_as_they_are),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
