/* dltrain data, as its user meets it: what it refuses to write to, and what it says. */
#include "support/program.h"
#include "cmd/printed.h"
#include "io/image/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static void write_image(const char *split, const char *class, int i) {
    const unsigned char pixels[4] = {(unsigned char)i};
    struct err err = {0};
    char path[64];

    snprintf(path, sizeof path, "pets/%s/%s/%d.png", split, class, i);
    assert_int_equal(image_write_png(path, 2, 2, 1, pixels, &err), 0);
}

static void nothing_but_a_dataset_is_replaced(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "mkdir -p src/cat && mkfifo pipe && echo x > notes.txt && "
                   "ln shapes.h5 same.h5 && ln -s shapes.h5 soft.h5 && cp shapes.h5 b.h5");
    program_expect(64, "/dev/full: is a device", "$DLTRAIN data synth /dev/full");
    program_expect(64, "pipe: is a pipe", "$DLTRAIN data synth pipe");
    program_expect(64, "src: is a folder", "$DLTRAIN data import imagefolder src src");
    program_expect(64, "notes.txt: exists and is no HDF5 file; remove it first",
                   "$DLTRAIN data import imagefolder src notes.txt");
    program_expect(64, "same.h5: is the same file as shapes.h5",
                   "$DLTRAIN convert shapes.h5 same.h5");
    program_expect(64, "soft.h5: is the same file as shapes.h5",
                   "$DLTRAIN convert shapes.h5 soft.h5");
    program_expect(0, NULL, "cmp shapes.h5 b.h5 && test -c /dev/full && test -p pipe");
    program_expect(0, NULL, "$DLTRAIN data synth b.h5 --train 10 --test 10");
    program_expect(1, NULL, "cmp -s shapes.h5 b.h5");
    program_expect(0, NULL, "rm -r src pipe notes.txt same.h5 soft.h5 b.h5");
}

static void a_group_is_cut_into_folds(void **state) {
    (void)state;
    expect_text("$DLTRAIN data split shapes.h5:train f.h5 --folds 3",
                "f.h5: 80 samples in fold1, 80 samples in fold2, 80 samples in fold3\n");
    expect_text("$DLTRAIN data info f.h5", "10 classes of 8 samples: circle 8");
    expect_text("$DLTRAIN data split shapes.h5:test f.h5 --split 0.25",
                "f.h5: 45 samples in train, 15 samples in validate\n");
    expect_text("$DLTRAIN data split shapes.h5:test g.h5 --split 15 --seed 1",
                "g.h5: 45 samples in train, 15 samples in validate\n");
    program_expect(0, NULL, "cmp f.h5 g.h5");
    program_expect(0, NULL, "$DLTRAIN data split shapes.h5:test g.h5 --split 15 --seed 2");
    program_expect(1, NULL, "cmp -s f.h5 g.h5");
    program_expect(64, "data: split takes either --folds 5 or --split 0.2",
                   "$DLTRAIN data split shapes.h5:test g.h5");
    program_expect(64, "data: split takes either --folds 5 or --split 0.2",
                   "$DLTRAIN data split shapes.h5:test g.h5 --folds 2 --split 0.5");
    program_expect(64, "data: split takes FILE.h5 or FILE.h5:GROUP, and the file to write",
                   "$DLTRAIN data split shapes.h5 --folds 2");
    program_expect(64, "--folds: found '1', expected a whole number from 2 to 100",
                   "$DLTRAIN data split shapes.h5:test g.h5 --folds 1");
    program_expect(64, "data: --split is '0', expected a number of rows or a share",
                   "$DLTRAIN data split shapes.h5:test g.h5 --split 0");
    program_expect(65, "which group? It has test, train",
                   "$DLTRAIN data split shapes.h5 g.h5 --folds 2");
    program_expect(64, "shapes.h5: is the same file as shapes.h5",
                   "$DLTRAIN data split shapes.h5:test shapes.h5 --folds 2");
    program_expect(64, "/dev/full: is a device",
                   "$DLTRAIN data split shapes.h5:test /dev/full "
                   "--folds 2");
    program_expect(0, NULL, "rm f.h5 g.h5");
}

/* What is said of folders reaches the user, line by line. */
static void imports_say_what_was_decided(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "mkdir -p pets/Training pets/Testing && cd pets/Training && "
                   "mkdir cat dog eel && cd ../Testing && mkdir cat dog");
    for (int i = 0; i < 20; i++)
        write_image(i < 12 ? "Training" : "Testing", i % 2 ? "cat" : "dog", i);
    expect_text(
        "$DLTRAIN data import imagefolder pets pets.h5 --split 0.25",
        "pets.h5: 20 images in 3 groups, 3 classes\n"
        "folders of splits were read under other names: Testing as test, Training as train\n"
        "train: 9 images\ntest: 8 images\nvalidate: 3 images\n"
        "classes of which there are no images, with numbers all the same: eel\n");
    expect_text("$DLTRAIN data info pets.h5", "3 classes of 0 to 5 samples");
    program_expect(64, "data: --validate is now --split 0.1, which draws the images by --seed",
                   "$DLTRAIN data import imagefolder pets pets.h5 --validate 0.1");
    program_expect(64, "data: --seed is for --split and --folds, which are not given",
                   "$DLTRAIN data import imagefolder pets pets.h5 --seed 3");
    program_expect(64, "data: the importer imagefolder has no --mask-suffix",
                   "$DLTRAIN data import imagefolder pets pets.h5 --mask-suffix _mask");
    program_expect(64, "data: --mask-suffix is empty, expected one such as _mask",
                   "$DLTRAIN data import segmentation pets pets.h5 --mask-suffix=");
    program_expect(64, "data: the importer idx has no --split",
                   "$DLTRAIN data import idx pets pets.h5 --split 0.2");
    program_expect(0, NULL, "rm -r pets pets.h5");
}

static void of_several_processes_one_writes(void **state) {
    (void)state;
    expect_text("$MPIRUN -np 2 $DLTRAIN data synth many.h5 --train 30 --test 10 | wc -l", "1\n");
    program_expect(0, NULL,
                   "$DLTRAIN data synth one.h5 --train 30 --test 10 && cmp one.h5 many.h5");
    program_expect(64, "data: split takes either",
                   "$MPIRUN -np 2 $DLTRAIN data split one.h5 two.h5");
    program_expect(0, NULL, "rm one.h5 many.h5");
}

/* A TIFF of 2x1 greys, 10 and 20, whose tag says that its left side is its top. */
static const char lying_tiff[] = "II*\0\10\0\0\0\7\0"
                                 "\0\1\4\0\1\0\0\0\2\0\0\0"    /* width */
                                 "\1\1\4\0\1\0\0\0\1\0\0\0"    /* height */
                                 "\2\1\3\0\1\0\0\0\10\0\0\0"   /* bits */
                                 "\6\1\3\0\1\0\0\0\1\0\0\0"    /* 0 is black */
                                 "\21\1\4\0\1\0\0\0\142\0\0\0" /* the pixels */
                                 "\22\1\3\0\1\0\0\0\6\0\0\0"   /* turn */
                                 "\27\1\4\0\1\0\0\0\2\0\0\0"   /* their bytes */
                                 "\0\0\0\0\12\24";

static void pictures_are_turned_unless_that_is_not_wanted(void **state) {
    FILE *file;

    (void)state;
    program_expect(0, NULL, "mkdir -p lying/a");
    file = fopen("lying/a/x.tif", "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(lying_tiff, sizeof lying_tiff - 1, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    expect_text("$DLTRAIN data import imagefolder lying lying.h5",
                "1 image turned upright, as the orientation tag says (--orientation ignore leaves "
                "images as stored); the first: lying/a/x.tif\n");
    expect_text("$DLTRAIN data info lying.h5", "image of bytes 2x1x1");
    expect_text("$DLTRAIN data import imagefolder lying lying.h5 --orientation ignore --colour",
                "1 image not upright as stored: left so");
    expect_text("$DLTRAIN data info lying.h5", "image of bytes 1x2x3");
    program_expect(64, "data: --orientation is 'left', expected apply or ignore",
                   "$DLTRAIN data import imagefolder lying lying.h5 --orientation left");
    program_expect(64, "data: the importer cifar has no --orientation",
                   "$DLTRAIN data import cifar lying lying.h5 --orientation ignore");
    program_expect(0, NULL, "echo \"<html>404\" > lying/a/y.jpg");
    program_expect(65, "lying/a/y.jpg: is a page of HTML, not the image: its download has failed",
                   "$DLTRAIN data import imagefolder lying lying.h5");
    program_expect(0, NULL, "rm -r lying lying.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_a_dataset_is_replaced),
        cmocka_unit_test(a_group_is_cut_into_folds),
        cmocka_unit_test(imports_say_what_was_decided),
        cmocka_unit_test(of_several_processes_one_writes),
        cmocka_unit_test(pictures_are_turned_unless_that_is_not_wanted),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
