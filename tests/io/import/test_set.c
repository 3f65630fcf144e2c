/* segmentation, pairs and unpaired beside the folders that people have. */
#include "io/import/layout.h"

static const struct {
    const char *importer, *suffix, *files, *found, *note; /* note "": none */
} accepted[] = {
    {"segmentation", NULL, "image/1.png mask/1.png", "train: 1", ""},
    {"segmentation", NULL, "IMAGES/1.png Labels/1.png", "train: 1", ""},
    {"segmentation", NULL, "image/1.png image/._1.png mask/1.png __MACOSX/image/1.png mask/.x.png",
     "train: 1", ""},
    {"segmentation", NULL, "images/1.png labels/1.txt masks/1.png", "train: 1", ""},
    {"segmentation", NULL,
     "Testing/img/1.png Testing/gt/1.png Training/img/2.png Training/gt/2.png", "test: 1; train: 1",
     "train: 1 images\ntest: 1 images"},
    {"segmentation", NULL, "b/img/1.png b/gt/1.png a/img/1.png a/gt/1.png", "a: 1; b: 1",
     "no split is called train: mean and std are those of a\na: 1 images\nb: 1 images"},
    {"segmentation", NULL, "train/image/1.png train/mask/1.png test/image/2.png test/image/3.png",
     "train: 1", "2 images in other folders were left out, the first: "},
    {"segmentation", NULL, "image/1.png mask/1.png 7.png", "train: 1",
     "1 images in other folders were left out"},
    {"segmentation", "_mask", "1.png 1_mask.png 2.png 2_mask.png", "train: 2", ""},
    {"segmentation", "_mask",
     "a-1.png a-1_mask.png a.png a_mask.png a1.png a1_mask.png a10.png "
     "a10_mask.png a2.png a2_mask.png",
     "train: 5", ""},
    {"segmentation", "_mask", "image/1.png image/2.png mask/1_mask.png mask/2_mask.png", "train: 2",
     ""},
    {"segmentation", "-gt",
     "val/1.png val/1-gt.png train/2.png train/2-gt.png train/3.png "
     "train/3-gt.png",
     "train: 2; val: 1", "train: 2 images\nval: 1 images"},
    {"pairs", NULL, "a/1.png b/1.png", "train: 1", ""},
    {"pairs", NULL, "TRAIN/A/1.png TRAIN/B/1.png Valid/A/1.png Valid/B/1.png",
     "train: 1; validate: 1", "train: 1 images\nvalidate: 1 images"},
    {"unpaired", NULL, "TestA/1.png TestB/1.png TrainA/1.png TrainA/2.png TrainB/1.png",
     "test: 1; train: 2", "train: 2 and 1 images\ntest: 1 images"},
    {"unpaired", NULL, "trainA/1.png trainB/1.png extra/1.png MEDIA/", "train: 1",
     "1 images in other folders were left out"},
};

static void sets_are_read_as_they_are_meant(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        const struct import_options options = {
            .threads = 1,
            .mask_suffix = accepted[i].suffix,
            .binary = strcmp(accepted[i].importer, "segmentation") == 0};
        struct import_result result;
        struct err err = {0};
        char name[32];

        snprintf(name, sizeof name, "good%zu", i);
        layout_make(name, accepted[i].files);
        if (layout_import(accepted[i].importer, name, &options, &result, &err))
            fail_msg("%s: %s", accepted[i].files, err.msg);
        if (strcmp(layout_found(), accepted[i].found))
            fail_msg("%s: %s", accepted[i].files, layout_found());
        if (!*accepted[i].note)
            assert_string_equal(result.note, "");
        assert_contains(result.note, accepted[i].note);
    }
}

static const struct {
    const char *importer, *suffix, *files, *message;
} refused[] = {
    {"segmentation", NULL, "image/1.png images/1.png mask/1.png",
     "/images: which of them is meant?"},
    {"segmentation", NULL, "image/1.png mask/1.png labels/1.png", "/mask: which of them is meant?"},
    {"segmentation", NULL, "image/1.png mask/1.png train/image/1.png train/mask/1.png",
     " would both be images of the group train"},
    {"segmentation", NULL, "image/1.png mask/1.png test/image/1.png test/mask/1.png",
     "/test: is a split, but "},
    {"segmentation", NULL, "image/1.png image/more/2.png mask/1.png",
     "/image/more/2.png: is in a folder"},
    {"segmentation", NULL, "image/1.png image/2.png@no mask/1.png mask/2.png",
     "/image/2.png: is a link to what is not there"},
    {"segmentation", NULL, "image/1.png mask/1_mask.png", "/mask; of masks, --mask-suffix _mask"},
    {"segmentation", NULL, "image/1.png image/1.PNG mask/1.png",
     "have one name, their endings apart"},
    {"segmentation", NULL, "1.png 1_mask.png", "are read with --mask-suffix _mask"},
    {"segmentation", NULL, "valid/img/1.png valid/gt/1.png dev/img/1.png dev/gt/1.png",
     " would both be images of the group validate"},
    {"segmentation", "_mask", "1.png 1_mask.png 2.png",
     "/2.png: there is no file of that name and "
     "_mask in "},
    {"segmentation", "_mask", "1.png 1_mask.png 3_mask.png",
     "/3_mask.png: there is no file of that"},
    {"segmentation", "_mask", "1.png 2.png", "/1.png: none of the files beside it ends in '_mask'"},
    {"segmentation", "_mask", "1_mask.png 2_mask.png", "/1_mask.png: each of the files beside it"},
    {"segmentation", "_mask", "image/1.png mask/1.png", "/mask/1.png: is a mask, expected a name"},
    {"segmentation", "_mask", "image/x.txt", "expected folders image (or images) and mask"},
    {"pairs", NULL, "A/1.png a/1.png B/1.png", "/a: which of them is meant?"},
    {"pairs", NULL, "A/1.png B/2.png", "/A/1.png: there is no file of that name in "},
    {"unpaired", NULL, "trainA/1.png trainB/", "has a folder trainA but no trainB"},
    {"unpaired", NULL, "trainA/1.png trainA/x/2.png trainB/1.png",
     "/trainA/x/2.png: is in a folder"},
    {"unpaired", NULL, "trainA/1.png TrainingA/1.png trainB/1.png",
     " would both be images of the group train"},
};

static void what_could_be_meant_otherwise_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const struct import_options options = {
            .threads = 1,
            .mask_suffix = refused[i].suffix,
            .binary = strcmp(refused[i].importer, "segmentation") == 0};
        struct import_result result;
        struct err err = {0};
        char name[32];

        snprintf(name, sizeof name, "bad%zu", i);
        layout_make(name, refused[i].files);
        unlink(in_scratch("out.h5"));
        if (!layout_import(refused[i].importer, name, &options, &result, &err))
            fail_msg("%s: %s, %s", refused[i].files, layout_found(), result.note);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, refused[i].message);
        assert_int_equal(access(in_scratch("out.h5"), F_OK), -1);
    }
}

/* Halves beside folders of halves. */
static void one_of_two_readings_of_halves_is_refused(void **state) {
    const struct import_options halves = {.threads = 1, .halves = true};
    struct import_result result;
    struct err err = {0};

    (void)state;
    layout_make("halves", "1.png train/2.png");
    assert_int_equal(layout_import("pairs", "halves", &halves, &result, &err), -1);
    assert_contains(err.msg, "/train: is a split, but ");
    unlink(in_scratch("halves/1.png"));
    if (layout_import("pairs", "halves", &halves, &result, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(layout_found(), "train: 1");
}

/* A mask of 8 x 8 in SRC/mask: so many pixels of 255, then those of `between`, else 0. */
static void make_mask(const char *source, int white, const char *between) {
    unsigned char pixels[64] = {0};
    struct err err = {0};
    char path[64];

    memset(pixels, 255, (size_t)white);
    for (int i = 0; between[i]; i++)
        pixels[white + i] = (unsigned char)between[i];
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s/", source, k ? "mask" : "image");
        layout_folders(in_scratch(path));
        snprintf(path, sizeof path, "%s/%s/1.png", source, k ? "mask" : "image");
        assert_int_equal(image_write_png(in_scratch(path), 8, 8, 1, pixels, &err), 0);
    }
}

static void blurred_edges_are_no_classes(void **state) {
    const struct import_options plain = {.threads = 1}, binary = {.threads = 1, .binary = true};
    struct import_result result;
    struct err err = {0};

    (void)state;
    make_mask("edges", 32, "\x01\x02\x02");
    if (layout_import("segmentation", "edges", &plain, &result, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(result.n_classes, 3);
    assert_string_equal(
        result.note, "of the masks' pixels 50.0 % are 255, which do not count, more than the 4.69 "
                     "% of the classes beside 0 (1, 2); --binary would make two classes, below "
                     "128 and above");
    make_mask("grey", 16, "\x10\x60\x90\xf0");
    assert_int_equal(layout_import("segmentation", "grey", &plain, &result, &err), -1);
    assert_contains(err.msg, "68.8 % are 0, 25.0 % are 255 and 6.25 % between (16, 96, 144, 240);");
    if (layout_import("segmentation", "grey", &binary, &result, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(result.n_classes, 2);
    make_mask("border", 4, "\x01\x01\x01\x01\x02\x02"); /* more of classes than does not count */
    if (layout_import("segmentation", "border", &plain, &result, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(result.note, "");
}

static void masks_of_another_size_are_refused(void **state) {
    const struct import_options options = {.threads = 1, .width = 4, .height = 4};
    const unsigned char pixels[16] = {1};
    struct import_result result;
    struct err err = {0};

    (void)state;
    make_mask("sizes", 4, "\x01\x01\x01\x01\x02\x02");
    assert_int_equal(image_write_png(in_scratch("sizes/mask/1.png"), 4, 4, 1, pixels, &err), 0);
    assert_int_equal(layout_import("segmentation", "sizes", &options, &result, &err), -1);
    assert_contains(err.msg, "mask/1.png: has 4x4 pixels, its image has 8x8");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_read_as_they_are_meant),
        cmocka_unit_test(what_could_be_meant_otherwise_is_refused),
        cmocka_unit_test(one_of_two_readings_of_halves_is_refused),
        cmocka_unit_test(blurred_edges_are_no_classes),
        cmocka_unit_test(masks_of_another_size_are_refused),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
