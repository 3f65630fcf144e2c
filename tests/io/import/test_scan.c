/* imagefolder beside the folders that people have: read as they are meant, and said, or refused
 * with the names of what could be meant otherwise. */
#include "io/import/layout.h"

#include "io/import/import_split.h"

static const struct import_options plain = {.threads = 1};

static const struct {
    const char *files, *found, *note; /* note "": none */
} accepted[] = {
    {"cat/1.png cat/2.png dog/1.png", "train: cat 2, dog 1", ""},
    {"train/cat/1.png train/dog/1.png test/cat/1.png test/dog/2.png",
     "test: cat 1, dog 1; train: cat 1, dog 1", "train: 2 images\ntest: 2 images"},
    {"dog/1.png eel/1.png cat/", "train: cat 0, dog 1, eel 1",
     "classes of which there are no images, with numbers all the same: cat"},
    {"cat/1.png dog/1.png pages/a.txt", "train: cat 1, dog 1, pages 0",
     "with numbers all the same: pages"},
    {"cat/1.png __MACOSX/cat/._1.png .git/x.png @eaDir/1.png cat/.ipynb_checkpoints/1.png "
     "cat/Thumbs.db cat/._1.png cat/@eaDir/1.png dog/3.png",
     "train: cat 1, dog 1", ""},
    {"cat/1.png cat/README@/nowhere notes@nowhere dog/1.png", "train: cat 1, dog 1", ""},
    {"cat/1.png cat/2.png@1.png dog/3.png", "train: cat 2, dog 1", ""},
    {"cat/1.png dog@cat", "train: cat 1, dog 1", "/dog are one folder under two names: its images"},
    {"train/a/1.png train/b/1.png test@train", "test: a 1, b 1; train: a 1, b 1",
     "are one folder under two names"},
    {"cat/1.png cat/more/1.png cat/more/and/more/2.png dog/1.png", "train: cat 3, dog 1",
     "2 images in folders within those of classes were read as of the class, the first: "},
    {"train/cat/a/1.png train/dog/1.png test/cat/1.png", "test: cat 1, dog 0; train: cat 1, dog 1",
     "1 images in folders within those of classes"},
    {"Training/a/1.png Training/b/1.png Testing/a/1.png Testing/a/2.png Testing/b/3.png",
     "test: a 2, b 1; train: a 1, b 1",
     "folders of splits were read under other names: Testing as test, Training as train"},
    {"TEST/a/1.png TRAIN/a/1.png Valid/a/1.png", "test: a 1; train: a 1; validate: a 1",
     "Valid as validate"},
    {"dev/a/1.png train/a/1.png val/a/1.png", "train: a 1; val: a 1; validate: a 1",
     "dev as validate"},
    {"train/a/1.png train/b/1.png val/b/1.png val/c/1.png",
     "train: a 1, b 1, c 0; val: a 0, b 1, c 1",
     "classes of which train has no images: c\nclasses of which val has no images: a"},
    {"fold2/a/1.png fold1/a/1.png", "fold1: a 1; fold2: a 1",
     "folders that hold only folders were taken for splits, not for classes: fold1, fold2\nno "
     "split "
     "is called train: mean and std are those of fold1"},
    {"train/a/1.png val/ notes/", "train: a 1",
     "left out, as there are no images in them: notes, "},
    {"cat/1.png dog/1.png 7.png 8.png", "train: cat 1, dog 1",
     "2 images in no folder of a class were left out, the first: "},
    {"train/1.png plane/1.png", "train: plane 1, train 1", /* both can be photographed */
     "read as classes, though called like splits or like images and masks (which the importer "
     "segmentation reads): train"},
    {"image/1.png mask/1.png", "train: image 1, mask 1", "segmentation reads): image, mask"},
    {"train2017/1.png val2017/1.png", "train: train2017 1, val2017 1",
     "segmentation reads): train2017, val2017"},
    {"10/1.png 9/1.png Z/1.png a/1.png", "train: 10 1, 9 1, Z 1, a 1", ""},
};

static void folders_are_read_as_they_are_meant(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        struct import_result result;
        struct err err = {0};
        char name[32];

        snprintf(name, sizeof name, "good%zu", i);
        layout_make(name, accepted[i].files);
        if (layout_import("imagefolder", name, &plain, &result, &err))
            fail_msg("%s: %s", accepted[i].files, err.msg);
        if (strcmp(layout_found(), accepted[i].found))
            fail_msg("%s: %s", accepted[i].files, layout_found());
        if (!*accepted[i].note)
            assert_string_equal(result.note, "");
        assert_contains(result.note, accepted[i].note);
    }
}

static const struct {
    const char *files, *message;
} refused[] = {
    {"a/1.png b/c/1.png", "/a holds images ("},
    {"a/1.png b/c/1.png", "/b holds none but folders of them; expected folders of classes or"},
    {"train/1.png test/1.png", "/test/1.png: is in no folder of a class; "},
    {"train/a/1.png train/b/1.png train/stray.png",
     "/train/stray.png: is in no folder of a class; "},
    {"train/a/1.png train/stray.png test/a/1.png",
     "/train/stray.png: is in no folder of a class, as"},
    {"train/cat/1.png train/dog/1.png test/1.png test/2.png", "/train alone as the source"},
    {"data/train/a/1.png data/test/a/1.png",
     "/data: holds folders that are called like splits; give it as the source in place of "},
    {"cat/1.png Cat/1.png", "differ only by case"},
    {"train/cat/1.png test/CAT/1.png", "/test/CAT and "},
    {"train/a/1.png Training/a/1.png", " would both be the group train; rename one of them"},
    {"valid/a/1.png train/a/1.png validation/a/1.png", " would both be the group validate"},
    {"1.png 2.png", "its images are in no folder of a class"},
    {"a/ b/", "has no folders of images, expected CLASS/IMAGE or SPLIT/CLASS/IMAGE"},
    {"a/1.txt b/2.txt", "has no folders of images"},
    {"__MACOSX/cat/1.png", "has no folders of images"},
    {"cat/1.png dog/loop@..", "/dog/loop: is a link that leads back to "},
    {"cat/1.png cat/2.png@/nowhere.png", "/cat/2.png: is a link to what is not there"},
    {"cat/1.png cat/2.png@2.png", "/cat/2.png: is a link to what is not there"},
};

static void what_could_be_meant_otherwise_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct import_result result;
        struct err err = {0};
        char name[32];

        snprintf(name, sizeof name, "bad%zu", i);
        layout_make(name, refused[i].files);
        unlink(in_scratch("out.h5"));
        if (!layout_import("imagefolder", name, &plain, &result, &err))
            fail_msg("%s: %s, %s", refused[i].files, layout_found(), result.note);
        assert_int_equal(err.kind, ERR_DATA);
        assert_contains(err.msg, refused[i].message);
        assert_int_equal(access(in_scratch("out.h5"), F_OK), -1);
        assert_int_equal(access(in_scratch("out.h5.tmp"), F_OK), -1);
    }
}

static void a_link_to_nothing_is_a_broken_image(void **state) {
    const struct import_options skip = {.threads = 1, .skip_broken = true};
    struct import_result result;
    struct err err = {0};

    (void)state;
    layout_make("links", "cat/0.png@/nowhere.png cat/1.png dog/1.png@x.png");
    if (layout_import("imagefolder", "links", &skip, &result, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(result.n_skipped, 2);
    assert_string_equal(layout_found(), "train: cat 1, dog 0");
    assert_contains(result.note, "with numbers all the same: dog");
}

static void what_is_no_file_is_counted(void **state) {
    struct import_result result;
    struct err err = {0};

    (void)state;
    layout_make("pipes", "cat/1.png dog/1.png dog/n.txt");
    assert_int_equal(mkfifo(in_scratch("pipes/cat/2.png"), 0666), 0);
    if (layout_import("imagefolder", "pipes", &plain, &result, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(result.n_ignored, 2);
    assert_string_equal(layout_found(), "train: cat 1, dog 1");
}

static void many_names_are_counted(void **state) {
    char files[LAYOUT_TEXT] = "a/1.png";
    struct import_result result;
    struct err err = {0};

    (void)state;
    for (int i = 10; i < 50; i++)
        snprintf(files + strlen(files), sizeof files - strlen(files), " c%d/", i);
    layout_make("many", files);
    if (layout_import("imagefolder", "many", &plain, &result, &err))
        fail_msg("%s", err.msg);
    assert_contains(result.note, ": c10, c11, c12, c13, c14, c15 and 34 more");
}

static void splits_have_several_spellings(void **state) {
    (void)state;
    assert_string_equal(split_group("TrAiNiNg"), "train");
    assert_string_equal(split_group("VAL"), "val");
    assert_null(split_group("trains"));
    assert_true(split_is_train("train") && !split_is_train("test"));
    assert_true(split_is_validation("val") && split_is_validation("validate") &&
                !split_is_validation("test"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_read_as_they_are_meant),
        cmocka_unit_test(what_could_be_meant_otherwise_is_refused),
        cmocka_unit_test(a_link_to_nothing_is_a_broken_image),
        cmocka_unit_test(what_is_no_file_is_counted),
        cmocka_unit_test(many_names_are_counted),
        cmocka_unit_test(splits_have_several_spellings),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
