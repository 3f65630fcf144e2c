/* Imports that take long, as their user meets them: killed, stopped, side by side. */
#include "support/program.h"
#include "cmd/printed.h"
#include "io/image/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SYNTH "data synth %s --like imagenet --samples 900 --classes 20"

static void killed_at_any_moment_it_goes_on(void **state) {
    int killed = 0;

    (void)state;
    program_expect(0, NULL, "$DLTRAIN " SYNTH, "whole.h5");
    for (int i = 0, code = -1; i < 6 && code; i++) {
        struct program_run run = program_run("timeout -s KILL %d.%d $DLTRAIN " SYNTH, 1 + i / 2,
                                             i * 3 % 10, "killed.h5");

        code = run.code;
        program_release(&run);
        assert_true(code == 0 || code == 137);
        killed += code != 0;
    }
    assert_true(killed > 0);
    program_expect(0, NULL, "test -e killed.h5 || $DLTRAIN " SYNTH, "killed.h5");
    program_expect(0, NULL, "cmp whole.h5 killed.h5 && test ! -e killed.h5.import");
}

static void asked_to_stop_it_ends_with_75(void **state) {
    (void)state;
    program_expect(75, "stopped on request: stopped.h5.import: keeps the first ",
                   "timeout --preserve-status -s TERM 2 $DLTRAIN data synth stopped.h5 --like "
                   "imagenet --samples 900 --classes 20 --jobs 1");
    program_expect(0, NULL, "test ! -e stopped.h5 && test -e stopped.h5.import/journal");
    program_expect(0, NULL, "$DLTRAIN " SYNTH " 2> said && grep -q \"import: goes on after\" said",
                   "stopped.h5");
    program_expect(0, NULL, "cmp whole.h5 stopped.h5");
}

static void a_second_one_into_the_same_file_is_refused(void **state) {
    (void)state;
    program_expect(
        74, "twice.h5.import is in use by another run (process ",
        "$DLTRAIN data synth twice.h5 --like imagenet --samples 900 & sleep 1; $DLTRAIN "
        "data synth twice.h5 --like imagenet --samples 900; code=$?; kill %%1; wait %%1; "
        "exit $code");
    program_expect(0, NULL, "rm -rf twice.h5.import twice.h5 whole.h5 killed.h5 stopped.h5");
}

static void write_rectangle(const char *path, int width, int height, int value) {
    unsigned char *pixels = calloc((size_t)(width * height), 3);
    struct err err = {0};

    assert_non_null(pixels);
    memset(pixels, value, (size_t)(width * height * 3));
    assert_int_equal(image_write_png(path, width, height, 3, pixels, &err), 0);
    free(pixels);
}

static void write_image(const char *path, int side, int value) {
    write_rectangle(path, side, side, value);
}

static void what_was_skipped_is_listed(void **state) {
    char path[64];

    (void)state;
    program_expect(0, NULL, "mkdir -p pets/cat pets/dog");
    for (int i = 0; i < 30; i++) {
        snprintf(path, sizeof path, "pets/%s/%d.png", i % 2 ? "cat" : "dog", i);
        write_image(path, 10 + i, i);
    }
    program_expect(0, NULL, "echo none > pets/cat/a.jpg && echo none > pets/dog/b.jpg");
    program_expect(65, ".jpg: is ", "$DLTRAIN data import imagefolder pets pets.h5 --encoded");
    expect_text("$DLTRAIN data import imagefolder pets pets.h5 --encoded --skip-broken --split 0.2",
                "skipped 2 broken images\n  pets/");
    expect_text("$DLTRAIN data import imagefolder pets pets.h5 --encoded --skip-broken --split 0.2",
                "\nvalidate: ");
    program_expect(
        0, NULL,
        "for i in $(seq 1 19); do echo none > pets/cat/x$i.jpg; done; $DLTRAIN data "
        "import imagefolder pets pets.h5 --encoded --skip-broken > said && grep -q "
        "\"all of them are listed in pets.h5.skipped.txt\" said && test $(wc -l < "
        "pets.h5.skipped.txt) = 21 && grep -q \"pets/cat/x7.jpg: \" pets.h5.skipped.txt");
    program_expect(0, NULL, "rm pets/*/*.jpg pets.h5*");
}

static void options_that_say_nothing_together_are_refused(void **state) {
    (void)state;
    program_expect(64, "data: the importer idx has no --encoded",
                   "$DLTRAIN data import idx pets p.h5 --encoded");
    program_expect(64, "data: --resize-short is for --encoded",
                   "$DLTRAIN data import imagefolder pets p.h5 --resize-short 20");
    program_expect(64, "data: --quality is for --resize-short",
                   "$DLTRAIN data import imagefolder pets p.h5 --encoded --quality 80");
    program_expect(64, "data: --size brings images to one size, --encoded keeps them",
                   "$DLTRAIN data import imagefolder pets p.h5 --encoded --size 20");
    program_expect(64, "data: --orientation is decided where images are decoded",
                   "$DLTRAIN data import imagefolder pets p.h5 --encoded --orientation ignore");
    program_expect(64, "data: --fit is how images come to the size of --size, which is not given",
                   "$DLTRAIN data import imagefolder pets p.h5 --encoded --fit stretch");
    program_expect(64, "data: --fit is how images come to the size of --size, which is not given",
                   "$DLTRAIN data import imagefolder pets p.h5 --fit crop");
    program_expect(64, "data: --grey and --colour exclude each other",
                   "$DLTRAIN data import imagefolder pets p.h5 --encoded --colour --grey");
    program_expect(64, "--quality: found '101', expected a whole number from 1 to 100",
                   "$DLTRAIN data import imagefolder pets p.h5 --encoded --quality 101");
    program_expect(64, "data: --like is 'mnist', expected imagenet or boxes",
                   "$DLTRAIN data synth p.h5 --like mnist");
    program_expect(64, "data: --samples and --jobs are for --like imagenet",
                   "$DLTRAIN data synth p.h5 --samples 30");
    program_expect(64, "data: --train and --test are not for --like imagenet",
                   "$DLTRAIN data synth p.h5 --like imagenet --train 30");
}

static void smaller_images_are_told(void **state) {
    (void)state;
    expect_text("$DLTRAIN data import imagefolder pets p.h5 --encoded --resize-short 30 --jobs 2",
                "9 images became smaller JPEGs of quality 90, their shorter side 30; 21 stay "
                "as they are\n9 of them were PNG or other files and are JPEGs now\n");
    program_expect(0, NULL, "rm p.h5");
}

/* What they lead to may be on another disk. */
static void links_are_refused(void **state) {
    (void)state;
    program_expect(0, NULL, "mkdir elsewhere && ln -s elsewhere p.h5.import && ln -s far.h5 l.h5");
    program_expect(64, "p.h5.import: is a link, expected a folder beside the file",
                   "$DLTRAIN data import imagefolder pets p.h5 --encoded");
    program_expect(64, "l.h5: is a link, which what is written would replace",
                   "$DLTRAIN data import imagefolder pets l.h5 --encoded");
    program_expect(0, NULL, "rmdir elsewhere && test -L l.h5 && rm l.h5 p.h5.import");
}

/* Whose smaller form no JPEG can hold. */
static void a_picture_too_long_is_broken(void **state) {
    (void)state;
    write_rectangle("pets/cat/long.png", 70000, 20, 5);
    program_expect(65,
                   "pets/cat/long.png: would become a JPEG of 66500x19 pixels, whose sides are at "
                   "most 65500",
                   "$DLTRAIN data import imagefolder pets p.h5 --encoded --resize-short 19");
    expect_text("$DLTRAIN data import imagefolder pets p.h5 --encoded --resize-short 19 "
                "--skip-broken",
                "skipped 1 broken image\n  pets/cat/long.png: ");
    program_expect(0, NULL, "rm -r pets p.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_moment_it_goes_on),
        cmocka_unit_test(asked_to_stop_it_ends_with_75),
        cmocka_unit_test(a_second_one_into_the_same_file_is_refused),
        cmocka_unit_test(what_was_skipped_is_listed),
        cmocka_unit_test(options_that_say_nothing_together_are_refused),
        cmocka_unit_test(smaller_images_are_told),
        cmocka_unit_test(links_are_refused),
        cmocka_unit_test(a_picture_too_long_is_broken),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
