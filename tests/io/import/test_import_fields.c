/* Importers of images with masks and of images that become images. */
#include "io/jpeg.h"

#include "io/dataset/dataset.h"
#include "io/import/import.h"
#include "io/import/import_files.h"

#include <math.h>

/* Written by hand with Python's zlib and struct: 4 x 2, a palette of 16 colours, indices
 * 0 1 2 15 / 2 2 1 0; 4 x 2, grey of 2 bits, 0 1 2 3 / 3 2 1 0; 1 x 1, grey of 16 bits. */
static const unsigned char palette4[] = {
    137, 80,  78, 71, 13, 10, 26,  10,  0,  0,  0,   13,  73, 72,  68,  82,  0,   0,  0,
    4,   0,   0,  0,  2,  4,  3,   0,   0,  0,  141, 134, 96, 80,  0,   0,   0,   48, 80,
    76,  84,  69, 0,  1,  2,  3,   4,   5,  6,  7,   8,   9,  10,  11,  12,  13,  14, 15,
    16,  17,  18, 19, 20, 21, 22,  23,  24, 25, 26,  27,  28, 29,  30,  31,  32,  33, 34,
    35,  36,  37, 38, 39, 40, 41,  42,  43, 44, 45,  46,  47, 173, 151, 142, 239, 0,  0,
    0,   14,  73, 68, 65, 84, 120, 218, 99, 96, 212, 103, 80, 18,  0,   0,   1,   27, 0,
    99,  125, 82, 84, 91, 0,  0,   0,   0,  73, 69,  78,  68, 174, 66,  96,  130};
static const unsigned char grey2[] = {
    137, 80, 78, 71, 13, 10,  26,  10, 0,   0,   0,   13,  73,  72, 68, 82, 0, 0,
    0,   4,  0,  0,  0,  2,   2,   0,  0,   0,   0,   16,  115, 58, 30, 0,  0, 0,
    12,  73, 68, 65, 84, 120, 218, 99, 144, 102, 120, 2,   0,   1,  57, 1,  0, 123,
    153, 66, 55, 0,  0,  0,   0,   73, 69,  78,  68,  174, 66,  96, 130};
static const unsigned char grey16[] = {
    137, 80, 78, 71, 13, 10, 26,  10,  0,  0,   0, 13, 73, 72, 68, 82, 0,  0,  0,   1,   0,  0,  0,
    1,   16, 0,  0,  0,  0,  106, 238, 71, 22,  0, 0,  0,  11, 73, 68, 65, 84, 120, 218, 99, 96, 96,
    4,   0,  0,  4,  0,  2,  44,  222, 72, 173, 0, 0,  0,  0,  73, 69, 78, 68, 174, 66,  96, 130};

static const struct import_options plain = {.threads = 2};

static void make_folder(const char *name) {
    assert_int_equal(mkdir(in_scratch(name), 0777), 0);
}

static int import(const char *importer, const char *source, const struct import_options *options,
                  struct import_result *result, struct err *err) {
    *result = (struct import_result){0};
    return importer_find(importer)->run(in_scratch(source), in_scratch("out.h5"), options, result,
                                        err);
}

static void imported(const char *importer, const char *source, const struct import_options *options,
                     struct import_result *result) {
    struct err err = {0};

    if (import(importer, source, options, result, &err))
        fail_msg("%s", err.msg);
}

static void refused(const char *importer, const char *source, const struct import_options *options,
                    const char *message) {
    struct import_result result;
    struct err err = {0};

    assert_int_equal(import(importer, source, options, &result, &err), -1);
    assert_contains(err.msg, message);
    assert_null(strchr(err.msg, '\n'));
    assert_int_equal(access(in_scratch("out.h5.tmp"), F_OK), -1);
}

static struct dataset *open_split(const char *group) {
    struct dataset *ds = NULL;
    struct err err = {0};
    char spec[600];

    snprintf(spec, sizeof spec, "%s:%s", in_scratch("out.h5"), group);
    if (dataset_open(&ds, spec, DATASET_CACHE_BYTES, &err))
        fail_msg("%s", err.msg);
    return ds;
}

/* A grey PNG of `width` x `height` pixels: value(x, y). */
static void write_png(const char *path, int width, int height, int (*value)(int x, int y)) {
    unsigned char pixels[64 * 64];
    struct err err = {0};

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            pixels[y * width + x] = (unsigned char)value(x, y);
    assert_int_equal(image_write_png(in_scratch(path), width, height, 1, pixels, &err), 0);
}

static int thirds(int x, int y) {
    (void)y;
    return x / 2; /* 6 wide: classes 0, 1, 2 */
}

static int with_edge(int x, int y) {
    return x == 5 && y == 0 ? 255 : thirds(x, y);
}

static int two_valued(int x, int y) {
    return (x + y) % 3 ? 0 : 255;
}

static int greys(int x, int y) {
    return thirds(x, y) * 90;
}

/* SRC/image/I.jpg and SRC/label/I.png, I = 0 .. n - 1; image I has the value 20 I. */
static void make_set(const char *source, int n, int (*mask)(int, int)) {
    char path[128];

    make_folder(source);
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s", source, k ? "label" : "image");
        make_folder(path);
        for (int i = 0; i < n; i++) {
            snprintf(path, sizeof path, "%s/%s/%d.%s", source, k ? "label" : "image", i,
                     k ? "png" : "jpg");
            if (k)
                write_png(path, 6, 4, mask);
            else
                write_plain_jpeg(in_scratch(path), 6, 4, 20 * i, 20 * i, 20 * i);
        }
    }
}

static void masks_come_with_their_images(void **state) {
    const int64_t all[] = {0, 1};
    struct import_result result;
    unsigned char pixels[2 * 4 * 6 * 3];
    int32_t mask[2 * 4 * 6];
    struct err err = {0};

    (void)state;
    make_set("masks", 12, with_edge);
    imported("segmentation", "masks",
             &(struct import_options){.threads = 2, .split = {.n = 2, .seed = 1}}, &result);
    assert_int_equal(result.n_images, 12);
    assert_int_equal(result.n_splits, 2);
    assert_int_equal(result.n_classes, 3);
    assert_string_equal(result.note, "train: 10 images\nvalidate: 2 images");
    struct dataset *ds = open_split("validate");
    assert_int_equal(dataset_len(ds), 2);
    assert_string_equal(dataset_field(ds, 0)->name, "image");
    assert_string_equal(dataset_field(ds, 1)->name, "mask");
    assert_int_equal(dataset_read(ds, 0, all, 2, pixels, &err), 0);
    const int first = pixels[0], second = pixels[4 * 6 * 3]; /* the grey of two files, 20 I each */
    assert_true(first + 15 < second);
    assert_int_equal(dataset_read(ds, 1, all, 2, mask, &err), 0);
    for (int i = 0; i < 2 * 24; i++)
        assert_int_equal(mask[i], i % 24 == 5 ? -1 : i % 6 / 2);
    assert_int_equal(dataset_class_counts(ds, 1)[1], 16);
    assert_int_equal(dataset_class_counts(ds, 1)[2], 14);
    dataset_close(ds);
    ds = open_split("train");
    assert_int_equal(dataset_len(ds), 10);
    assert_non_null(dataset_mean(ds, 0)); /* of 0, 20 ... 220 without those two */
    const float mean = 255 * dataset_mean(ds, 0)[0], rest = (float)(1320 - first - second) / 10;
    assert_true(mean > rest - 1 && mean < rest + 1);
    dataset_close(ds);
}

static void folders_of_splits_are_groups(void **state) {
    struct import_result result;

    (void)state;
    make_folder("splits");
    make_set("splits/val", 2, thirds);
    make_set("splits/train", 3, thirds);
    make_folder("splits/other");
    imported("segmentation", "splits", &plain, &result);
    assert_int_equal(result.n_splits, 2);
    struct dataset *ds = open_split("train");
    assert_int_equal(dataset_len(ds), 3);
    dataset_close(ds);
    ds = open_split("val");
    assert_int_equal(dataset_len(ds), 2);
    dataset_close(ds);
}

static void two_values_are_two_classes(void **state) {
    struct import_result result;
    struct err err = {0};
    int32_t mask[24];

    (void)state;
    make_set("two", 2, two_valued);
    imported("segmentation", "two", &plain, &result);
    assert_string_equal(result.note, "the masks hold 0 and 255 only: 255 became class 1");
    assert_int_equal(result.n_classes, 2);
    struct dataset *ds = open_split("train");
    assert_int_equal(dataset_read(ds, 1, (const int64_t[]){1}, 1, mask, &err), 0);
    for (int i = 0; i < 24; i++)
        assert_int_equal(mask[i], two_valued(i % 6, i / 6) ? 1 : 0);
    dataset_close(ds);
    make_set("grey", 2, greys);
    refused("segmentation", "grey", &plain,
            "grey: the masks hold the values 0, 90, 180; expected the numbers of classes");
    imported("segmentation", "grey", &(struct import_options){.threads = 1, .binary = true},
             &result);
    ds = open_split("train");
    assert_int_equal(dataset_field_classes(ds, 1), 2);
    assert_int_equal(dataset_class_counts(ds, 1)[1], 2 * 8); /* 180 of three */
    dataset_close(ds);
}

/* The palette's indices and the grey values are the classes, not the colours. */
static void numbers_in_the_file_are_the_classes(void **state) {
    static const struct {
        const char *folder;
        const unsigned char *bytes;
        size_t n;
        int classes;
        int32_t expected[8];
    } cases[] = {{"palette", palette4, sizeof palette4, 16, {0, 1, 2, 15, 2, 2, 1, 0}},
                 {"bits", grey2, sizeof grey2, 4, {0, 1, 2, 3, 3, 2, 1, 0}}};
    struct import_result result;
    struct err err = {0};
    char path[64];
    int32_t mask[8];

    (void)state;
    for (int i = 0; i < 2; i++) {
        make_folder(cases[i].folder);
        snprintf(path, sizeof path, "%s/Images", cases[i].folder);
        make_folder(path);
        snprintf(path, sizeof path, "%s/Images/x.png", cases[i].folder);
        write_png(path, 4, 2, thirds);
        snprintf(path, sizeof path, "%s/masks", cases[i].folder);
        make_folder(path);
        snprintf(path, sizeof path, "%s/masks/x.png", cases[i].folder);
        write_bytes(in_scratch(path), cases[i].bytes, cases[i].n);
        imported("segmentation", cases[i].folder, &plain, &result);
        assert_int_equal(result.n_classes, cases[i].classes);
        struct dataset *ds = open_split("train");
        assert_int_equal(dataset_read(ds, 1, (const int64_t[]){0}, 1, mask, &err), 0);
        for (int k = 0; k < 8; k++)
            assert_int_equal(mask[k], cases[i].expected[k]);
        dataset_close(ds);
    }
    write_bytes(in_scratch("bits/masks/x.png"), grey16, sizeof grey16);
    refused("segmentation", "bits", &plain,
            "x.png: is a mask of 16 bits, expected numbers of classes in 8 bits");
    write_plain_jpeg(in_scratch("bits/masks/x.png"), 4, 2, 9, 9, 9);
    refused("segmentation", "bits", &plain,
            "x.png: is compressed with loss, which blurs the numbers of classes");
    write_png("bits/masks/x.png", 2, 2, thirds);
    refused("segmentation", "bits", &plain, "masks/x.png: has 2x2 pixels, its image has 4x2");
}

static void masks_are_resized_to_the_nearest_pixel(void **state) {
    const struct import_options options = {
        .threads = 1, .width = 9, .height = 2, .fit = IMAGE_STRETCH};
    const int32_t expected[] = {0, 0, 0, 1, 1, 1, 2, 2, 2};
    struct import_result result;
    struct err err = {0};
    int32_t mask[18];

    (void)state;
    make_set("large", 1, thirds);
    imported("segmentation", "large", &options, &result);
    struct dataset *ds = open_split("train");
    assert_int_equal(dataset_field(ds, 0)->sample.dim[1], 9);
    assert_int_equal(dataset_read(ds, 1, (const int64_t[]){0}, 1, mask, &err), 0);
    for (int i = 0; i < 18; i++)
        assert_int_equal(mask[i], expected[i % 9]);
    dataset_close(ds);
}

static void images_without_masks_are_named(void **state) {
    (void)state;
    make_set("lone", 2, thirds);
    write_plain_jpeg(in_scratch("lone/image/15.jpg"), 6, 4, 1, 1, 1);
    refused("segmentation", "lone", &plain, "lone/image/15.jpg: there is no file of that name in ");
    write_png("lone/label/15.png", 6, 4, thirds);
    write_png("lone/label/100.png", 6, 4, thirds);
    refused("segmentation", "lone", &plain,
            "lone/label/100.png: there is no file of that name in ");
    make_folder("none");
    refused("segmentation", "none", &plain, "none: expected folders image (or images) and mask");
    refused("segmentation", "lone", &(struct import_options){.threads = 1, .split = {.n = 4}},
            "there is no file of that name");
    make_set("few", 3, thirds);
    refused("segmentation", "few", &(struct import_options){.threads = 1, .split = {.n = 3}},
            "--split would hold out 3 of 3 images of train, expected some, not all");
}

static int left_dark(int x, int y) {
    return 10 * y + (x < 3 ? 0 : 100);
}

static int dark(int x, int y) {
    (void)x;
    return 10 * y;
}

static int bright(int x, int y) {
    return dark(x, y) + 100;
}

/* Field f of the only sample of train: value at (x, y) of 3 x 2. */
static void is_dark_and_bright(void) {
    struct err err = {0};
    struct dataset *ds = open_split("train");

    for (int f = 0; f < 2; f++) {
        unsigned char pixels[6];

        assert_string_equal(dataset_field(ds, f)->name, f ? "b" : "a");
        assert_true(dataset_field(ds, f)->image && !dataset_field(ds, f)->unpaired);
        assert_int_equal(dataset_field(ds, f)->sample.dim[1], 3);
        assert_int_equal(dataset_read(ds, f, (const int64_t[]){0}, 1, pixels, &err), 0);
        for (int i = 0; i < 6; i++)
            assert_int_equal(pixels[i], 10 * (i / 3) + 100 * f);
        assert_true(fabsf(dataset_mean(ds, f)[0] - (float)(5 + 100 * f) / 255) < 1e-4F);
    }
    dataset_close(ds);
}

static void pairs_are_two_fields(void **state) {
    struct import_result result;

    (void)state;
    make_folder("pairs");
    make_folder("pairs/train");
    make_folder("pairs/train/A");
    make_folder("pairs/train/B");
    write_png("pairs/train/A/x.png", 3, 2, dark);
    write_png("pairs/train/B/x.png", 3, 2, bright);
    imported("pairs", "pairs", &plain, &result);
    assert_int_equal(result.n_images, 1);
    assert_int_equal(result.n_classes, 0);
    is_dark_and_bright();
    write_png("pairs/train/B/y.png", 3, 2, bright);
    refused("pairs", "pairs", &plain, "train/B/y.png: there is no file of that name in ");
}

static void both_halves_of_an_image_are_a_pair(void **state) {
    const struct import_options halves = {.threads = 2, .halves = true};
    struct import_result result;

    (void)state;
    make_folder("halves");
    write_png("halves/x.png", 6, 2, left_dark);
    imported("pairs", "halves", &halves, &result);
    is_dark_and_bright();
    make_folder("halved");
    make_folder("halved/val");
    make_folder("halved/train");
    write_png("halved/train/x.png", 6, 2, left_dark);
    write_png("halved/val/x.png", 6, 2, left_dark);
    imported("pairs", "halved", &halves, &result);
    assert_int_equal(result.n_splits, 2);
    is_dark_and_bright();
    write_png("halved/val/x.png", 5, 2, left_dark);
    refused("pairs", "halved", &halves, "val/x.png: is 5 pixels wide, expected two halves");
}

static void unpaired_folders_have_numbers_of_their_own(void **state) {
    struct import_result result;
    char path[64];

    (void)state;
    make_folder("cycle");
    for (int k = 0; k < 3; k++) {
        static const char *const names[] = {"trainA", "trainB", "testA"};

        snprintf(path, sizeof path, "cycle/%s", names[k]);
        make_folder(path);
        for (int i = 0; i < (k == 1 ? 4 : 2); i++) {
            snprintf(path, sizeof path, "cycle/%s/%d.png", names[k], i);
            write_png(path, 3, 2, dark);
        }
    }
    refused("unpaired", "cycle", &plain, "cycle: has a folder testA but no testB");
    make_folder("cycle/testB");
    write_png("cycle/testB/0.png", 3, 2, dark);
    imported("unpaired", "cycle", &plain, &result);
    assert_int_equal(result.n_images, 2 + 4 + 2 + 1);
    struct dataset *ds = open_split("train");
    assert_int_equal(dataset_len(ds), 2);
    assert_true(dataset_field(ds, 1)->unpaired && !dataset_field(ds, 0)->unpaired);
    assert_int_equal(dataset_field(ds, 1)->rows, 4);
    dataset_close(ds);
    imported("unpaired", "cycle", &(struct import_options){.threads = 1, .split = {.share = 0.5}},
             &result);
    ds = open_split("validate");
    assert_int_equal(dataset_len(ds), 1);
    assert_int_equal(dataset_field(ds, 1)->rows, 2);
    dataset_close(ds);
}

static void names_are_compared_as_people_count(void **state) {
    (void)state;
    assert_true(file_compare("9.png", "10.png") < 0);
    assert_true(file_compare("a10b2", "a10b10") < 0);
    assert_true(file_compare("b1", "a2") > 0);
    assert_true(file_compare("007", "8") < 0);
    assert_true(file_compare("12", "12") == 0);
    assert_true(file_compare("12", "12a") < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_come_with_their_images),
        cmocka_unit_test(folders_of_splits_are_groups),
        cmocka_unit_test(two_values_are_two_classes),
        cmocka_unit_test(numbers_in_the_file_are_the_classes),
        cmocka_unit_test(masks_are_resized_to_the_nearest_pixel),
        cmocka_unit_test(images_without_masks_are_named),
        cmocka_unit_test(pairs_are_two_fields),
        cmocka_unit_test(both_halves_of_an_image_are_a_pair),
        cmocka_unit_test(unpaired_folders_have_numbers_of_their_own),
        cmocka_unit_test(names_are_compared_as_people_count),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
