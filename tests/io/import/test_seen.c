/* What importers make of pictures that are not simply what they seem, and what they say of them. */
#include "io/jpeg.h"

#include "io/dataset/dataset.h"
#include "io/image/golden_pictures.h"
#include "io/import/import.h"
#include "io/import/import_files.h"

static const struct import_options plain = {.threads = 2};
static const struct import_options unturned = {.threads = 2, .unturned = true};

static void make_folders(const char *source, const char *const *names) {
    char path[128];

    assert_int_equal(mkdir(in_scratch(source), 0777), 0);
    for (; *names; names++) {
        snprintf(path, sizeof path, "%s/%s", source, *names);
        assert_int_equal(mkdir(in_scratch(path), 0777), 0);
    }
}

/* One of the pictures under another name. */
static void put(const char *path, const char *picture) {
    const size_t n = sizeof golden_pictures / sizeof *golden_pictures;
    unsigned char bytes[8192];
    size_t i = 0;

    while (i < n && strcmp(golden_pictures[i].name, picture) != 0)
        i++;
    assert_true(i < n);
    const char *text = golden_pictures[i].file;
    assert_true(strlen(text) / 2 <= sizeof bytes);
    for (size_t k = 0; k < strlen(text) / 2; k++) {
        const char digits[] = {text[2 * k], text[2 * k + 1], 0};
        bytes[k] = (unsigned char)strtol(digits, NULL, 16);
    }
    write_bytes(in_scratch(path), bytes, strlen(text) / 2);
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

static struct dataset *open_train(void) {
    struct dataset *ds = NULL;
    struct err err = {0};
    char spec[600];

    snprintf(spec, sizeof spec, "%s:train", in_scratch("out.h5"));
    if (dataset_open(&ds, spec, DATASET_CACHE_BYTES, &err))
        fail_msg("%s", err.msg);
    return ds;
}

/* 5x3 lies on its side, and is 3x5 to everybody who looks at it. */
static void pictures_are_turned_and_counted(void **state) {
    static const char *const folders[] = {"a", NULL};
    struct import_result result;
    struct err err = {0};

    (void)state;
    make_folders("turn", folders);
    put("turn/a/6.png", "png with orientation 6");
    put("turn/a/8.tif", "tiff with orientation 8");
    put("turn/a/w.webp", "webp with orientation 6");
    imported("imagefolder", "turn", &plain, &result);
    assert_contains(result.note, "3 images turned upright, as the orientation tag says");
    assert_contains(result.note, "the first: ");
    struct dataset *ds = open_train();
    assert_int_equal(dataset_field(ds, 0)->sample.dim[0], 5);
    assert_int_equal(dataset_field(ds, 0)->sample.dim[1], 3);
    dataset_close(ds);
    imported("imagefolder", "turn", &unturned, &result);
    assert_contains(result.note, "3 images not upright as stored: left so");
    ds = open_train();
    assert_int_equal(dataset_field(ds, 0)->sample.dim[0], 3);
    dataset_close(ds);
    put("turn/a/1.png", "png rgb");
    assert_int_equal(import("imagefolder", "turn", &plain, &result, &err), -1);
    assert_contains(err.msg, "bring them to one size with --size");
}

/* A mask drawn where a viewer shows things fits the turned image; one drawn on the image as it is
 * stored does not, and is refused where it can be seen. */
static void masks_fit_what_is_seen(void **state) {
    static const char *const folders[] = {"image", "mask", NULL};
    unsigned char upright[5 * 3], stored[3 * 5];
    struct import_result result;
    unsigned char pixels[5 * 3 * 3];
    int32_t mask[5 * 3];
    struct err err = {0};

    (void)state;
    make_folders("masks", folders);
    for (int i = 0; i < 15;
         i++) { /* as in "png with orientation 6": (x, y) is shown at (2 - y, x) */
        upright[3 * (i % 5) + 2 - i / 5] = (unsigned char)i;
        stored[i] = (unsigned char)i;
    }
    put("masks/image/x.png", "png with orientation 6");
    assert_int_equal(image_write_png(in_scratch("masks/mask/x.png"), 3, 5, 1, upright, &err), 0);
    imported("segmentation", "masks", &plain, &result);
    struct dataset *ds = open_train();
    assert_int_equal(dataset_read(ds, 0, (const int64_t[]){0}, 1, pixels, &err), 0);
    assert_int_equal(dataset_read(ds, 1, (const int64_t[]){0}, 1, mask, &err), 0);
    dataset_close(ds);
    struct image image = {0};
    assert_int_equal(
        image_read_unturned(in_scratch("masks/image/x.png"), IMAGE_COLOUR, &image, &err), 0);
    for (int i = 0; i < 15; i++)
        assert_memory_equal(pixels + 3 * i, image.pixels + 3 * mask[i], 3);
    image_release(&image);

    assert_int_equal(image_write_png(in_scratch("masks/mask/x.png"), 5, 3, 1, stored, &err), 0);
    assert_int_equal(import("segmentation", "masks", &plain, &result, &err), -1);
    assert_contains(err.msg, "mask/x.png: has 5x3 pixels, its image has 3x5, turned as");
    assert_contains(err.msg, "--orientation ignore leaves both so");
    imported("segmentation", "masks", &unturned, &result);
}

static void every_oddity_is_said_once(void **state) {
    static const char *const folders[] = {"a", NULL};
    static const char *const pictures[] = {"png rgb of 16 bits", "tiff rgb of 16 bits <",
                                           "png rgba",           "gif of two frames",
                                           "tiff of inks",       "bmp rgb"};
    static const char *const lines[] = {
        "2 images of 16 bits a channel: divided by 257, to 8; the first: ",
        "1 image transparent: laid on white", "1 image of several frames or pages: the first was",
        "1 image in CMYK: became RGB"};
    struct import_result result;
    char path[64];

    (void)state;
    make_folders("odd", folders);
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        snprintf(path, sizeof path, "odd/a/%zu.jpg", i); /* whatever they are called */
        put(path, pictures[i]);
    }
    imported("imagefolder", "odd", &plain, &result);
    assert_int_equal(result.n_images, 6);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_contains(result.note, lines[i]);
    assert_null(strstr(result.note, "orientation"));
}

static void flawed_pictures_are_taken_and_missing_ones_are_not(void **state) {
    static const char *const folders[] = {"a", NULL};
    struct import_options skip = {.threads = 1, .skip_broken = true};
    struct import_result result;
    struct err err = {0};
    size_t n;

    (void)state;
    make_folders("flawed", folders);
    write_plain_jpeg(in_scratch("flawed/a/1.jpg"), 40, 40, 1, 2, 3);
    unsigned char *bytes = read_bytes(in_scratch("flawed/a/1.jpg"), &n);
    write_bytes(in_scratch("flawed/a/2.jpg"), bytes, n - 2);
    imported("imagefolder", "flawed", &plain, &result);
    assert_int_equal(result.n_images, 2);
    assert_contains(result.note, "1 image not quite by the rules of the format, but whole");
    assert_contains(result.note, "flawed/a/2.jpg: Premature end of JPEG file");
    write_bytes(in_scratch("flawed/a/3.jpg"), bytes, n - 12);
    free(bytes);
    assert_int_equal(import("imagefolder", "flawed", &plain, &result, &err), -1);
    assert_contains(err.msg, "flawed/a/3.jpg: broken JPEG: Corrupt JPEG data: premature end");
    imported("imagefolder", "flawed", &skip, &result);
    assert_true(result.n_images == 2 && result.n_skipped == 1);
    assert_contains(result.note, "flawed/a/2.jpg: Premature");
}

static void formats_that_are_not_read_are_named(void **state) {
    static const char *const folders[] = {"a", NULL};
    struct import_result result;
    struct err err = {0};

    (void)state;
    make_folders("other", folders);
    put("other/a/1.png", "png rgb");
    write_bytes(in_scratch("other/a/2.HEIC"),
                "\0\0\0\x18"
                "ftypheic\0\0\0\0",
                16);
    assert_int_equal(import("imagefolder", "other", &plain, &result, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "other/a/2.HEIC: is HEIC, which is not read; convert it to JPEG");
}

static void fields_vote_for_themselves(void **state) {
    static const char *const folders[] = {"A", "B", NULL};
    struct import_result result;
    char path[64];

    (void)state;
    make_folders("two", folders);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "two/A/%d.png", i);
        put(path, i ? "png grey" : "png rgb");
        snprintf(path, sizeof path, "two/B/%d.png", i);
        put(path, "png rgb");
    }
    imported("pairs", "two", &plain, &result);
    assert_contains(result.note, "a: grey: 2 of 3 images; 1 other became grey");
    assert_null(strstr(result.note, "b: "));
    struct dataset *ds = open_train();
    assert_int_equal(dataset_field(ds, 0)->sample.dim[2], 1);
    assert_int_equal(dataset_field(ds, 1)->sample.dim[2], 3);
    dataset_close(ds);
}

static void endings_of_images_are_known(void **state) {
    (void)state;
    assert_true(file_is_image("a.JPG") && file_is_image("a.b.webp") && file_is_image("x.TIFF"));
    assert_true(file_is_image("x.heic") && file_is_image("x.bmp") && file_is_image(".gif"));
    assert_false(file_is_image("x.txt") || file_is_image("jpg") || file_is_image("x.jpg.txt"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_turned_and_counted),
        cmocka_unit_test(masks_fit_what_is_seen),
        cmocka_unit_test(every_oddity_is_said_once),
        cmocka_unit_test(flawed_pictures_are_taken_and_missing_ones_are_not),
        cmocka_unit_test(formats_that_are_not_read_are_named),
        cmocka_unit_test(fields_vote_for_themselves),
        cmocka_unit_test(endings_of_images_are_known),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
