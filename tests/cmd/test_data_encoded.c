/* What dltrain data says of encoded pictures, and makes of them. */
#include "io/dataset/encoded.h"
#include "support/program.h"

#include "io/dataset/content_hash.h"

static int setup(void **state) {
    return scratch_setup(state) || program_setup(state);
}

static int teardown(void **state) {
    return program_teardown(state) || scratch_teardown(state);
}

static void expect_text(const char *command, const char *text) {
    struct program_run run = program_run("F=%s; %s", scratch, command);

    if (run.code || !strstr(run.out, text))
        fail_msg("exit code %d, '%s' is not said:\n%s%s", run.code, text, run.out, run.err);
    program_release(&run);
}

/* Pictures 0 .. 7 with names and content_hash; where `broken`, the middle of picture 2 is gone, and
 * picture 5 is a page of HTML. */
static void write_file(const char *name, bool broken) {
    struct content_hash *hash = content_hash_new();
    struct err err = {0};

    encoded_write(name, &(struct encoded_file){.n = 8, .names = true});
    const hid_t file = H5Fopen(in_scratch(name), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t id = H5Dopen2(file, "/train/images", H5P_DEFAULT);
    const size_t len = (size_t)H5Dget_storage_size(id);
    unsigned char *bytes = malloc(len);
    assert_true(H5Dread(id, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    content_hash_add(hash, bytes, len);
    struct h5 wrapped = {.id = file, .name = (char[]){"f"}};
    assert_int_equal(content_hash_write(hash, &wrapped, "/train/images", &err), 0);
    content_hash_free(hash);
    size_t at = 0;
    for (int k = 0; k < 8; k++) {
        const struct encoded_bytes one = encoded_picture_bytes(k);

        if (broken && k == 2)
            memset(bytes + at + 20, 0, one.len - 40);
        if (broken && k == 5)
            memcpy(bytes + at, "<html>", 6);
        at += one.len;
        free(one.bytes);
    }
    assert_int_equal(at, len);
    assert_true(H5Dwrite(id, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    free(bytes);
    H5Dclose(id);
    H5Fclose(file);
}

static void info_tells_bytes_formats_and_sizes(void **state) {
    (void)state;
    write_file("e.h5", false);
    expect_text("$DLTRAIN data info $F/e.h5", "  image: encoded pictures\n    8 pictures of ");
    expect_text("$DLTRAIN data info $F/e.h5",
                "    of 8 looked at: 8 JPEG; 8x6 to 15x13, median 12x10 pixels\n");
    write_file("e.h5", true);
    expect_text("$DLTRAIN data info $F/e.h5",
                "    of 8 looked at: 6 JPEG; 8x6 to 15x13, median 12x10 pixels\n    warning: 2 of "
                "them cannot be decoded, the first: sample 2 (n0/2.JPEG) of ");
    encoded_write_lists("v.h5", "/jpegs", "/targets", 3, 0, false);
    expect_text("$DLTRAIN data info $F/v.h5", "/jpegs: 3 bytes of any length\n");
    expect_text("$DLTRAIN data info $F/v.h5", "guessed: /jpegs: bytes are taken for files of ");
}

static void verify_decodes_every_picture(void **state) {
    (void)state;
    write_file("e.h5", false);
    expect_text("$DLTRAIN data verify $F/e.h5",
                "  image: 8 pictures decoded, as they were written\n");
    write_file("e.h5", true);
    program_expect(65, "3 things are wrong, the first: sample 2 (n0/2.JPEG) of ",
                   "$DLTRAIN data verify %s/e.h5", scratch);
    struct program_run run = program_run("$DLTRAIN data verify %s/e.h5:train", scratch);
    assert_contains(run.out, "  wrong: sample 2 (n0/2.JPEG) of ");
    assert_contains(run.out, "e.h5:train: broken JPEG");
    assert_contains(run.out, "  wrong: sample 5 (n0/5.JPEG) of ");
    assert_contains(run.out, "e.h5:train: is a page of HTML, not the image");
    assert_contains(run.out, "e.h5:/train/images: is not what was written: its content_hash is ");
    assert_contains(run.out, "  image: 6 pictures decoded, 2 broken\n");
    program_release(&run);
}

/* Plain pictures: the mean of a channel is that of its values by their pixels. */
static void stats_are_of_all_pixels(void **state) {
    double sum = 0, pixels = 0;
    char text[64];

    (void)state;
    write_file("e.h5", false);
    for (int k = 0; k < 8; k++) {
        sum += 10 * k * (8 + k) * (6 + k) / 255.0;
        pixels += (8 + k) * (6 + k);
    }
    /* JPEG keeps plain colours to a level or two. */
    struct program_run run = program_run("$DLTRAIN data stats %s/e.h5", scratch);
    const char *row = strstr(run.out, "\n  0 ");
    assert_non_null(row);
    assert_true(strtod(row + 4, NULL) > sum / pixels - 0.008);
    assert_true(strtod(row + 4, NULL) < sum / pixels + 0.008);
    snprintf(text, sizeof text, "image: encoded pictures, as 0 .. 1\n");
    assert_contains(run.out, text);
    assert_contains(run.out, "     1 to 31            8  ####");
    program_release(&run);
    expect_text("$DLTRAIN data stats $F/e.h5 --sheet look.png --each 3",
                "look.png: a row for each of 2 classes, of 3 samples");
    expect_text("wc -c look.png", "look.png");
}

static void folds_keep_files_and_names(void **state) {
    (void)state;
    write_file("e.h5", false);
    expect_text("$DLTRAIN data split $F/e.h5 $F/folds.h5 --folds 2",
                "folds.h5: 4 samples in fold1, 4 samples in fold2");
    expect_text("$DLTRAIN data verify $F/folds.h5",
                "fold2\n  image: 4 pictures decoded, as they were written\n");
    expect_text("$DLTRAIN data info $F/folds.h5", "/fold1/images_names: 4 text");
    encoded_write_lists("v.h5", "/jpegs", "/targets", 6, 0, false);
    expect_text("$DLTRAIN data split $F/v.h5 $F/held.h5 --split 2",
                "4 samples in train, 2 samples");
    expect_text("$DLTRAIN data verify $F/held.h5",
                "train\n  image: 4 pictures decoded, as they were written\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_tells_bytes_formats_and_sizes),
        cmocka_unit_test(verify_decodes_every_picture),
        cmocka_unit_test(stats_are_of_all_pixels),
        cmocka_unit_test(folds_keep_files_and_names),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
